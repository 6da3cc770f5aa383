"""Outputs of a model on noise, which its card notes: by them its file is known again where no data are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonas.runtime import Model, logits

__all__ = ["as_taken", "noise_pixels", "noted_outputs"]

SEED, IMAGES = 0, 16


def noise_pixels(settings: Mapping[str, Any]) -> np.ndarray:
    """Return noise, the same on every machine: whole numbers from 0 to the value of white, uint8, shape (n, c, h, w).

    Args:
        settings: Content of ``preprocess.json``.
    """
    shape = (IMAGES, int(settings["channels"]), *map(int, settings["size"]))
    return np.random.default_rng(SEED).integers(0, int(settings["levels"]) + 1, shape, dtype=np.uint8)


def as_taken(pixels: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return images as a model takes them: values in [0, 1], or photos where its preprocessing is inside.

    Args:
        pixels: uint8, shape (n, c, h, w), of the model's own size.
        settings: Content of ``preprocess.json``.
    """
    if not settings["inside"]:
        return pixels.astype(np.float32) / np.float32(settings["levels"])
    photos: np.ndarray = np.rint(pixels * (255.0 / settings["levels"])).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(photos)


def noted_outputs(model: Model, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a card notes of a model's outputs on noise.

    Args:
        model: As it is deployed.
        settings: Content of ``preprocess.json``.
    """
    outputs = logits(model, as_taken(noise_pixels(settings), settings))
    return {"seed": SEED, "images": IMAGES, "outputs": outputs.tolist()}
