"""How the paths of a supernet's training are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError, suggest
from evonas.spaces import Architecture, Space
from evonas.supernet.rules.contract import draw_from

SAMPLINGS = {
    "choice": "every choice uniform",
    "size": "uniform over the space",
    "unique": "uniform over different architectures",
    "fair": "every option of a choice equally often",
    "warm": "by SWAP rank, mixed with every choice uniform",
}
"""Name -> what is drawn; `make_sampler` makes them."""
ATTEMPTS = 10_000
"""Draws of which one must be accepted: beyond, all but a few architectures of a space equal each other."""


class Sampler(Protocol):
    """Draws canonical architectures.

    One that remembers what it drew has `state_dict` and `load_state_dict` (values that JSON can hold), and the
    training's checkpoint keeps its state.
    """

    def __call__(self, rng: np.random.Generator, /) -> Architecture:
        """Return the next architecture."""
        ...


def make_sampler(name: str, space: Space, *, scored: tuple[Sequence[Architecture], ArrayLike] | None = None) -> Sampler:
    """Return a sampler by name.

    Args:
        name: One of `SAMPLINGS`.
        space: The space.
        scored: Architectures and their scores, higher is better; what `warm` draws from.

    Raises:
        SettingsError: An unknown name, or what it needs is not at hand.
    """
    makers: dict[str, Callable[[], Sampler]] = {
        "choice": lambda: draw_from(space, "choice"),
        "size": lambda: draw_from(space, "size"),
        "unique": lambda: Unique(space),
        "fair": lambda: FairSampler(space),
        "warm": lambda: Warm(space, *_given(scored)),
    }
    if name not in makers:
        raise SettingsError(
            f"Expected a sampling of paths among {', '.join(makers)}, got '{name}'.{suggest(name, makers)}"
        )
    return makers[name]()


class Unique:
    """Uniform over different architectures, where their equals in the space can be counted.

    A draw that is uniform over the space is kept with probability 1 / multiplicity (rejection sampling), so that
    an architecture with many equal forms is not trained more often than one with a single form (Ning et al.
    2021, "Evaluating efficient performance estimators of neural architectures", sample without isomorphs alike).

    Args:
        space: The space.

    Raises:
        SettingsError: The space cannot count equals.
    """

    def __init__(self, space: Space) -> None:
        first = space.canonical(space.decode(np.zeros(len(space.cardinalities), dtype=np.int16)))
        if space.multiplicity(first) is None:
            raise SettingsError(
                f"Expected a space that counts equal architectures for the sampling 'unique', got '{space.name}'; "
                "take choice or size"
            )
        self._space = space

    def __call__(self, rng: np.random.Generator) -> Architecture:
        """Return an architecture."""
        for _ in range(ATTEMPTS):
            drawn: Architecture = self._space.canonical(self._space.decode(self._space.sample(1, rng, by="size")[0]))
            if rng.random() * (self._space.multiplicity(drawn) or 1) < 1.0:
                return drawn
        raise SettingsError(f"None of {ATTEMPTS} draws was accepted: most of '{self._space.name}' is one architecture")


class FairSampler:
    """Runs every choice through one permutation of its options after another.

    The fairness of `Fair` (Chu et al. 2021, "FairNAS", ICCV) for rules that train one path per update: in a row
    of as many draws as a choice has options, each of them comes once. Choices are permuted independently.

    Args:
        space: The space.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._left: list[list[int]] = [[] for _ in space.cardinalities]

    def __call__(self, rng: np.random.Generator) -> Architecture:
        """Return an architecture."""
        for left, options in zip(self._left, self._space.cardinalities, strict=True):
            if not left:
                left.extend(rng.permutation(int(options)).tolist())
        genome = np.array([left.pop() for left in self._left], dtype=np.int16)
        canonical: Architecture = self._space.canonical(self._space.decode(genome))
        return canonical

    def state_dict(self) -> dict[str, Any]:
        """Return the options that each choice has still to run through."""
        return {"left": [list(left) for left in self._left]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over such a state."""
        self._left = [list(left) for left in state["left"]]


class Warm:
    """Draws promising architectures more often: by the rank of a score, mixed with every choice uniform.

    Among n scored architectures the one of rank r (1: worst) is drawn with probability 2 r / (n (n + 1)), ties
    sharing their mean rank. The uniform part keeps training what the score misjudges. Our own.

    Args:
        space: The space.
        architectures: Those scored, at least one.
        scores: Shape ``(n,)``, higher is better; NaN counts as worst.
        uniform: Share of draws by choice, in [0, 1].

    Raises:
        SettingsError: Nothing scored, or a share out of range.
    """

    def __init__(
        self, space: Space, architectures: Sequence[Architecture], scores: ArrayLike, *, uniform: float = 0.5
    ) -> None:
        from scipy.stats import rankdata

        values = np.asarray(scores, dtype=float)
        if not len(architectures) or values.shape != (len(architectures),) or not 0.0 <= uniform <= 1.0:
            raise SettingsError(
                "Expected one score per architecture, at least one, and a share in [0, 1], got "
                f"{len(architectures)} architectures, scores of shape {values.shape} and {uniform}"
            )
        ranks = rankdata(np.where(np.isnan(values), -np.inf, values))
        self._architectures = list(architectures)
        self._ends = np.cumsum(ranks / ranks.sum())
        self._uniform = uniform
        self._by_choice = draw_from(space, "choice")

    def __call__(self, rng: np.random.Generator) -> Architecture:
        """Return an architecture."""
        if rng.random() < self._uniform:
            return self._by_choice(rng)
        place = int(np.searchsorted(self._ends, rng.random(), side="right"))
        return self._architectures[min(place, len(self._architectures) - 1)]


def _given(
    scored: tuple[Sequence[Architecture], ArrayLike] | None,
) -> tuple[Sequence[Architecture], ArrayLike]:
    if scored is None:
        raise SettingsError("Expected scored architectures for the sampling 'warm', got none: it needs a warm start")
    return scored
