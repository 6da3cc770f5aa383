"""Figure of a training: loss, and the measure in training and on held-out images, by epoch."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from evonas.errors import require
from evonas.report.draw import CHOSEN, FRONT, INK, SOFT

__all__ = ["plot_training"]


def plot_training(record: Mapping[str, Any], *, dpi: int = 140) -> bytes:
    """Draw the epochs of a training, the one whose weights are kept marked.

    Args:
        record: Content of its ``training.json``.
        dpi: Pixels per inch.

    Returns:
        A PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = require("matplotlib.figure", "report").Figure(figsize=(7.6, 3.4), dpi=dpi, layout="constrained")
    history = record["history"]
    epochs = [one["epoch"] for one in history]
    loss, measure = figure.subplots(1, 2)
    loss.plot(epochs, [one["loss"] for one in history], color=FRONT)
    loss.set_title("loss in training", color=INK, fontsize=10, loc="left")
    name = record["accuracy"].get("measure", "accuracy")
    measure.plot(epochs, [one["metric"] for one in history], color=FRONT, label="in training")
    if all("held_out" in one for one in history):
        measure.plot(
            epochs,
            [one["held_out"] for one in history],
            color=CHOSEN,
            label=f"on {record['held_out']:,} held-out images",
        )
        best = record["best_epoch"]
        measure.plot([best], [history[best - 1]["held_out"]], "o", color=CHOSEN, label=f"kept: epoch {best}")
        measure.legend(fontsize=8, frameon=False)
    measure.set_title(name, color=INK, fontsize=10, loc="left")
    for axes in (loss, measure):
        axes.set_xlabel("epoch", color=SOFT, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()
