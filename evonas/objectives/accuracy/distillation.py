"""Distillation as settings name it: what short trainings imitate, of which teacher, and with which weight."""

from __future__ import annotations

from evonas.errors import SettingsError

__all__ = ["LARGEST", "read_distillation"]

LARGEST = "largest"
"""Name of the teacher that is trained here."""
KINDS = {"logits": "outputs", "nst": "features"}
"""What is distilled, and what of a teacher is imitated then."""
SHARE = 0.5
"""Weight of the teacher where none is given; the labels have the rest."""


def read_distillation(text: str) -> tuple[str, float] | None:
    """Return what of a teacher is imitated and with which weight; None: nothing is.

    Args:
        text: ``none``, ``logits`` or ``nst``, the last two with an optional weight behind a colon, such as
            ``logits:0.7``; a weight of 0 is none.

    Raises:
        SettingsError: None of these.
    """
    kind, _, number = text.partition(":")
    if text == "none":
        return None
    try:
        share = float(number) if number else SHARE
    except ValueError:
        share = -1.0
    if kind not in KINDS or not 0 <= share <= 1:
        raise SettingsError(
            "Expected a distillation none, logits or nst, perhaps with the teacher's weight in 0 to 1 such as "
            f"logits:0.7, got '{text}'"
        )
    return (KINDS[kind], share) if share else None
