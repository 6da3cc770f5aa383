"""Fidelity ladder: epochs e1 < e2 < ... of rising fidelity, and how many trainings climb from each to the next.

References:
    .. [Wang2021] Wang et al.: RANK-NOSH, Efficient Predictor-Based Architecture Search via Non-Uniform Successive
       Halving, ICCV 2021, arXiv 2108.08019.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from evonas.errors import SettingsError

__all__ = ["Ladder", "parse_levels"]


@dataclass(frozen=True)
class Ladder:
    """Levels of a non-uniform successive halving ([Wang2021]_ section 3.1).

    The best share of each level trains on to the next; the others pause and stay, with what they reached.

    Args:
        epochs: Epochs in all at each level, strictly rising, from 1.
        fraction: Share r of a level that climbs to the next, in (0, 1]; [Wang2021]_ finds 0.4 to 0.7 alike.

    Raises:
        SettingsError: No level, levels out of order, or a share out of range.
    """

    epochs: tuple[int, ...]
    fraction: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "epochs", tuple(self.epochs))
        steps = [later - before for before, later in zip((0, *self.epochs), self.epochs, strict=False)]
        if not steps or min(steps) < 1:
            raise SettingsError(
                f"Expected rising epochs of a ladder's levels such as 2,4,8, got {','.join(map(str, self.epochs))}: "
                "put them in order, each once"
            )
        if not 0 < self.fraction <= 1:
            raise SettingsError(
                f"Expected a share above 0 and of at most 1 that climbs a ladder, got {self.fraction}: 0.5 is usual"
            )

    @property
    def steps(self) -> tuple[int, ...]:
        """Epochs that each level adds to the one before."""
        return tuple(later - before for before, later in zip((0, *self.epochs), self.epochs, strict=False))

    def climbers(self, standing: int) -> int:
        """Return how many of a level climb: ``ceil(r n)``, r as its decimals are written."""
        return -(-standing * Fraction(str(self.fraction)) // 1)

    def sizes(self, pool: int) -> tuple[int, ...]:
        """Return how many reach each level at the start: n_1 = pool, n_{i+1} = ceil(r n_i)."""
        reached = [pool]
        for _ in self.epochs[1:]:
            reached.append(self.climbers(reached[-1]))
        return tuple(reached)

    def start_epochs(self, pool: int) -> int:
        """Return the epochs that a pool's start takes: the sum of n_i (e_i - e_{i-1}), e_0 = 0."""
        return sum(n * step for n, step in zip(self.sizes(pool), self.steps, strict=True))

    def round_epochs(self, proposals: int) -> int:
        """Return the epochs that a further round of K takes: K e_1 + sum_{i>=2} ceil(r K) (e_i - e_{i-1})."""
        return proposals * self.epochs[0] + self.climbers(proposals) * (self.epochs[-1] - self.epochs[0])

    def total_epochs(self, pool: int, rounds: Sequence[int] = ()) -> int:
        """Return the epochs of a start and of further rounds, where no training fails."""
        return self.start_epochs(pool) + sum(map(self.round_epochs, rounds))


def parse_levels(text: str) -> tuple[int, ...]:
    """Return the epochs of a ladder's levels such as ``2,6``.

    Raises:
        SettingsError: No whole numbers, or none that rise.
    """
    if not re.fullmatch(r"\s*\d{1,6}(\s*,\s*\d{1,6})*\s*", text):
        raise SettingsError(f"Expected rising epochs of levels such as 2,6, got '{text}'")
    return Ladder(tuple(int(number) for number in text.split(","))).epochs
