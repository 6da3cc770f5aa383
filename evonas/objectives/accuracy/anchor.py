"""Anchors: accuracies of candidates that are trained for real, stand-alone, to one level of a ladder of epochs."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.networks import Network, build
from evonas.objectives.accuracy.distillation import LARGEST, read_distillation
from evonas.objectives.accuracy.teacher import make_teacher
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate
from evonas.tasks import find_measure, make_task
from evonas.training import load_recipe, read_checkpoint
from evonas.training.evaluate import evaluate
from evonas.training.ladder import Ladder
from evonas.training.train import train

__all__ = ["AnchorEvaluator", "AnchorInterrupted", "anchor_name", "read_anchor_name"]

RECIPE = "anchor"


def anchor_name(epochs: int) -> str:
    """Return the name of the objective that a training of so many epochs is stored under."""
    return f"anchor@{epochs}"


def read_anchor_name(name: str) -> int | None:
    """Return the epochs in the name of such an objective; None of another's."""
    match = re.fullmatch(r"anchor@([1-9]\d{0,5})", name)
    return None if match is None else int(match[1])


class AnchorInterrupted(BaseException):
    """Raised within a training whose time is over; no error, so that nothing takes it for a failed evaluation."""


class AnchorEvaluator(Evaluator):
    """The task's primary measure after some epochs of a stand-alone training on the part `train`, read on `search`.

    A training pauses at each level of a ladder and goes on to the next bit for bit (`evonas.training.train`). What it
    gives depends on settings and candidate alone: its seed follows from the run's and the architecture, and a
    checkpoint only saves time. One that diverges is a result with its cause.

    Args:
        context: Data; options ``ladder`` (epochs of its levels), ``distillation`` (see `read_distillation`),
            ``teacher`` (`LARGEST` or an ONNX file), ``anchor_folder``, where checkpoints are kept, and ``over``, which
            is asked after every update and ends a training by `AnchorInterrupted`.
        epochs: The level, one of the ladder's.

    Raises:
        SettingsError: No data, no such level, or a distillation that makes no sense.
    """

    def __init__(self, context: Context, epochs: int) -> None:
        if context.data is None:
            raise SettingsError("Anchors need data to train on, got none: give --data, or --anchors 0")
        levels = Ladder(tuple(context.options["ladder"])).epochs
        if epochs not in levels:
            raise SettingsError(f"Expected a level of {', '.join(map(str, levels))} epochs, got {epochs}")
        self._context, self._epochs, self._data = context, epochs, context.data.to(context.device)
        self._task = make_task(context.data)
        measure = find_measure(self._task, self._task.primary)
        self.objectives = (Objective(anchor_name(epochs), measure.unit, measure.direction),)
        distilled = read_distillation(str(context.options.get("distillation", "none")))
        self._teacher_name = str(context.options.get("teacher") or LARGEST) if distilled else None
        own = {"epochs": levels[-1], "warm_up": min(1, levels[-1] - 1)}
        self._plain = load_recipe(RECIPE, **own)
        self._recipe = self._plain
        if distilled:
            imitate, share = distilled
            self._recipe = load_recipe(RECIPE, **own, imitate=imitate, distillation=share, labels=1 - share)
        self._kind = fingerprint(
            "anchor", 1, self._recipe.model_dump(mode="json"), context.seed, context.data.fingerprint,
            context.space.content, context.skeleton, context.threads, self._identity(),
        )  # fmt: skip
        self.fingerprint = fingerprint(self._kind, epochs)

    def prepare(self) -> None:
        """Train or read the teacher, where there is one.

        Raises:
            EvonasError: It cannot be trained or read, or is for other classes.
        """
        self._teacher  # noqa: B018

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return what each candidate's training gave at the level."""
        return one_by_one(self.objectives, candidates, lambda form: {anchor_name(self._epochs): self._value(form)})

    def network(self, architecture: Architecture) -> Network:
        """Return the network as it was when its training paused last, averaged weights, from its checkpoint.

        Raises:
            EvaluationError: No checkpoint is kept of it.
        """
        path = self._checkpoint(architecture)
        if path is None or not path.is_file():
            raise EvaluationError(f"Expected a checkpoint of the anchor {architecture}, found none")
        network = self._fresh(architecture)
        tensors, _ = read_checkpoint(path)
        network.load_state_dict({n.partition("/")[2]: t for n, t in tensors.items() if n.startswith("average/")})
        return network

    def _value(self, architecture: Architecture) -> float:
        network, seed = self._fresh(architecture), self._seed(architecture)
        data = self._data.at(network.skeleton.resolution)
        path = self._checkpoint(architecture)
        if path is not None and path.is_file() and len(read_checkpoint(path)[1]["history"]) > self._epochs:
            path = None  # it stands higher already: what it was at this level is found again by training
        over: Callable[[], bool] = self._context.options.get("over", lambda: False)

        def check(done: int, steps: int, figures: Mapping[str, float]) -> None:
            if over():
                raise AnchorInterrupted

        train(
            network,
            data,
            self._recipe,
            seed=seed,
            device=self._context.device,
            progress=check,
            checkpoint=path,
            teacher=self._teacher,
            until=self._epochs,
        )
        return evaluate(network, data.search, data, task=self._task)[0]

    def _fresh(self, architecture: Architecture) -> Network:
        context = self._context
        return build(context.space, context.skeleton, architecture, seed=self._seed(architecture))

    def _seed(self, architecture: Architecture) -> int:
        return zlib.crc32(f"{self._context.seed} {architecture}".encode()) >> 3  # training makes several of one

    def _checkpoint(self, architecture: Architecture) -> Path | None:
        folder = self._context.options.get("anchor_folder")
        if folder is None:
            return None
        text = json.dumps([self._kind, str(architecture)])
        return Path(folder) / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"

    def _identity(self) -> str | None:
        """Return what stands for the teacher: a file's content, or a name, as its training follows from settings."""
        if self._teacher_name in (None, LARGEST):
            return self._teacher_name
        path = Path(str(self._teacher_name))
        if not path.is_file():
            raise SettingsError(f"Expected a teacher '{LARGEST}' or an ONNX file, got '{path}', which is no file")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    @cached_property
    def _teacher(self) -> nn.Module | None:
        if self._teacher_name is None:
            return None
        folder = self._context.options.get("anchor_folder")
        checkpoint = None if folder is None else Path(folder) / "teacher.safetensors"
        return make_teacher(self._context, self._data, self._teacher_name, self._plain, checkpoint)
