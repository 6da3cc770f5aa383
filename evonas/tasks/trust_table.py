"""Table of trust in a deployed classifier, in words: rows and sentences that its card and the report share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["calibration_rows", "limits_of_trust", "robust_rows", "temperature_sentence"]


def calibration_rows(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return title, value before and value after a temperature of each measure, intervals in brackets.

    Args:
        content: What ``card.json`` holds under ``trust`` and ``calibration``.
    """
    return [(row["title"], _with_interval(row["before"]), _with_interval(row["after"])) for row in content["rows"]]


def robust_rows(content: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return name, share of images, its interval and what it was put to, of each row of what was withstood.

    Args:
        content: What ``card.json`` holds under ``trust``.
    """
    return [
        (
            row["text"],
            f"{100 * row['value']:.1f} %",
            f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %",
            row["through"],
        )
        for row in content["withstood"]
    ]


def _with_interval(one: Mapping[str, Any]) -> str:
    interval = "" if one["low"] is None else f" ({one['low']:.4f} to {one['high']:.4f})"
    return f"{one['value']:.4f}{interval}"


def temperature_sentence(content: Mapping[str, Any]) -> str:
    """Return what temperature was fitted on what, and whether the file has it."""
    if content["temperature"] is None:
        return (
            "After: at a temperature that was fitted on the other half of the test images, as no validation image was "
            "left out of the training; the file has none."
        )
    held = "the file divides its logits by it" if content["folded"] else "the file does not have it (--calibrate)"
    return (
        f"After: at the temperature {content['temperature']:.4g}, fitted on {content['fitted_on']:,} validation images "
        f"that were not trained on; {held}. It changes no answer."
    )


def limits_of_trust(content: Mapping[str, Any]) -> list[str]:
    """Return in plain words what the tables mean and what they do not."""
    rows = content["withstood"]
    ece = next(row for row in content["calibration"]["rows"] if row["name"] == "ece")
    side = "after" if content["calibration"]["folded"] else "before"
    lines = [
        f"Where the file says how sure it is, it is off by {100 * ece[side]['value']:.1f} points on average, on images "
        "like the test part's; on others it may be surer than it should be.",
        *content["masking"],
    ]
    if content["calibration"]["absent"]:
        names = ", ".join(content["calibration"]["absent"][:10])
        lines.append(f"No test image is of {names}: measures of each class say nothing of these.")
    if any(not row["name"].startswith("corruption") for row in rows[1:]):
        lines.append(
            "An attack shows what can be turned, never what cannot: a stronger one, or one of another kind, may turn "
            "more. Figures hold for the size of change that is named and no larger one."
        )
    else:
        lines.append("No attack was tried: deploy with --trust standard to see what turns its answers.")
    better = [row for row in rows[1:] if row["value"] > rows[0]["value"]]
    return lines + [
        f"With '{row['text']}' it does better than on images as they are ({100 * row['value']:.1f} against "
        f"{100 * rows[0]['value']:.1f} %): chance, or images that suit it better."
        for row in better
    ]
