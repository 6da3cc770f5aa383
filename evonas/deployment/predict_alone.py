"""Classes or values of photos by a deployed model; needs onnxruntime, numpy and Pillow alone.

    python predict.py photo.jpg folder/ --top 3 --csv answers.csv

Photos become the model's input exactly as the data that it was trained on were read; preprocess.json, beside the model
and in its metadata, says how. A photo that cannot be read is skipped and named, and the exit code is 3.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from evonas.data.photo import read_photo
from evonas.files.csv import to_csv


class Answer(NamedTuple):
    """Answer of a model to a photo.

    Attributes:
        photo: Its path as given, or below the folder that was given.
        pairs: The likeliest classes with their probabilities, the likeliest first; or all targets with their values, in
            the targets' own units.
        error: Why the photo could not be read; empty where it could.
    """

    photo: str
    pairs: list[tuple[str, float]]
    error: str = ""


class PhotoModel:
    """A model and what a photo becomes before it.

    Args:
        run: Computes outputs, shape (1, n), of an input as `photo_input` gives it.
        names: Names of the n classes or targets.
        settings: Content of ``preprocess.json``.
        classifies: Whether outputs are logits of classes; else values.

    Raises:
        ValueError: The settings are of another version, or the model reads channels that photos have not.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], np.ndarray],
        names: Sequence[str],
        settings: dict[str, Any],
        classifies: bool,
    ) -> None:
        if settings.get("format") != 1:
            raise ValueError(f"Expected preprocessing of format 1, got {settings.get('format')}: use its own evonas")
        if settings["mode"] is None:
            raise ValueError(
                f"The model reads {settings['channels']} channels, photos have 1, 3 or 4: give it arrays instead"
            )
        self.run, self.names, self.settings, self.classifies = run, list(names), settings, classifies

    @classmethod
    def load(cls, path: str | Path) -> PhotoModel:
        """Open an ONNX file.

        Raises:
            ValueError: It is none that onnxruntime reads, or says not what a photo becomes.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own have no common root
            cause = " ".join(str(error).split())[:200]
            raise ValueError(f"Expected a model that onnxruntime can run at {path}, got none: {cause}") from error
        texts = session.get_modelmeta().custom_metadata_map
        kind = "classes" if "classes" in texts else "targets"
        if "preprocess" not in texts or kind not in texts:
            raise ValueError(
                f"{path} does not say in its metadata what a photo becomes: deploy it again by  evonas deploy"
            )
        entry = session.get_inputs()[0].name
        return cls(
            lambda images: np.asarray(session.run(None, {entry: images})[0]),
            json.loads(texts[kind]),
            json.loads(texts["preprocess"]),
            kind == "classes",
        )

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """Return probabilities of all classes, or values of all targets, of what `photo_input` gives; shape (n,)."""
        found: np.ndarray = self.run(images)[0].astype(np.float64)
        if not self.classifies:
            return found
        powers: np.ndarray = np.exp(found - found.max())
        powers /= powers.sum()
        return powers

    def answer(self, photo: str | Path, top: int = 3) -> Answer:
        """Return the likeliest classes of a photo, or the values of all targets; of one that cannot be read, why."""
        try:
            images = photo_input(photo, self.settings)
        except MemoryError:
            raise
        except Exception as error:  # a decoder fed with garbage raises anything
            return Answer(str(photo), [], " ".join(str(error).split()) or type(error).__name__)
        found = self.outputs(images)
        order = np.argsort(-found, kind="stable")[:top] if self.classifies else np.arange(len(found))
        return Answer(str(photo), [(self.names[i], float(found[i])) for i in order])


def photo_input(photo: str | Path, settings: dict[str, Any]) -> np.ndarray:
    """Return the input that a photo becomes.

    Args:
        photo: File of any format that Pillow reads.
        settings: Content of ``preprocess.json``.

    Returns:
        float32, shape (1, channels, height, width); uint8, shape (1, height, width, channels) and of the photo's own
        size, where resizing, cropping and scaling are inside the model.
    """
    if settings["inside"]:
        pixels = read_photo(photo, settings["mode"], None, settings["white"], draft=settings["draft"])
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))[None]
    pixels = read_photo(
        photo, settings["mode"], tuple(settings["size"]), settings["white"], settings["resize"], settings["draft"],
        settings["fit"],
    )  # fmt: skip
    return scaled(pixels, settings["levels"])[None]


def scaled(pixels: np.ndarray, levels: float) -> np.ndarray:
    """Return pixels as float32 in [0, 1], brought to as many levels above black as the training data have."""
    if levels != 255:
        pixels = np.rint(pixels * (levels / 255.0))
    return pixels.astype(np.float32) / np.float32(levels)


def find_photos(names: Iterable[str | Path]) -> list[Path]:
    """Return photos by name; of a folder all images below it, in order.

    Raises:
        ValueError: There are none.
    """
    from PIL import Image

    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    found: list[Path] = []
    for path in map(Path, names):
        if not path.is_dir():
            found.append(path)
            continue
        held = sorted(p for p in path.rglob("*") if p.suffix.lower() in endings and not p.name.startswith("."))
        if not held:
            raise ValueError(f"Expected photos in the folder {path}, found none: name another")
        found += held
    if not found:
        raise ValueError("Expected photos, got none: name files or folders")
    return found


def answer_line(answer: Answer) -> str:
    """Return a photo with its classes and probabilities, or targets and values, as one line."""
    return f"{answer.photo}  " + ", ".join(f"{name} {number:.4g}" for name, number in answer.pairs)


def answers_csv(answers: Sequence[Answer], model: PhotoModel, top: int) -> str:
    """Return answers as CSV: a row for each photo, those that could not be read with the reason."""
    if model.classifies:
        width = min(top, len(model.names))
        heading = [f"{word}_{rank}" for rank in range(1, width + 1) for word in ("class", "probability")]
        rows = [[cell for pair in answer.pairs for cell in pair] for answer in answers]
    else:
        heading = list(model.names)
        rows = [[number for _, number in answer.pairs] for answer in answers]
    blank = [None] * len(heading)
    return to_csv([
        ("photo", *heading, "error"),
        *((one.photo, *(row or blank), one.error or None) for one, row in zip(answers, rows)),  # noqa: B905  # Python 3.8
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the model beside this file says of photos; return the exit code."""
    parser = argparse.ArgumentParser(description="Classes or values of photos.")
    parser.add_argument("photos", nargs="+", help="image files, or folders of them")
    parser.add_argument("--top", type=int, default=3, help="classes that are shown of each photo")
    parser.add_argument("--csv", type=Path, help="write all answers into this file, too")
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("model.onnx"))
    given = parser.parse_args(arguments)
    if given.top < 1:
        parser.error("expected --top of 1 or more")
    try:
        model = PhotoModel.load(given.model)
        photos = find_photos(given.photos)
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    answers = []
    for photo in photos:
        answers.append(model.answer(photo, given.top))
        if answers[-1].error:
            print(f"Skipped {photo}: {answers[-1].error}", file=sys.stderr)
        else:
            print(answer_line(answers[-1]))
    if given.csv is not None:
        given.csv.write_text(answers_csv(answers, model, given.top), encoding="utf-8")
    return 3 if any(answer.error for answer in answers) else 0


if __name__ == "__main__":
    sys.exit(main())
