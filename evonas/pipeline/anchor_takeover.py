"""Takeover of anchors: the trainings of another run of equal fingerprint, copied into this one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from evonas.errors import SettingsError
from evonas.objectives.accuracy.anchor import anchor_name
from evonas.pipeline.context import ANCHORS_FOLDER
from evonas.runs.run import Run
from evonas.training.pyramid import Pyramid

__all__ = ["take_over_anchors"]


def take_over_anchors(source: str, run: Run, pyramid: Pyramid, fingerprints: Mapping[str, str]) -> list[str]:
    """Take over what another run has trained of equal fingerprint; return these candidates in their order.

    Args:
        source: The other run.
        run: Where results and weights are copied to.
        pyramid: Enters and records what was taken over.
        fingerprints: Of the evaluator of each level, by the level's name.

    Raises:
        SettingsError: The other run holds none of this kind.
    """

    def copy() -> list[str]:
        with Run.open(source) as other:
            rows = [row for row in other.store.evaluations() if fingerprints.get(row.objective) == row.fingerprint]
            everything = sum(row.objective.startswith("anchor@") for row in other.store.evaluations())
        if not rows:
            raise SettingsError(
                f"None of the {everything} trainings of anchors in {source} is of this search's kind: data, seed, "
                "space, skeleton, threads, --anchor-epochs, --distillation and --teacher must be the same"
            )
        run.store.record(rows)
        for file in sorted((Path(source) / ANCHORS_FOLDER).glob("*.safetensors")):
            target = run.path / ANCHORS_FOLDER / file.name
            target.parent.mkdir(exist_ok=True)
            if not target.exists():
                shutil.copyfile(file, target)
        return list(dict.fromkeys(row.architecture for row in rows))

    taken: list[str] = run.store.decide("anchors taken over", copy)
    for key in pyramid.enter(taken):
        for level, epochs in enumerate(pyramid.ladder.epochs):
            name = anchor_name(epochs)
            row = run.store.lookup([key], name, fingerprints[name]).get(key)
            if row is None or len(pyramid.values[key]) < level or key in pyramid.failed:
                break
            pyramid.record(key, row.value, row.cause)
    return taken
