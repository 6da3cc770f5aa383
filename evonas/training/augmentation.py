"""Augmentation of a recipe: its steps, or shifts, flips and cutouts, for images of a size."""

from __future__ import annotations

from evonas.data import Augment
from evonas.data.augment_steps import Steps, make_steps
from evonas.files.size import Size, height_width
from evonas.training.recipe import TrainingRecipe

__all__ = ["recipe_augmentation"]


def recipe_augmentation(recipe: TrainingRecipe, size: Size, usual: Augment) -> Augment | Steps:
    """Return what changes a recipe's training images.

    Args:
        recipe: Its steps where it names some, else its ``crop``, ``flip`` and ``cutout``.
        size: Size of the images; shifts and cutouts are shares of the shorter side.
        usual: What suits the data: whether mirrored images keep their labels, and what a blotted square shows.
    """
    side = min(height_width(size))
    flip = usual.flip if recipe.flip == "data" else recipe.flip
    if recipe.augment:
        return make_steps(recipe.augment, flip=flip)
    return Augment(crop=round(recipe.crop * side), flip=flip, cutout=round(recipe.cutout * side), fill=usual.fill)
