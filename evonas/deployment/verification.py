"""Verification of a run: numbers of its members as noted and as measured again, and their summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Verification", "VerifiedNumber"]


@dataclass(frozen=True)
class VerifiedNumber:
    """One number of one member, as noted and as measured again.

    Attributes:
        index: The member's number on the front, or None where it is not on it.
        architecture: Canonical text.
        name: Its name, such as ``acc_report`` or ``latency_measured``.
        before: As noted.
        now: As measured again; NaN where that failed.
        noise: By how much it may differ, in its own unit; 0: not at all.
        by: Where it and its noise come from now, in words.
    """

    index: int | None
    architecture: str
    name: str
    before: float
    now: float
    noise: float
    by: str

    @property
    def moved(self) -> bool:
        """Whether it differs by more than its noise."""
        return not abs(self.now - self.before) <= self.noise


class Verification(list[VerifiedNumber]):
    """Numbers that were measured again, and the known ones that were not.

    Attributes:
        skipped: Name -> why it was not measured again.
    """

    def __init__(self, numbers: Iterable[VerifiedNumber] = (), skipped: Mapping[str, str] | None = None) -> None:
        super().__init__(numbers)
        self.skipped = dict(skipped or {})

    @property
    def moved(self) -> list[VerifiedNumber]:
        """Numbers that differ by more than their noise."""
        return [number for number in self if number.moved]

    def summary(self) -> list[str]:
        """Return what moved, how much held, and where the numbers come from, as lines for people."""
        moved = self.moved
        lines = []
        for name in dict.fromkeys(number.name for number in moved):
            found = [n.index for n in moved if n.name == name]
            members = ", ".join("?" if index is None else str(index) for index in found)
            of = "" if all(index is None for index in found) else f" of {members}"
            lines.append(f"Moved by more than its noise: {name}{of}")
        lines.append(f"{len(self) - len(moved)} of {len(self)} numbers hold within their noise.")
        for name, by in {number.name: number.by for number in self}.items():
            noisy = any(number.noise for number in self if number.name == name)
            lines.append(f"  {name}: {by}" + ("" if noisy else "; no noise"))
        return lines + [f"  {name} was not measured: {why}" for name, why in self.skipped.items()]
