"""Training on the new path and on an archive of diverse ones (Zhang et al. 2020, CVPR, "Overcoming multi-model
forgetting in one-shot NAS with diversity maximization")."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evonas.errors import SettingsError
from evonas.spaces import Path
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.uniform import Uniform

TRIES = 10
"""Samples, the most novel of which takes a free row of the archive; also the neighbors that novelty counts."""


class NSAS(Uniform):
    """Novelty-search-based architecture selection: each update also trains members of an archive.

    With a the new path, the loss of an update is ``0.2 L(a) + 0.4 L(m_r) + 0.4 L(m_d)``, m_r a random and m_d a diverse
    member of the archive, all three with gradients: the form of the authors' NAS-Bench-201 notebooks (Zhang et al.
    2020; in their CIFAR scripts no gradient flows from the archive). The distance of two paths is the share of slots
    whose options differ. The diverse member is here the one farthest from the new path, the random one any other. Then
    the member most similar to the new path gives way to the most novel of those drawn lately, novelty being the mean
    distance to the nearest members that stay.

    Args:
        context: What it trains.
        archive: Members M, at least 2.
        recent: Architectures drawn lately among which a new member is chosen, at least 1.
        weights: Factors of the three losses.

    Raises:
        SettingsError: A number is too small.
    """

    def __init__(
        self,
        context: RuleContext,
        *,
        archive: int = 8,
        recent: int = 50,
        weights: tuple[float, float, float] = (0.2, 0.4, 0.4),
    ) -> None:
        super().__init__(context)
        if archive < 2 or recent < 1:
            raise SettingsError(f"Expected an archive of at least 2 and at least 1 recent, got {archive} and {recent}")
        self._size = archive
        self._weights = weights
        self.archive: list[Pass] = []
        self.recent: deque[Pass] = deque(maxlen=recent)

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return the new pass, a random member's and a diverse member's."""
        while len(self.archive) < self._size:
            self.archive.append(self._most_novel([self._context.draw(rng) for _ in range(TRIES)], self.archive))
        new = self._context.draw(rng)
        far = [distance(new.path, member.path) for member in self.archive]
        diverse = int(np.argmax(far))
        others = [member for index, member in enumerate(self.archive) if index != diverse]
        drawn = [new, others[int(rng.integers(len(others)))], self.archive[diverse]]
        self.recent.append(new)
        del self.archive[int(np.argmin(far))]
        self.archive.append(self._most_novel(self.recent, self.archive))
        return [replace(one, weight=weight) for one, weight in zip(drawn, self._weights, strict=True)]

    @staticmethod
    def _most_novel(candidates: Sequence[Pass], members: Sequence[Pass]) -> Pass:
        def novelty(one: Pass) -> float:  # sums rank as means do: all have the same members
            return sum(sorted(distance(one.path, member.path) for member in members)[:TRIES])

        return max(candidates, key=novelty)

    def state_dict(self) -> dict[str, Any]:
        """Return the texts of the archive and of what was drawn lately."""
        return {"archive": list(map(str, self.archive)), "recent": list(map(str, self.recent))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over both."""
        self.archive = [self._context.revive(text) for text in state["archive"]]
        self.recent.clear()
        self.recent.extend(self._context.revive(text) for text in state["recent"])


def distance(first: Path, second: Path) -> float:
    """Return the share of slots whose options differ, in [0, 1]; slots of the longer path count."""
    return 1.0 - len(set(first) & set(second)) / max(len(first), len(second), 1)
