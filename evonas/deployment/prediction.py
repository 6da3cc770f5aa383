"""Prediction: what a model says of photos, be it a deployed folder, an ONNX file, trained weights or a run's member."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from evonas.deployment.deployment import MODEL
from evonas.deployment.model import NETWORK, PREPROCESS, load_model
from evonas.deployment.predict_alone import Answer, PhotoModel, answer_line, answers_csv, find_photos
from evonas.deployment.trained import trained_models
from evonas.errors import ExportError, RunError, SettingsError, require
from evonas.files.progress import Progress, Silent
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import choose
from evonas.runs.training_record import WEIGHTS
from evonas.spaces import load_space

__all__ = ["Predictions", "load_photo_model", "predict"]


class Predictions(list[Answer]):
    """Answers of a model, one for each photo in order.

    Attributes:
        model: The model.
        top: Classes that each answer holds at most.
    """

    def __init__(self, answers: Iterable[Answer], model: PhotoModel, top: int) -> None:
        super().__init__(answers)
        self.model, self.top = model, top

    @property
    def skipped(self) -> list[Answer]:
        """Photos that could not be read."""
        return [answer for answer in self if answer.error]

    def lines(self) -> list[str]:
        """Photos with classes and probabilities, or targets and values, a line each."""
        return [answer_line(answer) for answer in self if not answer.error]

    def to_csv(self) -> str:
        """Answers as CSV, photos that could not be read among them with the reason."""
        return answers_csv(self, self.model, self.top)


def predict(
    model: str | Path | Run,
    photos: str | Path | Sequence[str | Path],
    *,
    select: str = "knee",
    top: int = 3,
    progress: Progress | None = None,
) -> Predictions:
    """Classes with probabilities, or values of continuous targets in their units, of photos.

    Photos become the network's input exactly as the data that it was trained on were read.

    Args:
        model: Folder that `deploy` or `train_members` wrote, an ONNX file that `deploy` wrote, or a run.
        photos: Image files, and folders of them.
        select: The member of a run, as `choose` takes it: its latest deployed model, else its trained weights.
        top: Classes in each answer, 1 or more.
        progress: Shows how far it is.

    Returns:
        One answer for each photo; one that could not be read has an ``error`` and nothing else.

    Raises:
        EvonasError: No model there, one that says not what a photo becomes or reads no photos, or no photos.
        MissingExtraError: Pillow is not installed.
    """
    require("PIL.Image", "data")
    if top < 1:
        raise SettingsError(f"Expected --top of 1 or more, got {top}")
    opened = load_photo_model(model, select)
    try:
        found = find_photos([photos] if isinstance(photos, str | Path) else photos)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    answers = []
    with (progress or Silent()).task("Reading photos", len(found)) as task:
        for photo in found:
            answers.append(opened.answer(photo, top))
            task.advance(1)
    return Predictions(answers, opened, top)


def load_photo_model(model: str | Path | Run, select: str = "knee") -> PhotoModel:
    """Open a model that takes photos.

    Args:
        model, select: See `predict`.

    Raises:
        ExportError: No model there, or one that photos cannot be given to.
        RunError: A damaged folder, or a run whose member was neither deployed nor trained.
    """
    if isinstance(model, Run):
        return _of_member(model, select)
    path = Path(model)
    try:
        if path.is_file():
            return PhotoModel.load(path)
        if (path / MODEL).is_file():
            return PhotoModel.load(path / MODEL)
    except ValueError as error:
        raise ExportError(str(error)) from None
    if (path / WEIGHTS).is_file():
        return _of_weights(path)
    if not path.is_dir():
        raise ExportError(f"Expected a model's folder, an ONNX file or a run at {path}, found nothing: check the path")
    with Run.open(path) as run:
        return _of_member(run, select)


def _of_member(run: Run, select: str) -> PhotoModel:
    """Return the model of a run's member: deployed last, else trained last.

    Raises:
        RunError: Neither deployed nor trained; or one of its deployments is damaged.
    """
    choice = choose(read_front(run), load_space(run.settings["space"]), select)
    cards: list[tuple[str, Path]] = []
    for file in (run.path / "models").glob(f"{choice.key}-*/card.json"):
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
            same, made = card["architecture"]["text"] == choice.text, str(card.get("made", ""))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{file} is damaged ({error!r:.80}): deploy it again, or remove its folder") from None
        if same and (file.parent / MODEL).is_file():
            cards.append((made, file))
    if cards:
        return load_photo_model(max(cards)[1].parent)
    if trained := next(iter(trained_models(run, choice)), None):
        return _of_weights(trained.folder)
    raise RunError(
        f"{select:.60} of {run.path} was neither deployed nor trained: run  evonas train {shlex.quote(str(run.path))} "
        f"--select {shlex.quote(select)}  first"
    )


def _of_weights(folder: Path) -> PhotoModel:
    """Return a network with its weights, run by torch.

    Raises:
        RunError: A damaged folder, or one of a version that did not say what a photo becomes.
    """
    import torch

    network = load_model(folder, unit_input=True)
    try:
        settings = json.loads((folder / PREPROCESS).read_text(encoding="utf-8"))
        content = tomllib.loads((folder / NETWORK).read_text(encoding="utf-8-sig"))

        def run(images: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                outputs: np.ndarray = network(torch.from_numpy(images)).numpy()
            return outputs

        return PhotoModel(run, content["classes"], settings, "targets" not in content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        cause = getattr(error, "strerror", None) or error
        raise RunError(
            f"Cannot read what a photo becomes in {folder / PREPROCESS} ({cause}): train or deploy it again"
        ) from None
