"""Samplers of the paths that a supernet is trained on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError, lacking, suggest
from evonas.spaces import Architecture, Space

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
    """Source of canonical architectures; inherit it, and a sampler that remembers nothing need only be callable.

    One that remembers what it drew overrides both state methods; the training's checkpoint keeps the state.
    """

    @abstractmethod
    def __call__(self, rng: np.random.Generator, /) -> Any:
        """Return the next architecture."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs, in values that JSON can hold; by default nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over such a state; by default nothing."""
        return


class FunctionSampler(Sampler):
    """A function as a sampler without memory.

    Args:
        draw: Returns an architecture.
    """

    def __init__(self, draw: Callable[[np.random.Generator], Any]) -> None:
        self._draw = draw

    def __call__(self, rng: np.random.Generator, /) -> Any:
        """Return an architecture."""
        return self._draw(rng)


def as_sampler(draw: Callable[[np.random.Generator], Any]) -> Sampler:
    """Return a sampler as it is, and a bare function as one without memory.

    Raises:
        SettingsError: It has one of `state_dict` and `load_state_dict`, but not the other.
    """
    missing = lacking(draw, Sampler)
    if not missing:
        return cast(Sampler, draw)
    if len(missing) == 1:
        raise SettingsError(
            f"Expected a sampler with state_dict and load_state_dict, or with neither, got one ({type(draw).__name__}) "
            f"without {missing[0]}: inherit evonas.supernet.sampling.Sampler"
        )
    return FunctionSampler(draw)


class SpaceSampler(Sampler):
    """Canonical architectures of a space, drawn independently.

    Args:
        space: The space.
        by: "choice" (every choice uniform) or "size" (uniform over the space).
    """

    def __init__(self, space: Space, by: str = "choice") -> None:
        self._space, self._by = space, by

    def __call__(self, rng: np.random.Generator, /) -> Architecture:
        """Return an architecture."""
        drawn: Architecture = self._space.canonical(self._space.decode(self._space.sample(1, rng, by=self._by)[0]))
        return drawn


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
        "choice": lambda: SpaceSampler(space),
        "size": lambda: SpaceSampler(space, "size"),
        "unique": lambda: Unique(space),
        "fair": lambda: FairSampler(space),
        "warm": lambda: Warm(space, *_given(scored)),
    }
    if name not in makers:
        raise SettingsError(
            f"Expected a sampling of paths among {', '.join(makers)}, got '{name}'.{suggest(name, makers)}"
        )
    return makers[name]()


class Unique(Sampler):
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


class FairSampler(Sampler):
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


class Warm(Sampler):
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
        self._by_choice = SpaceSampler(space)

    def __call__(self, rng: np.random.Generator) -> Architecture:
        """Return an architecture."""
        if rng.random() < self._uniform:
            return self._by_choice(rng)
        index = int(np.searchsorted(self._ends, rng.random(), side="right"))
        return self._architectures[min(index, len(self._architectures) - 1)]


def _given(
    scored: tuple[Sequence[Architecture], ArrayLike] | None,
) -> tuple[Sequence[Architecture], ArrayLike]:
    if scored is None:
        raise SettingsError("Expected scored architectures for the sampling 'warm', got none: it needs a warm start")
    return scored
