"""Preprocessing of a photo: steps from an image file to a network's input, as the data set was read, as data."""

from __future__ import annotations

from typing import Any

from evonas.data.arrays import ArrayImages
from evonas.data.dataset import Dataset
from evonas.data.decode import EncodedImages
from evonas.files.size import height_width

__all__ = ["FORMAT", "preprocessing_of"]

FORMAT = 1
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's mode of photos with so many channels."""


def preprocessing_of(data: Dataset) -> dict[str, Any]:
    """Return what an image file becomes before a network trained on these data sees it, as JSON holds it.

    ``mode`` is Pillow's, None where the data have channels that photos have not; ``white`` the value that means white
    in files of more than 8 bits, None for 65535 of integers and 1 of floats; ``fit`` is ``crop`` to the part at the
    center that has the shape of ``size``, ``pad`` or ``stretch``, see `evonas.data.photo.read_photo`; ``resize`` is
    ``pillow``, or ``arrays`` where arrays of another size were resized; ``draft`` the side that a JPEG file is decoded
    to at least, at a fraction of its size; ``inside`` whether the model resizes, crops and scales; ``levels`` the value
    that white has among the pixels, which are then divided by it. `evonas.data.photo.read_photo` does these steps.
    """
    # The test part's, for these are what the deployed model's accuracy is of.
    images = data._test_images
    white = images.white if isinstance(images, ArrayImages | EncodedImages) else None
    fit = images.fit if isinstance(images, ArrayImages | EncodedImages) else "crop"
    side = height_width(data.resolution)
    native = isinstance(images, EncodedImages) or images.shape()[1:] == side
    mode = MODES.get(data.in_channels)
    return {
        "format": FORMAT,
        "orientation": "exif",
        "frame": "first",
        "mode": mode,
        "transparency": "kept" if mode == "RGBA" else "on white",
        "white": white,
        "fit": fit,
        "crop": "center" if fit == "crop" else None,
        "size": list(side),
        "interpolation": "bilinear, antialiased",
        "resize": "pillow" if native else "arrays",
        "draft": 2 * max(side) if native else None,
        "inside": False,
        "levels": data.scale,
        "range": [0.0, 1.0],
        "channels": data.in_channels,
        "layout": "NCHW",
        "type": "float32",
        "normalization": {"where": "inside the model", "mean": list(data.mean), "std": list(data.std)},
    }
