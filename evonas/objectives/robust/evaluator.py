"""Robust accuracy of candidates: by shared weights, or after a short training of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from evonas.data import Dataset, Part
from evonas.data.part import PartName
from evonas.errors import SettingsError
from evonas.networks.unit_input import UnitInput
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.objectives.robust.contract import Perturbation
from evonas.objectives.robust.corruption import Corruption
from evonas.objectives.robust.names import read_robust, robust_objective
from evonas.spaces import Architecture, Candidate
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.tasks import make_task

__all__ = ["ROBUST_IMAGES", "RobustEvaluator", "robust_accuracy", "unit_images"]

ROBUST_IMAGES = 512
"""Images of a part that a search reads robustness on, the first of it: any prefix of a part is nearly stratified.
An attack of three steps costs about ten times what a clean reading of as many images costs."""


class RobustEvaluator(Evaluator):
    """Share of images of a part that is still classified as labeled when images are changed.

    Changes are of values in [0, 1], before normalization, which is inside the network that is attacked; batch norms
    are estimated for every path on unchanged images. The same random numbers meet every candidate.

    Args:
        context: Data of classes, and a trained supernet.
        name: Such as ``robust:pgd@4/255x10``.
        part: ``"search"``, or ``"report"`` for reports.
        network: Makes a candidate's network on normalized images, in evaluation mode; None: the supernet's path.
        identity: What stands for that in the fingerprint.

    Raises:
        SettingsError: No data, no supernet, or data that have no classes.
        MissingExtraError: What it needs is not installed.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        part: PartName = "search",
        network: Callable[[Architecture], nn.Module] | None = None,
        identity: str = "",
    ) -> None:
        if context.data is None or (context.supernet is None and network is None):
            raise SettingsError(f"The objective '{name}' needs data and a trained supernet, got neither or one")
        refuse_without_classes(context.data, name)
        self.perturbation = read_robust(name, context.options.get("corruptions", ()))
        self.perturbation.check_installed()
        self.objectives = (robust_objective(name),)
        self._progress = context.progress
        self._data, self._part, self._seed = context.data, context.data.part(part), context.seed
        self.fingerprint = fingerprint(
            "robust", 1, repr(self.perturbation), part, identity or context.supernet_fingerprint,
            context.data.fingerprint, context.seed, context.threads, ROBUST_IMAGES,
        )  # fmt: skip
        self._sized = network is None
        if network is None:
            assert context.supernet is not None
            few = Part(self._part.images[:1], self._part.labels[:1])  # paths are prepared here, and read elsewhere
            network = PathEvaluator(
                context.supernet, context.data, few, norm_images=NORM_IMAGES, task=make_task(context.data)
            ).prepare
        self._network = network

    def prepare(self) -> None:
        """Say which kinds of corruption do nothing to images of this size, or the same as others."""
        if isinstance(self.perturbation, Corruption):
            pixels, _ = unit_images(self._part, self._data, ROBUST_IMAGES)
            for note in self.perturbation.notes(pixels):
                self._progress.say(f"{self.objectives[0].name}: {note}")

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the robust accuracy of each candidate's network, in [0, 1]."""
        return one_by_one(self.objectives, candidates, self._values, sized=self._sized)

    def _values(self, architecture: Architecture) -> dict[str, float]:
        network, data = self._network(architecture), self._data
        model = UnitInput(network, data.mean, data.std, resolution=architecture.resolution).to(data.device).eval()
        value = robust_accuracy(self.perturbation, model, self._part, data, seed=self._seed, images=ROBUST_IMAGES)
        return {self.objectives[0].name: value}


def robust_accuracy(
    perturbation: Perturbation, model: nn.Module, part: Part, data: Dataset, *, seed: int, images: int | None = None
) -> float:
    """Return the mean of what survives of a part's images.

    Args:
        perturbation: What images suffer.
        model: Takes images in [0, 1]; in evaluation mode.
        part: Images with their labels.
        data: The data set that it is of.
        seed: Of everything random.
        images: How many, the first of the part; None: all.
    """
    pixels, labels = unit_images(part, data, images)
    return float(perturbation.survivors(model, pixels, labels, seed=seed).double().mean())


def unit_images(part: Part, data: Dataset, images: int | None = None) -> tuple[Tensor, Tensor]:
    """Return images of a part with values in [0, 1], and their labels.

    Args:
        part: A part of the data.
        data: The data set.
        images: How many, the first of the part; None: all.
    """
    pixels = part.images[:images].float() / data.scale
    return pixels.to(data.device), part.labels[: len(pixels)].to(data.device)


def refuse_without_classes(data: Dataset, name: str) -> None:
    """Refuse data whose labels are no classes.

    Raises:
        SettingsError: They are not.
    """
    task = make_task(data)
    if task.head.answer != "class":
        raise SettingsError(
            f"The objective '{name}' is for classification, but '{data.name}' is for {task.title}: leave it out"
        )
