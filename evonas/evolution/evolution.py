"""Evolution by ask and tell: genomes go out, minimized values come back, in turns."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np

from evonas.errors import EvaluationError, SettingsError, suggest
from evonas.evolution.algorithms import algorithms
from evonas.evolution.operators import crossover, mutate
from evonas.pareto.dominance import first_front

if TYPE_CHECKING:
    from evonas.predictors import RegressorChoice

__all__ = ["Evolution"]

VARIATION_ROUNDS = 30  # of variation, then of sampling, before fewer offspring than wanted are accepted


class Evolution:
    """A search that proposes genomes and learns from what they were worth.

    `ask` and `tell` take turns. No genome is asked for whose key was asked for before. A genome whose values
    or violations are not all finite has failed: it never becomes a parent and is never on the front. Equal
    arguments and equal results give equal genomes.

    Args:
        cardinalities: Number of options of each choice, 1 or more, shape (n_choices,).
        key: Identity of a genome, such as the text of its canonical architecture.
        objectives: Number m of objectives, 1 or more.
        constraints: Number c of constraints.
        population: How many survive, 2 or more.
        seed: Seed of everything random.
        sample: Gives n genomes for (n, rng), in 0 .. cardinalities - 1, shape (n, n_choices).
        initial: Genomes that are asked for first, exactly these but for duplicates; where there are fewer
            than the population, samples fill it.
        algorithm: A name in `algorithms`.
        ordered: Which choices list their options by size, bool of shape (n_choices,); None: none.

    Attributes:
        exhausted: Whether the last `ask` found fewer new genomes than it should in a bounded number of tries.
        rejected: How many duplicates the last `ask` turned away.
        choices: Predictors that the last `ask` used, by number of the expensive objective; none in a plain evolution.

    Raises:
        SettingsError: An argument makes no sense.
    """

    def __init__(
        self,
        cardinalities: np.ndarray,
        *,
        key: Callable[[np.ndarray], Hashable],
        objectives: int,
        constraints: int = 0,
        population: int = 40,
        seed: int,
        sample: Callable[[int, np.random.Generator], np.ndarray],
        initial: np.ndarray | None = None,
        algorithm: str = "nsga2",
        ordered: np.ndarray | None = None,
    ) -> None:
        self.cardinalities = np.asarray(cardinalities)
        if self.cardinalities.ndim != 1 or not self.cardinalities.size or self.cardinalities.min() < 1:
            raise SettingsError(
                f"Expected one or more choices of 1 or more options, got cardinalities {cardinalities}."
            )
        self.ordered = np.zeros(self.cardinalities.size, dtype=bool) if ordered is None else np.asarray(ordered)
        if self.ordered.shape != self.cardinalities.shape or self.ordered.dtype != bool:
            raise SettingsError(
                f"Expected {self.cardinalities.size} truth values that say which choices are ordered, got {ordered}."
            )
        for name, value, least in (
            ("objectives", objectives, 1),
            ("constraints", constraints, 0),
            ("population", population, 2),
        ):
            if value < least:
                raise SettingsError(f"Expected {name} of {least} or more, got {value}.")
        if algorithm not in algorithms:
            known = ", ".join(algorithms)
            raise SettingsError(f"Expected an algorithm of {known}, got '{algorithm}'.{suggest(algorithm, algorithms)}")
        self.objectives, self.constraints, self.size = objectives, constraints, population
        self.exhausted = False
        self.rejected = 0
        self.choices: dict[int, RegressorChoice] = {}
        self._key, self._sample = key, sample
        self._rng = np.random.default_rng(seed)
        self._algorithm = algorithms[algorithm](
            population=population,
            cardinalities=self.cardinalities,
            objectives=objectives,
            constraints=constraints,
            rng=self._rng,
        )
        self._initial = (
            np.zeros((0, self.cardinalities.size), dtype=np.int16) if initial is None else self._genomes(initial)
        )
        self._seen: set[Hashable] = set()
        self._keys: list[Hashable] = []
        self._asked: np.ndarray | None = None
        self._parents: list[tuple[Hashable, ...]] = []
        self._told: list[np.ndarray] = []  # row by row, for parents are looked up by number
        self._values = [np.zeros((0, objectives))]
        self._violations = [np.zeros((0, constraints))]

    def ask(self) -> np.ndarray:
        """Return genomes to evaluate, int16 of shape (n, n_choices).

        There may be fewer than usual, or none, where the space holds no more; `exhausted` is true then. None
        need no `tell`.

        Raises:
            EvaluationError: What was asked for before has not been told.
        """
        if self._asked is not None:
            raise EvaluationError(
                f"Expected tell() with values of the {len(self._asked)} genomes asked for, got ask() again."
            )
        self.rejected = 0
        batch = _Batch(self._seen, self._key)
        if not self._seen:
            batch.add(self._initial, [()] * len(self._initial))
        wanted = self._algorithm.offspring if len(self._algorithm.population) else self.size
        if len(self._algorithm.population):
            self._vary(batch, wanted)
        for _ in range(VARIATION_ROUNDS):
            if len(batch.keys) >= wanted:
                break
            missing = wanted - len(batch.keys)
            batch.add(self._genomes(self._sample(missing, self._rng)), [()] * missing)
        self.exhausted = len(batch.keys) < wanted
        self.rejected = batch.rejected
        self._seen.update(batch.keys)
        self._keys += batch.keys
        self._parents = batch.parents
        if not batch.keys:
            return np.zeros((0, self.cardinalities.size), dtype=np.int16)
        self._asked = np.stack(batch.genomes)
        return self._asked.copy()

    def tell(self, genomes: np.ndarray, values: np.ndarray, violations: np.ndarray | None = None) -> None:
        """Take in what the genomes asked for were worth.

        Args:
            genomes: What `ask` returned, in that order.
            values: Minimized floats of shape (n, m); rows that are not finite have failed.
            violations: Floats of shape (n, c): 0 or less where a constraint holds, else by how much it is
                broken, best relative to its bound, for they are summed. Needed where there are constraints.

        Raises:
            EvaluationError: Nothing was asked for, or these are other genomes, or shapes do not fit; nothing
                is taken in.
        """
        if self._asked is None:
            raise EvaluationError("Expected ask() before tell(), got tell() with nothing asked for.")
        genomes = np.asarray(genomes)
        if genomes.shape != self._asked.shape or (genomes != self._asked).any():
            same = genomes.shape == self._asked.shape and sorted(genomes.tolist()) == sorted(self._asked.tolist())
            came = "them in another order" if same else f"others, of shape {genomes.shape}"
            raise EvaluationError(
                f"Expected the {len(self._asked)} genomes that ask() returned, in its order, got {came}."
            )
        if violations is None and not self.constraints:
            violations = np.zeros((len(genomes), 0))
        told = _checked(
            "values", values, (len(genomes), self.objectives), "one row per genome, one column per objective"
        )
        broken = _checked(
            "violations",
            violations,
            (len(genomes), self.constraints),
            "one row per genome, one column per constraint",
        )
        failed = ~(np.isfinite(told).all(axis=1) & np.isfinite(broken).all(axis=1))
        told[failed] = np.nan
        broken = np.maximum(broken, 0.0)
        first = len(self._told)
        self._told.extend(self._asked)
        self._values.append(told)
        self._violations.append(broken)
        self._asked = None
        well = np.flatnonzero(~failed)
        if well.size:
            self._algorithm.tell(first + well, told[well], broken[well])

    @property
    def parents(self) -> list[tuple[Hashable, ...]]:
        """Keys of the parents of each genome last asked for; none where it was given or sampled."""
        return list(self._parents)

    @property
    def population(self) -> np.ndarray:
        """The genomes that may become parents, shape (k, n_choices)."""
        return self._rows(self._algorithm.population)

    def front(self) -> tuple[np.ndarray, np.ndarray]:
        """Return genomes and values of the feasible and not dominated among all reported, in the order reported."""
        values = np.concatenate(self._values)
        found = first_front(values, np.concatenate(self._violations))
        return self._rows(found), values[found]

    def _vary(self, batch: _Batch, wanted: int) -> None:
        for _ in range(VARIATION_ROUNDS):
            missing = wanted - len(batch.keys)
            if missing <= 0:
                return
            parents = self._algorithm.parents(missing)
            if not parents.shape[1]:
                return
            children = self._rows(parents[:, 0])
            if parents.shape[1] == 2:
                partners = self._rows(parents[:, 1])
                children = crossover(
                    children, partners, self._rng, cardinalities=self.cardinalities, ordered=self.ordered
                )
            children = mutate(children, self.cardinalities, self._rng, ordered=self.ordered)
            batch.add(children, [tuple(self._keys[i] for i in dict.fromkeys(row)) for row in parents.tolist()])

    def _genomes(self, genomes: np.ndarray) -> np.ndarray:
        genomes = np.asarray(genomes)
        if genomes.ndim != 2 or genomes.shape[1] != self.cardinalities.size:
            raise SettingsError(f"Expected genomes of shape (n, {self.cardinalities.size}), got shape {genomes.shape}.")
        if (genomes < 0).any() or (genomes >= self.cardinalities).any():
            row = int(np.flatnonzero(((genomes < 0) | (genomes >= self.cardinalities)).any(axis=1))[0])
            raise SettingsError(
                f"Expected genes in 0 .. cardinalities - 1, got {genomes[row].tolist()} as genome {row}."
            )
        return genomes.astype(np.int16)

    def _rows(self, numbers: np.ndarray) -> np.ndarray:
        """Return the genomes of these numbers, shape (n, n_choices)."""
        rows = [self._told[number] for number in numbers.tolist()]
        return np.array(rows, dtype=np.int16).reshape(-1, self.cardinalities.size)


class _Batch:
    """Genomes on their way out, none of which was seen before."""

    def __init__(self, seen: set[Hashable], key: Callable[[np.ndarray], Hashable]) -> None:
        self._seen, self._key = seen, key
        self.genomes: list[np.ndarray] = []
        self.keys: list[Hashable] = []
        self.parents: list[tuple[Hashable, ...]] = []
        self.rejected = 0
        self._here: set[Hashable] = set()

    def add(self, genomes: np.ndarray, parents: list[tuple[Hashable, ...]]) -> None:
        """Take the new ones in."""
        for genome, of in zip(genomes, parents, strict=True):
            key = self._key(genome)
            if key in self._seen or key in self._here:
                self.rejected += 1
                continue
            self._here.add(key)
            self.genomes.append(genome)
            self.keys.append(key)
            self.parents.append(of)


def _checked(name: str, array: np.ndarray | None, shape: tuple[int, int], meaning: str) -> np.ndarray:
    if array is None:
        raise EvaluationError(f"Expected {name} of shape {shape} ({meaning}), got none.")
    array = np.array(array, dtype=np.float64)
    if array.shape != shape:
        raise EvaluationError(f"Expected {name} of shape {shape} ({meaning}), got shape {array.shape}.")
    return array
