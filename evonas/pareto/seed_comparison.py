"""Comparison of one search's fronts with several seeds: hypervolume, attainment surfaces, what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from evonas.errors import SettingsError
from evonas.files.csv import to_csv
from evonas.pareto.attainment import MOST_OBJECTIVES, attainment_surface
from evonas.pareto.dominance import minimized
from evonas.pareto.front import Front, Member
from evonas.pareto.indicators import hypervolume, hypervolume_box
from evonas.pareto.objective import Objective
from evonas.pareto.short_id import short_id

__all__ = ["Recurrence", "SeedComparison", "compare_seeds"]


@dataclass(frozen=True)
class Recurrence:
    """An architecture and the seeds on whose fronts it stands.

    Attributes:
        architecture: Its canonical text.
        seeds: Ascending.
        ends: Smallest and largest value of each objective over these seeds, by name.
    """

    architecture: str
    seeds: tuple[int, ...]
    ends: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class SeedComparison:
    """Fronts of a search with several seeds, on one scale.

    Attributes:
        objectives: What was optimized.
        fronts: Members by seed, without those that break a bound as measured; none of a seed whose search failed.
        reference: Reference point of every hypervolume: a margin beyond the worst values on any front.
        hypervolume: By seed, a share of the box from the best values on any front to the reference point.
        surfaces: Points that at least so many seeds reach, natural directions, by that number; none with more than
            `MOST_OBJECTIVES` objectives.
        recurrences: Architectures on the fronts, those of most seeds first.
    """

    objectives: tuple[Objective, ...]
    fronts: Mapping[int, tuple[Member, ...]]
    reference: tuple[float, ...]
    hypervolume: Mapping[int, float]
    surfaces: Mapping[int, np.ndarray]
    recurrences: tuple[Recurrence, ...]

    @property
    def half(self) -> int:
        """Number of seeds that are at least half of all."""
        return -(-len(self.fronts) // 2)

    @property
    def median_front(self) -> np.ndarray | None:
        """What at least half of the seeds reach, shape ``(points, m)``; None with too many objectives."""
        return self.surfaces.get(self.half)

    @property
    def mean(self) -> float:
        """Mean hypervolume over seeds."""
        return float(np.mean(list(self.hypervolume.values())))

    @property
    def deviation(self) -> float:
        """Standard deviation of the hypervolume over seeds, by n - 1."""
        return float(np.std(list(self.hypervolume.values()), ddof=1))

    def to_json(self) -> str:
        """Return everything as JSON."""
        content = {
            "objectives": [asdict(objective) for objective in self.objectives],
            "reference_point": list(self.reference),
            "hypervolume": {
                "mean": self.mean,
                "sd": self.deviation,
                "by_seed": {str(seed): volume for seed, volume in self.hypervolume.items()},
            },
            "attainment": [{"seeds": k, "points": points.tolist()} for k, points in self.surfaces.items()],
            "architectures": [
                {"architecture": one.architecture, "id": short_id(one.architecture), "seeds": list(one.seeds)}
                | {"values": {name: list(ends) for name, ends in one.ends.items()}}
                for one in self.recurrences
            ],
        }
        return json.dumps(content, indent=1)

    def members_csv(self) -> str:
        """Return the members of all fronts as CSV: the seed, the architecture, its values, and how often it comes."""
        names = [objective.name for objective in self.objectives]
        times = {one.architecture: len(one.seeds) for one in self.recurrences}
        rows = [
            [seed, member.architecture, *(member.values[name] for name in names), times[member.architecture]]
            for seed, members in self.fronts.items()
            for member in members
        ]
        return to_csv([["seed", "architecture", *names, "on_fronts"], *rows])

    def attainment_csv(self) -> str:
        """Return the attainment surfaces as CSV: how many seeds reach a point, and its values."""
        rows = [[reached, *point] for reached, points in self.surfaces.items() for point in points.tolist()]
        return to_csv([["reached_by", *(objective.name for objective in self.objectives)], *rows])


def compare_seeds(fronts: Mapping[int, Front | None]) -> SeedComparison:
    """Return how fronts of the same search with different seeds compare.

    Args:
        fronts: By seed; None of one whose search failed, which reaches nothing.

    Raises:
        SettingsError: Fewer than two seeds, other objectives, or no member at all.
    """
    known = [front for front in fronts.values() if front is not None]
    if len(fronts) < 2:
        raise SettingsError(f"Expected fronts of two seeds or more, got {len(fronts)}")
    if len({tuple((o.name, o.direction) for o in front.objectives) for front in known}) > 1:
        raise SettingsError("Expected fronts of the same objectives, got different ones: compare one search's alone")
    kept = {
        seed: () if front is None else tuple(member for member in front if not member.breaks)
        for seed, front in sorted(fronts.items())
    }
    if not any(kept.values()):
        raise SettingsError("No seed found a member that keeps to the constraints: there is nothing to compare")
    # What is an accuracy with some seeds and a score without a unit with others is a score.
    columns = zip(*(front.objectives for front in known), strict=True)
    objectives = tuple(c[0] if len({o.unit for o in c}) == 1 else replace(c[0], unit="") for c in columns)
    names, directions = [o.name for o in objectives], [o.direction for o in objectives]
    values = {
        seed: minimized(np.array([[m.values[n] for n in names] for m in ms]).reshape(-1, len(names)), directions)
        for seed, ms in kept.items()
    }
    low, extent = hypervolume_box(np.concatenate(list(values.values())))
    volumes = {seed: hypervolume((own - low) / extent, np.ones(len(names))) for seed, own in values.items()}
    surfaces = {}
    if len(names) <= MOST_OBJECTIVES:
        surfaces = {
            reached: minimized(attainment_surface(list(values.values()), reached), directions)
            for reached in range(1, len(values) + 1)
        }
    reference = minimized((low + extent)[None], directions)[0]
    return SeedComparison(
        objectives, kept, tuple(float(v) for v in reference), volumes, surfaces, _recurrences(kept, names)
    )


def _recurrences(fronts: Mapping[int, tuple[Member, ...]], names: list[str]) -> tuple[Recurrence, ...]:
    """Return architectures on the fronts, those of most seeds first, then by the last objective and text."""
    found: dict[str, dict[int, Member]] = {}
    for seed, members in fronts.items():
        for member in members:
            found.setdefault(member.architecture, {})[seed] = member
    rows = []
    for text, by_seed in found.items():
        columns = {name: [member.values[name] for member in by_seed.values()] for name in names}
        ends = {name: (min(column), max(column)) for name, column in columns.items()}
        rows.append(Recurrence(text, tuple(sorted(by_seed)), ends))
    return tuple(sorted(rows, key=lambda one: (-len(one.seeds), one.ends[names[-1]][0], one.architecture)))
