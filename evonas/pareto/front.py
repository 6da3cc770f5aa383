"""The front of a run: its members, choosing among them, writing them down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evonas.errors import RunError, SettingsError
from evonas.files.csv import to_csv
from evonas.pareto.dominance import minimized
from evonas.pareto.objective import Objective, check_fraction, parse_constraints
from evonas.pareto.records import Records
from evonas.pareto.short_id import is_short_id, short_id


@dataclass(frozen=True)
class Member:
    """One architecture of a front.

    Attributes:
        architecture: Canonical text.
        values: Value per objective, in natural direction: the very values that the search selected on.
        known: Whatever else is known of it, such as ``acc_report`` or ``latency_measured``.
        breaks: Constraints that it breaks now that it was measured whole.
    """

    architecture: str
    values: dict[str, float]
    known: dict[str, float] = field(default_factory=dict)
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Front:
    """The non-dominated members of a search, in ascending order of the last objective.

    Attributes:
        objectives: Objectives in the order asked for.
        members: Members.
        reference: Reference point of the hypervolume, one value per objective in natural direction.
        hypervolume: Share that the front dominates of the box from the best value of each objective to the reference
            point, 0 to 1.
    """

    objectives: tuple[Objective, ...]
    members: tuple[Member, ...]
    reference: tuple[float, ...] = ()
    hypervolume: float | None = None

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def __getitem__(self, index: int) -> Member:
        return self.members[index]

    @property
    def values(self) -> np.ndarray:
        """Values in natural direction, shape ``(members, objectives)``."""
        names = [objective.name for objective in self.objectives]
        return np.array([[m.values[name] for name in names] for m in self.members]).reshape(-1, len(names))

    def distinct(self) -> list[tuple[int, int]]:
        """Indices of the first member of each combination of values, and how many more are equal to it in all."""
        found: dict[tuple[float, ...], tuple[int, int]] = {}
        for index, values in enumerate(map(tuple, self.values.tolist())):
            first, more = found.get(values, (index, -1))
            found[values] = first, more + 1
        return list(found.values())

    def select(self, selection: str) -> Member:
        """Return a member.

        Args:
            selection: ``knee``, ``best:OBJECTIVE``, ``best`` (of the first objective), ``cheapest`` (the best of the
                second), ``index:N`` (from 0), a short id (`short_id`) or its architecture's text.

        Raises:
            SettingsError: No such member.
            RunError: The front has no members.
        """
        kept = [member for member in self.members if not member.breaks] or list(self.members)
        if not kept:
            raise RunError("The front is empty: no architecture was evaluated that keeps to the constraints")
        if selection == "knee":
            return kept[self._knee(kept)]
        if selection == "cheapest" and len(self.objectives) < 2:
            raise SettingsError("The front has one objective: cheapest needs a second, give best or knee")
        if selection in ("best", "cheapest"):
            selection = f"best:{self.objectives[selection == 'cheapest'].name}"
        if match := re.fullmatch(r"best:(.+)", selection):
            objective = next((o for o in self.objectives if o.name == match[1]), None)
            if objective is None:
                names = ", ".join(o.name for o in self.objectives)
                raise SettingsError(f"The front has no objective '{match[1]}'; it has {names}")
            sign = 1 if objective.direction == "max" else -1
            return max(kept, key=lambda member: sign * member.values[objective.name])
        if match := re.fullmatch(r"index:(-?\d+)", selection):
            if not 0 <= int(match[1]) < len(self.members):
                raise SettingsError(f"The front has members 0 to {len(self.members) - 1}, got index:{match[1]}")
            return self.members[int(match[1])]
        if (member := self.find(selection)) is not None:
            return member
        raise SettingsError(
            f"No member '{selection:.80}' on the front: expected knee, best, best:OBJECTIVE, cheapest, index:N "
            f"(0 to {len(self.members) - 1}), a short id or the text of an architecture"
        )

    def find(self, named: str) -> Member | None:
        """Return the member with an architecture's text or a short id; None where there is none.

        Raises:
            SettingsError: Several members' ids begin so.
        """
        for member in self.members:
            if member.architecture == named:
                return member
        found = [member for member in self.members if is_short_id(named, member.architecture)]
        if len(found) > 1:
            ids = ", ".join(short_id(member.architecture) for member in found)
            raise SettingsError(
                f"Expected the id of one member, got '{named}', with which {ids} begin: give more of it"
            )
        return found[0] if found else None

    def _knee(self, members: Sequence[Member]) -> int:
        """Return the member nearest to the best value of every objective, each scaled by the front's range."""
        values = minimized(
            np.array([[m.values[o.name] for o in self.objectives] for m in members]),
            [o.direction for o in self.objectives],
        )
        low, high = values.min(axis=0), values.max(axis=0)
        scaled = (values - low) / np.where(high > low, high - low, 1.0)
        return int(np.argmin((scaled**2).sum(axis=1)))

    def where(self, conditions: Sequence[str]) -> Front:
        """Return the front's members that keep to conditions such as ``flops<=10M``.

        Raises:
            SettingsError: A malformed condition, or one on a number that members do not have.
        """
        kept = list(self.members)
        for condition in parse_constraints(conditions):
            names = {name for member in self.members for name in (*member.values, *member.known)}
            if self.members and condition.objective not in names:
                raise SettingsError(f"Members have no '{condition.objective}'; they have {', '.join(sorted(names))}")
            check_fraction(condition, max((_number(m, condition.objective) for m in self.members), default=1.0))
            kept = [m for m in kept if condition.violation(_number(m, condition.objective)) <= 0]
        return Front(self.objectives, tuple(kept), self.reference, self.hypervolume)

    @property
    def columns(self) -> list[str]:
        """Headings: architecture, objectives in the order asked for, then what else is known."""
        more = sorted({name for member in self.members for name in member.known})
        return ["architecture", *(o.name for o in self.objectives), *more, "breaks"]

    def rows(self) -> list[list[Any]]:
        """Return one row per member, in the order of `columns`; None where a number is not known."""
        more = self.columns[1 + len(self.objectives) : -1]
        return [
            [
                member.architecture,
                *(member.values[o.name] for o in self.objectives),
                *(member.known.get(name) for name in more),
                " ".join(member.breaks),
            ]
            for member in self.members
        ]

    def records(self) -> Records:
        """Return one mapping per member, its keys those of `columns`; None where a number is not known."""
        columns, names = self.columns, [objective.name for objective in self.objectives]
        return Records((dict(zip(columns, row, strict=True)) for row in self.rows()), names)

    def to_pandas(self) -> Any:
        """Return a table of pandas, one row per member with its short id as the label.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return self.records().to_pandas()

    def _repr_html_(self) -> str:
        return self.records()._repr_html_()

    def to_csv(self) -> str:
        """Return the front as CSV with a heading."""
        return to_csv([self.columns, *self.rows()])

    def to_json(self) -> str:
        """Return the front as JSON: objectives, reference point, hypervolume, members."""
        content = {
            "objectives": [{"name": o.name, "unit": o.unit, "direction": o.direction} for o in self.objectives],
            "reference_point": list(self.reference),
            "hypervolume": self.hypervolume,
            "members": [
                {
                    "architecture": m.architecture,
                    "values": m.values,
                    "known": m.known,
                    "breaks": list(m.breaks),
                }
                for m in self.members
            ],
        }
        return json.dumps(content, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Front:
        """Read a front that `to_json` wrote.

        Raises:
            RunError: Not a front.
        """
        try:
            content = json.loads(text)
            front = cls(
                tuple(Objective(**objective) for objective in content["objectives"]),
                tuple(
                    Member(m["architecture"], m["values"], m["known"], tuple(m["breaks"])) for m in content["members"]
                ),
                tuple(content["reference_point"]),
                content["hypervolume"],
            )
            front._check()
            return front
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"front.json cannot be read ({error}): run  evonas resume RUN  to write it again") from None

    def _check(self) -> None:
        """Raise a ValueError where something is of another kind than a front's."""
        names = [objective.name for objective in self.objectives]
        numbers = [*self.reference, *([] if self.hypervolume is None else [self.hypervolume])]
        texts = [text for o in self.objectives for text in (o.name, o.unit)]
        for member in self.members:
            if sorted(member.values) != sorted(names):
                raise ValueError(f"a member has {', '.join(member.values)}, not {', '.join(names)}")
            texts += [member.architecture, *member.breaks, *member.known]
            numbers += [*member.values.values(), *member.known.values()]
        if not all(isinstance(text, str) for text in texts) or {o.direction for o in self.objectives} - {"max", "min"}:
            raise ValueError("expected texts, and directions max or min")
        if not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers) or len(self.reference) not in (
            0,
            len(names),
        ):
            raise ValueError("expected finite numbers, and as many in the reference point as there are objectives")


def _number(member: Member, name: str) -> float:
    return member.values.get(name, member.known.get(name, float("nan")))
