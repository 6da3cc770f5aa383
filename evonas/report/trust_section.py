"""Section of the report's page on how far to trust what was deployed: tables, and reliability diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas.report.drawing import Box, Drawing, Label, Shape, to_svg
from evonas.report.markup import table, text
from evonas.report.trainings import TrainingFigures
from evonas.tasks.trust_table import calibration_rows, limits_of_trust, robust_rows, temperature_sentence

__all__ = ["draw_reliability", "trust_section"]

SIDE, LEFT, TOP, BELOW = 220.0, 40.0, 26.0, 34.0
"""Pixels: of the diagram's square, and of what stands left of, above and below it."""


def trust_section(trainings: Sequence[TrainingFigures]) -> str:
    """Return the section; nothing where no classifier was deployed with a table of trust.

    Args:
        trainings: What was trained and deployed; damaged tables are left out.
    """
    parts = [part for one in trainings if (part := _deployed(one.folder, one.card.get("trust")))]
    if not parts:
        return ""
    return (
        "<section class='card' aria-labelledby='withstands'><h2 id='withstands'>How far to trust what was deployed</h2>"
        f"<div class='pair'>{''.join(parts)}</div></section>"
    )


def _deployed(folder: str, content: Any) -> str:
    """Return the tables and diagrams of one deployment; "" of a damaged card."""
    try:
        calibration = content["calibration"]
        rows = [(text_, share, interval) for text_, share, interval, _ in robust_rows(content)]
        diagrams = "".join(
            to_svg(draw_reliability(calibration["reliability"][side], title), alone=False)
            for side, title in (("before", "before a temperature"), ("after", "after a temperature"))
        )
        return (
            f"<div><h3>{text(folder)}</h3>"
            + table(
                f"On {content['withstood'][0]['images']:,} test images",
                ("what happens to the images", "right", "95 % interval"),
                rows,
            )
            + f"<div class='scroll'>{diagrams}</div>"
            + table(
                f"Confidence on {content['images']:,} test images",
                ("measure", "before", "after a temperature"),
                calibration_rows(calibration),
            )
            + f"<p class='small'>{text(temperature_sentence(calibration))}</p><ul class='small'>"
            + "".join(f"<li>{text(line)}</li>" for line in limits_of_trust(content))
            + "</ul></div>"
        )
    except (TypeError, KeyError, IndexError, ValueError, StopIteration):
        return ""


def draw_reliability(bins: Sequence[Mapping[str, float]], title: str) -> Drawing:
    """Draw a reliability diagram: bars of each bin's share of right answers, a dark line where its confidence is.

    Args:
        bins: With ``images``, ``confidence`` and ``accuracy``; bars stand at their confidence.
        title: What is drawn above it.
    """
    bottom, every = TOP + SIDE, max(1, sum(int(one["images"]) for one in bins))
    shapes: list[Shape] = [
        Label(LEFT + SIDE / 2, 14, title, size=12.0, bold=True, anchor="middle"),
        Box(LEFT, TOP, SIDE, SIDE, "edge", radius=0),
        Label(LEFT + SIDE / 2, bottom + 28, "confidence", "soft", 10.5, anchor="middle"),
    ]
    for share in (0.0, 0.5, 1.0):
        shapes.append(Label(LEFT - 6, bottom - SIDE * share + 4, f"{share:g}", "soft", 10.5, anchor="end"))
        shapes.append(Label(LEFT + SIDE * share, bottom + 14, f"{share:g}", "soft", 10.5, anchor="middle"))
    width = SIDE / 15 - 2
    for one in bins:
        confidence, accuracy = float(one["confidence"]), float(one["accuracy"])
        x = min(max(LEFT, LEFT + SIDE * confidence - width / 2), LEFT + SIDE - width)
        hint = f"{int(one['images']):,} images: confidence {confidence:.3f}, right {accuracy:.3f}"
        level = min(4, int(5 * int(one["images"]) / every))
        shapes.append(
            Box(x, bottom - SIDE * accuracy, width, max(1.0, SIDE * accuracy), f"level{level}", radius=0, hint=hint)
        )
        shapes.append(Box(x - 2, bottom - SIDE * confidence - 1, width + 4, 2, "output", radius=0, hint=hint))
    off = sum(int(one["images"]) * abs(one["accuracy"] - one["confidence"]) for one in bins) / every
    words = f"Reliability {title}: {len(bins)} bins, off by {off:.4f} on average; darker: more images"
    return Drawing(LEFT + SIDE + 16, bottom + BELOW, tuple(shapes), words)
