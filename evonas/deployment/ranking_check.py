"""Outcome of a check by full trainings: how well what the search ranked by orders trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from evonas.pareto.agreement import Agreement, measure_agreement
from evonas.pareto.improvement import relative_improvement

__all__ = ["RankedNetwork", "RankingCheck"]


@dataclass(frozen=True)
class RankedNetwork:
    """A network that was trained to see how it was ranked.

    Attributes:
        architecture: Canonical text.
        member: Whether it is of the front; else it is random.
        flops: Its FLOPs.
        estimate: What the search ranks by; None: it could not be estimated.
        trained: Test accuracy, or another task's measure, after training to the end; None: not trained yet.
    """

    architecture: str
    member: bool
    flops: float
    estimate: float | None
    trained: float | None = None

    def with_trained(self, value: float) -> RankedNetwork:
        """Return it with what its training gave."""
        return replace(self, trained=value)


@dataclass(frozen=True)
class RankingCheck:
    """Trained members and random architectures of equal FLOPs.

    Attributes:
        objective: What was estimated.
        direction: Which of its values are better, ``max`` or ``min``.
        test_images: Images that trained networks were measured on.
        how: How they were trained, in words.
        networks: Members first; number i of the random ones is the partner of member i.
    """

    objective: str
    direction: str
    test_images: int
    how: str
    networks: tuple[RankedNetwork, ...]

    def agreement(self, of: str = "estimate", *, members: bool = False) -> Agreement:
        """Return Kendall's tau of the estimate, or of ``flops``, with what was trained, more is better in both.

        Args:
            of: ``estimate`` or ``flops``.
            members: Of members alone.
        """
        kept = [one for one in self.networks if one.trained is not None and (one.member or not members)]
        sign = 1.0 if self.direction == "max" else -1.0
        column = np.array([np.nan if (value := getattr(one, of)) is None else value for one in kept], dtype=float)
        trained = np.array([one.trained for one in kept], dtype=float)
        return measure_agreement(column * (sign if of == "estimate" else 1.0), sign * trained)

    def agreements(self) -> dict[str, Any]:
        """Return all agreements as JSON holds them: over all, of members alone, and that of FLOPs."""
        found = {
            self.objective: self.agreement(),
            f"{self.objective} of members": self.agreement(members=True),
            "flops": self.agreement("flops"),
        }
        return {name: asdict(one) for name, one in found.items()}

    def summary(self) -> list[str]:
        """Return what the trainings say, as lines for people."""
        half = len(self.networks) // 2
        lines = [
            f"{half} members and {half} random architectures of equal FLOPs were trained to the end ({self.how}; "
            f"{self.test_images:,} test images).",
            f"Kendall's tau of {self.objective} with what was trained (95 % interval): {_words(self.agreement())}; of "
            f"members alone {_words(self.agreement(members=True))}. FLOPs: {_words(self.agreement('flops'))}.",
        ]
        both = self.agreement()
        if both.tau is not None and not both.beats_chance:
            more = f"about {both.needed} would show it" if both.needed else "more may show otherwise"
            lines.append(f"So the order by {self.objective} is not shown to beat chance; {more}.")
        ours, theirs = self._sides()
        if self.direction == "max" and len(ours) and np.mean(theirs) > 0:
            ri = relative_improvement(ours, theirs)
            mean = (
                f"{100 * np.mean(ours):.2f} % against {100 * np.mean(theirs):.2f} %"
                if self._shares
                else (f"{np.mean(ours):.4g} against {np.mean(theirs):.4g}")
            )
            lines.append(
                f"Members trained to {mean} of random ones: {ri.value:+.1f} % ({ri.confidence:.0%} interval "
                f"{ri.low:+.1f} to {ri.high:+.1f} %)."
            )
        gap = max((abs(a.flops / b.flops - 1) for a, b in self._pairs()), default=0.0)
        lines.append(f"The FLOPs of a pair differ by {gap:.1%} at most.")
        return lines

    @property
    def _shares(self) -> bool:
        return self.objective == "acc"

    def _pairs(self) -> Sequence[tuple[RankedNetwork, RankedNetwork]]:
        half = len(self.networks) // 2
        return list(zip(self.networks[:half], self.networks[half:], strict=True))

    def _sides(self) -> tuple[list[float], list[float]]:
        """Return what members and random architectures were trained to."""
        members, random = (
            [one.trained for one in self.networks if one.member is side and one.trained is not None]
            for side in (True, False)
        )
        return members, random


def _words(one: Agreement) -> str:
    if one.tau is None or one.low is None or one.high is None:
        return "not known"
    return f"{one.tau:.2f} ({one.low:.2f} to {one.high:.2f})"
