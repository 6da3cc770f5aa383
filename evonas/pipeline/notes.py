"""Notes in a run's manifest on how its evaluations went and what their estimates rest on."""

from __future__ import annotations

from dataclasses import asdict

from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.ranked import RankedEvaluator
from evonas.runs.run import Run

__all__ = ["note_efficiency", "note_weights"]

LITTLE_WEIGHT = 0.1
"""Share of the estimate of accuracy below which shared weights count so little that it is said."""


def note_efficiency(run: Run, engine: LocalEngine, workers: int, progress: Progress) -> None:
    """Say how much of the workers' time was spent on evaluations."""
    if engine.efficiency is None:
        return
    progress.say(f"{workers} workers: parallel efficiency {engine.efficiency:.0%}")
    run.update_manifest(engine={"workers": workers, "parallel_efficiency": round(engine.efficiency, 4)})


def note_weights(run: Run, engine: LocalEngine, progress: Progress) -> None:
    """Say what the default estimate of accuracy counts, where anything was estimated."""
    evaluator = engine.evaluators.get("acc")
    if isinstance(evaluator, RankedEvaluator):
        note_trust(run, evaluator)
    if not engine.computed or not isinstance(evaluator, AccuracyEvaluator) or evaluator.weights is None:
        return
    weights = {name: round(weight, 4) for name, weight in evaluator.weights.items()}
    run.update_manifest(acc_weights=weights)
    if (shared := weights["shared weights"]) < LITTLE_WEIGHT:
        progress.say(
            f"Shared weights disagree with FLOPs and SWAP and count {shared:.0%} of acc: more --epochs may help"
        )


def note_trust(run: Run, evaluator: RankedEvaluator) -> None:
    """Write down how far to trust predicted accuracy: how well it and each signal order the anchors."""
    if "acc_trust" in run.manifest:
        return  # what it rests on does not change, and reading it again takes a while
    calibration = evaluator.calibration
    run.update_manifest(
        acc_trust={
            "agreement": {name: asdict(one) for name, one in evaluator.agreements().items()},
            "anchors": len(evaluator.anchors.known),
            "top": int(evaluator.anchors.top.sum()),
            "weights": {name: round(weight, 4) for name, weight in evaluator.ranker.weights.items()},
            "calibrated": evaluator.calibrated,
            "error": None if calibration is None else calibration.error,
            "noise": None if calibration is None else calibration.noise,
        }
    )
