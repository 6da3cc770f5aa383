"""Accuracy by weight sharing: what the supernet says of a path."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.data import Part
from evonas.errors import SettingsError
from evonas.objectives.evaluator import Context, fingerprint, one_by_one
from evonas.objectives.objective import Objective, Result
from evonas.spaces import Architecture
from evonas.supernet import PathEvaluator

ACC = Objective("acc", "fraction of images", "max")


class AccuracyEvaluator:
    """Accuracy of a path with the supernet's weights on the validation half that the search selects on.

    Batch-norm statistics are estimated anew for every path; the result depends on nothing evaluated before.

    Args:
        context: Data, and a trained supernet.
        half: ``"select"``, or ``"judge"`` for reports.

    Raises:
        SettingsError: No supernet, or no data.
    """

    objectives = (ACC,)

    def __init__(self, context: Context, half: str = "select") -> None:
        if context.supernet is None or context.data is None:
            raise SettingsError("The objective 'acc' needs data and a trained supernet, got neither or one")
        part: Part = getattr(context.data, half)
        self._path = PathEvaluator(context.supernet, context.data, part, norm_images=512)
        self.fingerprint = fingerprint(
            "acc", 1, half, context.supernet_fingerprint, context.data.fingerprint, context.threads
        )

    def evaluate(self, architectures: Sequence[Architecture]) -> list[dict[str, Result]]:
        """Return the accuracy of each architecture's path, in [0, 1]."""
        return one_by_one(self.objectives, architectures, lambda a: {"acc": self._path(a).accuracy})
