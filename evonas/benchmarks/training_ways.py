"""Ways to train: a recipe's tricks as steps, and a skeleton's fields as factors with levels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from evonas.errors import SettingsError, suggest
from evonas.files.options import read_options
from evonas.spaces import Skeleton, Space
from evonas.training import TrainingRecipe
from evonas.training.recipe import change_recipe

__all__ = ["TrainingWay", "default_factors", "frame_ways", "read_factor", "recipe_ways"]

TRICKS: Mapping[str, Mapping[str, Any]] = {
    "augmentation": {"crop": 0.0, "flip": False},
    "auxiliary head": {"auxiliary": 0.0},
    "drop path": {"drop_path": 0.0},
    "cutout": {"cutout": 0.0},
    "label smoothing": {"label_smoothing": 0.0},
    "averaged weights": {"ema": 0.0},
}
"""Steps that a recipe may hold, and what its fields are without each, in the order in which they are added."""
FIXED = ("in_channels", "classes", "head")
"""Fields of a skeleton that data decide, or that a trained network needs."""


@dataclass(frozen=True)
class TrainingWay:
    """One way to train every architecture alike.

    Attributes:
        name: What distinguishes it from the others, such as ``cells=6`` or ``+ cutout``.
        skeleton: Frame of the networks.
        recipe: How they are trained.
        seed: Of weights, order of images and augmentation.
    """

    name: str
    skeleton: Skeleton
    recipe: TrainingRecipe
    seed: int


def recipe_ways(
    space: Space, skeleton: Skeleton, recipe: TrainingRecipe, steps: Sequence[str], seed: int
) -> list[TrainingWay]:
    """Return the ways from a bare recipe to a whole one, each with one step more than the one before.

    Args:
        space: Says which fields of a skeleton its networks read.
        skeleton: Frame of the first way.
        recipe: The whole recipe; its tricks are taken away first and then added one after the other.
        steps: Further steps after these, ``key=value,…`` each, of fields of the recipe or of the skeleton.
        seed: Of all ways.

    Raises:
        SettingsError: Nothing to add, or a key that is a field of neither.
    """
    whole = recipe.model_dump()
    held = {name: off for name, off in TRICKS.items() if any(whole[key] != off[key] for key in off)}
    bare = change_recipe(recipe, **{key: value for fields in held.values() for key, value in fields.items()})
    ways = [TrainingWay("bare", skeleton, bare, seed)]
    for name, fields in held.items():
        added = change_recipe(ways[-1].recipe, **{key: whole[key] for key in fields})
        ways.append(TrainingWay(f"+ {name}", skeleton, added, seed))
    for text in steps:
        changes = read_options(text, text)
        known = [*TrainingRecipe.model_fields, *_varied(space)]
        for key in changes:
            if key not in known:
                raise SettingsError(f"No step '{key}': expected one of {', '.join(known)}.{suggest(key, known)}")
        own = {key: value for key, value in changes.items() if key in TrainingRecipe.model_fields}
        frame = {key: value for key, value in changes.items() if key not in own}
        last = ways[-1]
        recipe, skeleton = change_recipe(last.recipe, **own), last.skeleton.replace(**frame)
        ways.append(replace(last, name=f"+ {text}", skeleton=skeleton, recipe=recipe))
    if len(ways) < 2:
        raise SettingsError(
            f"Expected steps to add one after the other, got none: the recipe '{recipe.name}' has no trick; name some, "
            "such as --step cutout=0.5"
        )
    return ways


def read_factor(space: Space, text: str) -> tuple[str, tuple[Any, ...]]:
    """Return the name and levels of a factor of the frame.

    Args:
        space: Says which fields of a skeleton its networks read.
        text: ``FIELD=LEVEL,LEVEL``, such as ``cells=3,6``; parts of a level that has several are joined by ``+``, such
            as ``blocks=1+2+2,2+3+3``; ``skeleton=NAME,NAME`` are whole named skeletons.

    Raises:
        SettingsError: No such field, fewer than two levels, or one twice.
    """
    name, equals, written = (part.strip() for part in text.partition("="))
    levels = [level.strip() for level in written.split(",")]
    if not equals or len(levels) < 2 or len(set(levels)) < len(levels):
        raise SettingsError(f"Expected a field and two different levels or more, such as cells=3,6, got '{text}'")
    known = ("skeleton", *_varied(space))
    if name not in known:
        raise SettingsError(
            f"No factor '{name}' of the space '{space.name}': expected one of {', '.join(known)}.{suggest(name, known)}"
        )
    if name == "skeleton":
        return name, tuple(levels)
    parts = [tuple(read_options(f"{name}={part}", text)[name] for part in level.split("+")) for level in levels]
    return name, tuple(part if len(part) > 1 or name in ("blocks", "strides", "apart") else part[0] for part in parts)


def default_factors(space: Space, skeleton: Skeleton, ablation: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the factors where none are named: once and twice the cells, and for ``macro`` the channels too.

    Raises:
        SettingsError: Networks of the space are no stacks of cells.
    """
    if "cells" not in _varied(space) or skeleton.apart:
        raise SettingsError(
            f"Expected levels of the frame for networks of '{space.name}', which are no stacks of cells: name "
            "them, such as --vary width=0.25,0.5"
        )
    names = ("cells", "channels") if ablation == "macro" else ("cells",)
    return [(name, (getattr(skeleton, name), 2 * getattr(skeleton, name))) for name in names]


def frame_ways(
    space: Space,
    skeleton: Skeleton,
    recipe: TrainingRecipe,
    factors: Sequence[tuple[str, tuple[Any, ...]]],
    seed: int,
) -> list[TrainingWay]:
    """Return a way for every combination of levels, the last factor's levels running fastest.

    Args:
        space: Holds named skeletons.
        skeleton: What the factors leave as it is.
        recipe: Of all ways.
        factors: Names and levels, as `read_factor` returns them.
        seed: Of all ways.

    Raises:
        SettingsError: A factor twice, no such skeleton, or a value out of range.
    """
    names = [name for name, _ in factors]
    if len(set(names)) < len(names):
        raise SettingsError(f"Expected each factor once, got {', '.join(names)}")
    ways = []
    for levels in product(*(levels for _, levels in factors)):
        chosen = dict(zip(names, levels, strict=True))
        changes = {name: level for name, level in chosen.items() if name != "skeleton"}
        if "skeleton" in chosen:
            data = {name: getattr(skeleton, name) for name in ("resolution", "in_channels", "classes")}
            base = space.skeleton(chosen["skeleton"], **data)
        else:
            base = skeleton
        name = ", ".join(f"{name}={_text(level)}" for name, level in chosen.items())
        ways.append(TrainingWay(name, base.replace(**changes), recipe, seed))
    return ways


def _varied(space: Space) -> list[str]:
    return [one.name for one in dataclasses.fields(Skeleton) if one.name not in space.unread and one.name not in FIXED]


def _text(level: Any) -> str:
    return "+".join(map(str, level)) if isinstance(level, tuple) else str(level)
