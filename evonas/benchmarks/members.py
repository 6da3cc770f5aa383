"""The rows of a table as a closed search problem, and the oracle that counts what a search asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError, suggest
from evonas.pareto.curves import min_max
from evonas.pareto.dominance import first_front
from evonas.pareto.indicators import hypervolume
from evonas.pareto.objective import Direction
from evonas.predictors import Encoder, TokenEncoder, Tokens, token_groups
from evonas.spaces import Architecture, Space
from evonas.tables.direction import column_direction
from evonas.tables.table import Table

FREE = ("flops", "params")
"""Computed objectives that predictors always see."""

Computed = Callable[[Sequence[Architecture]], ArrayLike]
"""What computes an objective: architectures -> one value each."""


@dataclass(frozen=True, eq=False)
class Members:
    """A finite set of architectures of known objectives, which the bench sees and an algorithm does not."""

    space: Space
    architectures: tuple[Architecture, ...]
    objectives: tuple[str, ...]
    directions: tuple[str, ...]
    """"max" or "min" of each objective in its own unit."""
    values: np.ndarray
    """Shape ``(n, m)``: min-max scaled over the members to [0, 1], every objective minimised."""
    cheap: np.ndarray
    """Shape ``(m,)``, bool: computed objectives, known of every member before it is evaluated."""
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Training-free scores for starts, name -> shape ``(n,)``; NaN where there is none."""
    measured: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """Shape ``(n, m)``: the objectives in their own units and directions."""
    free: Mapping[str, Computed] = field(default_factory=dict)
    """What costs no evaluation whatever the objectives are, for predictors: FLOPs first, then parameters."""

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def reference_point(self) -> np.ndarray:
        """The reference point of every hypervolume here: the worst of each scaled objective, (1, …, 1)."""
        return np.ones(len(self.objectives))

    @cached_property
    def true_hypervolume(self) -> float:
        """Hypervolume of all members."""
        return hypervolume(self.values, self.reference_point)

    def front(self) -> np.ndarray:
        """Return the rows that no other dominates, the first of those with equal objectives, in their order."""
        distinct = np.sort(np.unique(self.values, axis=0, return_index=True)[1])
        rows: np.ndarray = distinct[first_front(self.values[distinct])]
        return rows

    @cached_property
    def genomes(self) -> np.ndarray:
        """Genome of every member, shape ``(n, n_choices)``, int16."""
        return np.array([self.space.encode(one) for one in self.architectures], dtype=np.int16)

    @cached_property
    def statistics(self) -> np.ndarray:
        """What is free of every member, shape ``(n, len(free))``; NaN where it cannot be computed."""
        columns = [_checked(name, compute(self.architectures), len(self)) for name, compute in self.free.items()]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self), 0))

    @cached_property
    def encoder(self) -> Encoder:
        """What predictors see of members, their parts and what is free; made once, for all searches of a benchmark."""

        def parts(genome: np.ndarray) -> Mapping[str, Tokens]:
            return token_groups(self.space, self.space.canonical(self.space.decode(genome)))

        def free(genomes: np.ndarray) -> np.ndarray:
            rows = [self._rows[np.asarray(genome, dtype=np.int16).tobytes()] for genome in genomes]
            found: np.ndarray = self.statistics[rows]
            return found

        return TokenEncoder(parts, free, self.row)

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        return {genome.tobytes(): row for row, genome in enumerate(self.genomes)}

    def row(self, genome: ArrayLike) -> int | None:
        """Return the row of a genome, or None where it is no member."""
        return self._rows.get(np.asarray(genome, dtype=np.int16).tobytes())

    @cached_property
    def _forms(self) -> list[int]:
        """Number of every member's canonical form."""
        numbers: dict[Architecture, int] = {}
        forms = map(self.space.canonical, self.architectures)
        return [numbers.setdefault(form, len(numbers)) for form in forms]

    def form(self, genome: ArrayLike) -> int | None:
        """Return what members that are equal networks have in common, or None where a genome is no member."""
        row = self.row(genome)
        return None if row is None else self._forms[row]

    def nearest(self, genome: ArrayLike, among: np.ndarray) -> int:
        """Return the row of the member that differs in the fewest genes, the first where several do.

        Args:
            genome: Shape ``(n_choices,)``.
            among: Which members may be returned, bool, shape ``(n,)``, at least one true.
        """
        rows = np.flatnonzero(among)
        distance = (self.genomes[rows] != np.asarray(genome, dtype=np.int16)).sum(axis=1)
        return int(rows[distance.argmin()])


def members_of(
    space: Space,
    table: Table,
    objectives: str | Sequence[str],
    *,
    computed: Mapping[str, Computed] | None = None,
    scores: Mapping[str, ArrayLike] | None = None,
) -> Members:
    """Make a closed problem of a table's rows.

    Args:
        space: The space of the rows.
        table: Its columns go before computed objectives of the same name. Rows where an objective is not
            known are left out.
        objectives: ``"NAME:max,NAME:min"`` or a list of such texts; the direction may be left out where the
            name gives it.
        computed: Objectives that need no table, such as FLOPs; cheap: known before an evaluation.
        scores: Training-free scores, one per row of the table.

    Raises:
        SettingsError: Fewer than two objectives, one twice, unknown or constant, or fewer than two rows.
    """
    pairs = _directed(objectives)
    names = [name for name, _ in pairs]
    computed = dict(computed or {})
    raw = np.stack([_column(name, table, computed) for name in names], axis=1)
    known_rows = np.flatnonzero(np.isfinite(raw).all(axis=1))
    if len(known_rows) < 2:
        raise SettingsError(f"Expected two or more rows with {', '.join(names)} known, got {len(known_rows)}.")
    measured = raw[known_rows]
    raw = measured * [-1.0 if direction == "max" else 1.0 for _, direction in pairs]
    for name, column in zip(names, raw.T, strict=True):
        if np.ptp(column) == 0:
            raise SettingsError(f"Objective '{name}' has one value in all rows: there is nothing to search.")
    return Members(
        space=space,
        architectures=tuple(table.architectures[row] for row in known_rows),
        objectives=tuple(names),
        directions=tuple(direction for _, direction in pairs),
        values=min_max(raw),
        cheap=np.array([name not in table for name in names]),
        measured=measured,
        scores={name: _checked(name, values, len(table))[known_rows] for name, values in (scores or {}).items()},
        free={name: computed[name] for name in FREE if name in computed},
    )


class Spent(Exception):
    """Every evaluation of the budget is spent: a signal that ends a search, not an error."""


class Oracle:
    """Evaluations that an algorithm may ask for, counted, until the budget is spent.

    Args:
        members: The problem.
        evaluations: Budget; more than there are members means all of them.
    """

    def __init__(self, members: Members, evaluations: int) -> None:
        self.members = members
        self.budget = min(evaluations, len(members))
        self.rows: list[int] = []
        """Members evaluated, in order, each once."""
        self.evaluated = np.zeros(len(members), dtype=bool)

    @property
    def left(self) -> int:
        """Evaluations left."""
        return self.budget - len(self.rows)

    def evaluate(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Evaluate members, those already evaluated for free.

        Returns:
            Shape ``(len(rows), m)``: scaled, minimised.

        Raises:
            Spent: The budget ends within these rows; those before its end are evaluated and counted.
        """
        for row in rows:
            if self.evaluated[row]:
                continue
            if not self.left:
                raise Spent
            self.evaluated[row] = True
            self.rows.append(int(row))
        return self.members.values[np.asarray(rows, dtype=np.intp)]

    def cheap(self) -> np.ndarray:
        """Return all members' computed objectives, shape ``(n, m)``, NaN where they cost an evaluation."""
        return np.where(self.members.cheap, self.members.values, np.nan)


def _directed(objectives: str | Sequence[str]) -> list[tuple[str, Direction]]:
    """Return names and directions of objectives.

    Raises:
        SettingsError: Fewer than two, or one twice.
    """
    texts = objectives.split(",") if isinstance(objectives, str) else list(objectives)
    pairs = [column_direction(text) for text in texts if text.strip()]
    if len(pairs) < 2 or len({name for name, _ in pairs}) < len(pairs):
        raise SettingsError(f"Expected two or more different objectives, got {', '.join(texts) or 'none'}.")
    return pairs


def _column(name: str, table: Table, computed: Mapping[str, Computed]) -> np.ndarray:
    """Return an objective of all rows, float64 of shape (n,): the table's column, else computed.

    Raises:
        SettingsError: Neither has it.
    """
    if name in table:
        return table[name]
    if name in computed:
        return _checked(name, computed[name](table.architectures), len(table))
    known = [*table.columns, *computed]
    raise SettingsError(
        f"No objective '{name}': expected a column of the table or a computed objective, one of "
        f"{', '.join(known)}.{suggest(name, known)}"
    )


def _checked(name: str, values: ArrayLike, rows: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (rows,):
        raise SettingsError(f"Expected {rows} values of '{name}', one per row, got shape {array.shape}.")
    return array
