"""Lines of a model card that open a photo and run the model on it, and words for what they do."""

from __future__ import annotations

from typing import Any

__all__ = ["photo_code", "preprocessing_words"]

_HEAD = """import json
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
{kind} = json.loads(session.get_modelmeta().custom_metadata_map["{kind}"])
"""
_FLAT = """image = image.convert("RGBA")
image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("{mode}")
"""
_RESIZE = """side = min(image.size)
left, top = (image.width - side) / 2, (image.height - side) / 2
box = (left, top, left + side, top + side)
image = image.resize(({size}, {size}), Image.Resampling.BILINEAR, box=box)
"""
_CLASSES = """logits = session.run(["logits"], {"images": images})[0][0].astype(np.float64)
odds = np.exp(logits - logits.max())
print(classes[odds.argmax()], odds.max() / odds.sum())
"""
_VALUES = """for name, value in zip(targets, session.run(["values"], {"images": images})[0][0].tolist()):
    print(name, value)
"""
_FITS = {
    "crop": "The square at the center, as long as the shorter side, resized to",
    "pad": "All of it, its sides in their proportion, between black bars that make it",
    "stretch": "All of it, its sides out of proportion, resized to",
}
_SHAPED = "The largest part at the center that has the shape of the result, resized to"
_BESIDE = """from predict import PhotoModel

model = PhotoModel.load("model.onnx")
for name, {number} in model.answer("photo.jpg").pairs:
    print(name, {number})
"""


def photo_code(settings: dict[str, Any], output: str = "logits") -> str:
    """Return lines that open ``photo.jpg`` and print its class and probability, or its values.

    They need onnxruntime, numpy and Pillow alone. Where the data had more than 8 bits, arrays were resized, or photos
    become no squares, or are padded or stretched, they call ``predict.py``, which stands beside the model; of channels
    that photos have not they run on random numbers.

    Args:
        settings: Content of ``preprocess.json``.
        output: ``logits`` of classes, or ``values`` of continuous targets.
    """
    classes = output == "logits"
    head = _HEAD.format(kind="classes" if classes else "targets")
    tail = _CLASSES if classes else _VALUES
    mode, (height, width), inside = settings["mode"], settings["size"], settings["inside"]
    if mode is None:
        shape = f"1, {settings['channels']}, {height}, {width}"
        random = f"images = np.random.rand({shape}).astype(np.float32)  # yours: values in [0, 1]\n"
        return head.replace("from PIL import Image, ImageOps\n", "") + random + tail
    arrays = settings["resize"] == "arrays" and not inside
    framed = (settings["fit"] != "crop" or height != width) and not inside
    if settings["white"] is not None or arrays or framed:
        return _BESIDE.format(number="probability" if classes else "value")
    lines = head + 'with Image.open("photo.jpg") as file:\n'
    if settings["draft"]:
        sides = f"({settings['draft']}, {settings['draft']})"
        lines += f"    file.draft(None, {sides})  # a large JPEG is decoded at a fraction of its size\n"
    lines += "    image = ImageOps.exif_transpose(file)\n"
    lines += 'image = image.convert("RGBA")\n' if mode == "RGBA" else _FLAT.format(mode=mode)
    pixels = "np.asarray(image)" + ("[..., None]" if mode == "L" else "")
    if inside:
        return f"{lines}images = {pixels}[None]\n{tail}"
    lines += _RESIZE.format(size=height)
    levels = f"{settings['levels']:g}"
    if settings["levels"] != 255:
        lines += f"levels = np.rint({pixels} * ({levels} / 255.0))  # white is {levels}\n"
        pixels = "levels"
    planes = f"{pixels}.transpose(2, 0, 1)[None].astype(np.float32)"
    return f"{lines}images = {planes} / np.float32({levels})\n{tail}"


def preprocessing_words(settings: dict[str, Any]) -> list[str]:
    """Return what a photo becomes, step by step, as lines of a list.

    Args:
        settings: Content of ``preprocess.json``.
    """
    mode, (height, width), levels = settings["mode"], settings["size"], settings["levels"]
    if mode is None:
        return [f"- Photos have 1, 3 or 4 channels, this model reads {settings['channels']}: give it arrays in [0, 1]."]
    color = {"L": "gray", "RGB": "red, green and blue", "RGBA": "red, green, blue and alpha"}[mode]
    deep = "65535 (of floats 1)" if settings["white"] is None else f"{settings['white']:g}"
    fitted, shape = _FITS[settings["fit"]], ""
    if height != width:
        shape = " (height x width)"
        fitted = _SHAPED if settings["fit"] == "crop" else fitted
    inside = " (the model does this and all that follows)" if settings["inside"] else ""
    how = (
        "bilinear, antialiased, as Pillow does it"
        if settings["resize"] == "pillow"
        else "bilinear, antialiased, in floats and rounded, as the data's arrays were"
    )
    words = [
        "The first frame, turned upright by EXIF"
        + ("" if mode == "RGBA" else "; what is transparent is shown on white")
        + f"; as {color}, 8 bits. In files of more bits white is {deep}.",
        f"{fitted} {height} x {width}{shape}{inside}: {how}.",
    ]
    if levels != 255:
        words.append(f"Brought to the {levels:g} levels above black that the data have, white to {levels:g}, rounded.")
    words.append(f"Divided by {levels:g}: values in [0, 1]. Normalization is inside the model.")
    return [f"- {word}" for word in words]
