"""`Space`: the set of architectures, and what every family of spaces answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Generic

import numpy as np
from typing_extensions import TypeVar

from evonas.errors import SettingsError, SpaceError, suggest
from evonas.spaces.architecture import Architecture
from evonas.spaces.definition import File
from evonas.spaces.path import Path
from evonas.spaces.picture import Picture
from evonas.spaces.skeleton import Skeleton

A = TypeVar("A", bound=Architecture, default=Any)
"""The architectures of a family of spaces."""
REMEMBERED = 4096
"""Genomes whose architectures a space remembers at most."""


class Space(ABC, Generic[A]):
    """A search space read from TOML.

    A genome is a row of small integers, one per choice: ``genome[i]`` lies in ``[0, cardinalities[i])``.

    Args:
        definition: The validated content of the space's file.
    """

    published_on: ClassVar[tuple[str, ...]] = ("cifar", "imagenet", "taskonomy", "small")
    """Skeletons that the literature measures this family's networks on, the first of them that a space has."""
    unread: ClassVar[frozenset[str]] = frozenset()
    """Fields of a skeleton that networks of this family do not read."""

    def __init__(self, definition: File) -> None:
        self.definition = definition
        self.name = definition.name
        self.family: str = definition.family
        self.choices: tuple[str, ...] = ()
        self.cardinalities = np.zeros(0, dtype=np.int64)
        self.option_names: tuple[tuple[str, ...], ...] = ()
        """Names of each choice's options, in the order of their numbers."""
        self.ordered = np.zeros(0, dtype=bool)
        """Which choices list their options by size, such as kernels, shape ``(n_choices,)``."""
        self._remembered: dict[bytes, tuple[A, str]] = {}

    def __repr__(self) -> str:
        return f"<Space {self.name}: {len(self.choices)} choices, {self.size:,} architectures>"

    @property
    def content(self) -> dict[str, Any]:
        """Content of the file that decides something, without defaults: keys of later versions leave it alone."""
        return self.definition.model_dump(exclude_defaults=True, exclude={"source", "counts"})

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of architectures, exact; `counts` says what is counted."""

    @property
    def counts(self) -> str:
        """What `size` counts and `sample` is uniform over, in words."""
        return self.definition.counts

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator, by: str = "size") -> np.ndarray:
        """Draw genomes.

        Args:
            n: How many.
            rng: Source of randomness.
            by: ``"size"``: uniform over what `size` counts. ``"choice"``: each choice uniform.

        Returns:
            Array of shape ``(n, n_choices)``, int16.

        Raises:
            SettingsError: `by` is neither.
        """

    @abstractmethod
    def decode(self, genome: Sequence[int] | np.ndarray) -> A:
        """Return the architecture a genome means, as written.

        Raises:
            SpaceError: Wrong length or a gene out of range.
        """

    @abstractmethod
    def encode(self, architecture: A) -> np.ndarray:
        """Return a genome of shape ``(n_choices,)`` that decodes to the architecture.

        Raises:
            SpaceError: The architecture is not a member of this space.
        """

    @abstractmethod
    def canonical(self, architecture: A) -> A:
        """Return the representative of all architectures that are equal by construction.

        Sound: equal canonical forms compute the same function under a correspondence of weights. Idempotent.
        Not complete: two different canonical forms may still be the same function.
        """

    @abstractmethod
    def path(self, architecture: A) -> Path:
        """Return the options that the architecture runs, dead ones left out where it is canonical."""

    @abstractmethod
    def parse(self, text: str) -> A:
        """Read an architecture from `str(architecture)` or one of the literature's text forms, as written.

        Raises:
            SpaceError: The text is no architecture of this space; the message says where it fails.
        """

    def literature_key(self, architecture: A) -> str:
        """Return the literature's own identity of an architecture; the canonical text where it has none."""
        return str(self.canonical(architecture))

    def multiplicity(self, architecture: A) -> int | None:
        """Return how many members of the space share the canonical form, or None where that is not known."""
        return None

    def extremes(self) -> tuple[A, A]:
        """Return the smallest and the largest architecture, canonical, where architectures have such an order.

        Raises:
            SettingsError: They have none.
        """
        raise SettingsError(f"Expected a space of stages, whose paths have a largest, got '{self.name}'")

    def sums(self, costs: Callable[[A], np.ndarray], prune: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the costs of all architectures that pruning keeps, shape ``(k, m)``, none enumerated whole.

        Args:
            costs: Costs of an architecture, shape ``(m,)``; that each is a sum over blocks is taken for granted.
            prune: Returns the rows of an array of partial sums that can still be part of what is wanted, such as the
                non-dominated ones: a sum is dominated where a part of it is.

        Raises:
            SettingsError: Architectures are no chains of blocks at one resolution.
        """
        raise SettingsError(f"Expected a space of stages at one resolution, got '{self.name}'")

    @abstractmethod
    def describe_choices(self) -> dict[str, tuple[str | int, ...]]:
        """Return what choices choose among, by sort: ``operation`` to names, ``kernel`` to sizes and the like."""

    @abstractmethod
    def picture(self, architecture: A, skeleton: Skeleton | None = None) -> Picture:
        """Return what is to be seen of an architecture: as written, or without dead parts if canonical.

        Args:
            architecture: The architecture.
            skeleton: The frame it is built in; None: the space's own.

        Raises:
            SpaceError: The architecture is of another space.
        """

    def count_parts(self, architecture: A) -> dict[str, Mapping[str, float]]:
        """Return the parts that an architecture is made of, in groups, and how often it has each.

        Args:
            architecture: A canonical one, so that equal networks are described alike.
        """
        return {}

    def form(self, genome: Sequence[int] | np.ndarray) -> A:
        """Return a genome's canonical architecture; the latest are remembered, for a search asks more than once."""
        return self._read(genome)[0]

    def key(self, genome: Sequence[int] | np.ndarray) -> str:
        """Return the text of a genome's canonical architecture: what stores and duplicates go by."""
        return self._read(genome)[1]

    def _read(self, genome: Sequence[int] | np.ndarray) -> tuple[A, str]:
        key = np.asarray(genome, dtype=np.int64).tobytes()
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            form = self.canonical(self.decode(genome))
            found = self._remembered[key] = form, str(form)
        return found

    def under(self, skeleton: Skeleton) -> Space[A]:
        """Return the members that differ on a skeleton: all, unless the skeleton is less deep than the space."""
        return self

    @property
    def skeletons(self) -> tuple[str, ...]:
        """Names of the skeletons that the space's file holds."""
        return tuple(self.definition.skeletons)

    def skeleton(self, name: str = "small", **overrides: Any) -> Skeleton:
        """Return a named skeleton, some fields overridden.

        Args:
            name: One of `skeletons`.
            **overrides: Fields of `Skeleton`, such as ``classes=10, resolution=32``.

        Raises:
            SettingsError: Unknown name or field.
        """
        if name not in self.definition.skeletons:
            raise SettingsError(
                f"Space '{self.name}' has no skeleton '{name}'; it has "
                f"{', '.join(self.skeletons)}.{suggest(name, self.skeletons)}"
            )
        return Skeleton(**self.definition.skeletons[name].model_dump(exclude_none=True)).replace(**overrides)

    @property
    def literature(self) -> str:
        """Name of the skeleton that the literature measured this space's networks on."""
        return next(name for name in self.published_on if name in self.definition.skeletons)

    def literature_skeleton(self) -> Skeleton:
        """Return the skeleton that the literature measured this space's networks on."""
        return self.skeleton(self.literature)

    def describe_skeleton(self, name: str) -> dict[str, Any]:
        """Return the fields of a named skeleton that networks of this space read.

        Raises:
            SettingsError: Unknown name.
        """
        return {key: value for key, value in asdict(self.skeleton(name)).items() if key not in self.unread}

    @abstractmethod
    def skeleton_changes(self, channels: int) -> dict[str, Any]:
        """Return the fields of a skeleton, and their values, that give networks this many channels at the stem."""

    def check_genome(self, genome: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """Return a genome as a tuple of ints, or say what is wrong with it.

        Raises:
            SpaceError: Wrong length or a gene out of range.
        """
        genes = tuple(genome.tolist() if isinstance(genome, np.ndarray) else genome)
        if len(genes) != len(self._limits):
            raise SpaceError(
                f"A genome of space '{self.name}' has {len(self._limits)} genes, this one has {len(genes)}"
            )
        for gene, limit in zip(genes, self._limits, strict=True):
            if not 0 <= gene < limit:
                index = next(i for i, (g, c) in enumerate(zip(genes, self._limits, strict=True)) if not 0 <= g < c)
                raise SpaceError(
                    f"Gene {index} ({self.choices[index]}) of space '{self.name}' lies in "
                    f"0..{self._limits[index] - 1}, got {genes[index]}"
                )
        return genes

    def _set_choices(self, choices: Mapping[str, Sequence[str]], ordered: Collection[str] = ()) -> None:
        self.choices = tuple(choices)
        self.option_names = tuple(map(tuple, choices.values()))
        self._limits = tuple(map(len, self.option_names))
        self.cardinalities = np.array(self._limits, dtype=np.int64)
        self.ordered = np.array([name in ordered for name in self.choices], dtype=bool)

    def _check_by(self, by: str) -> None:
        if by not in ("size", "choice"):
            raise SettingsError(f"sample(by=…) is 'size' or 'choice', got '{by}'")
