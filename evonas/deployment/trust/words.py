"""Trust in a deployed classifier: lines of a summary, and the card's section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.tasks.trust_table import calibration_rows, limits_of_trust, robust_rows, temperature_sentence

__all__ = ["trust_lines", "trust_markdown"]


def trust_lines(content: Mapping[str, Any]) -> list[str]:
    """Return calibration and what was withstood as lines of a summary."""
    _, before, after = calibration_rows(content["calibration"])[0]
    lines = [f"Confidence: ECE {before}, after a temperature {after}."]
    lines += [f"Right under {text}: {share} ({interval})." for text, share, interval, _ in robust_rows(content)[1:]]
    return [*lines, *content["masking"]]


def trust_markdown(content: Mapping[str, Any]) -> list[str]:
    """Return the card's section on trust, as lines."""
    calibration = content["calibration"]
    return [
        "## How far to trust its answers",
        "",
        f"On {content['withstood'][0]['images']:,} test images, shares still classified as labeled, with 95 % "
        "intervals:",
        "",
        "| what happens to the images | right | interval | put to |",
        "|---|---:|---:|---|",
        *(f"| {' | '.join(row)} |" for row in robust_rows(content)),
        "",
        f"Its confidence, on {content['images']:,} test images (95 % bootstrap intervals; 0 is best unless said):",
        "",
        "| measure | before | after a temperature |",
        "|---|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in calibration_rows(calibration)),
        "",
        temperature_sentence(calibration),
        "",
        *(f"- {line}" for line in limits_of_trust(content)),
        "",
    ]
