"""Pareto fronts: objectives and constraints, dominance, indicators, and the front as a value.

Needs numpy, scipy and moocore alone: reading a front loads neither torch nor pymoo.

- `Objective` and `Constraint` are named numbers and bounds on them; `parse_constraint` reads ``flops<=20M``.
- `minimized` turns values, once, into what is minimized; `first_front`, `ranks`, `spread` and `choose_first` compare.
- `Front` and `Member` hold a result, `make_front` makes one; `evonas.pareto.indicators` measures fronts,
  `evonas.pareto.correlation` rankings, `evonas.pareto.improvement` a search against random sampling.
"""

from evonas.pareto.assemble import make_front
from evonas.pareto.dominance import choose_first, first_front, minimized, ranks, spread
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Constraint, Objective, parse_constraint, split_names
from evonas.pareto.records import Records

__all__ = [
    "Constraint",
    "Front",
    "Member",
    "Objective",
    "Records",
    "choose_first",
    "first_front",
    "make_front",
    "minimized",
    "parse_constraint",
    "ranks",
    "split_names",
    "spread",
]
