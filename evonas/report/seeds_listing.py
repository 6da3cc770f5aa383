"""Comparison of seeds in words and rows: what the terminal and the page say of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.pareto.attainment import MOST_OBJECTIVES
from evonas.pareto.objective import Objective
from evonas.pareto.seed_comparison import SeedComparison
from evonas.pareto.short_id import short_id
from evonas.report.amounts import is_accuracy, reference_text, shown

__all__ = [
    "median_rows",
    "median_title",
    "returning_rows",
    "returning_title",
    "seed_headings",
    "seed_rows",
    "short_heading",
    "words",
]


def short_heading(objective: Objective) -> str:
    """Objective's name with the direction that is better, and ``%`` where it is in percent."""
    percent = " (%)" if is_accuracy(objective.name, objective.unit) else ""
    return f"{objective.name} {'↑' if objective.direction == 'max' else '↓'}{percent}"


def seed_headings(found: SeedComparison) -> list[str]:
    """Headings of `seed_rows`: the seed, members, hypervolume, and the best value of each objective."""
    return ["seed", "members", "hypervolume", *(f"best {short_heading(objective)}" for objective in found.objectives)]


def seed_rows(found: SeedComparison) -> list[list[str]]:
    """Rows of the seeds, in order."""
    rows = []
    for seed, members in found.fronts.items():
        best = []
        for objective in found.objectives:
            values = [member.values[objective.name] for member in members]
            ends = (max(values) if objective.direction == "max" else min(values)) if values else None
            best.append(shown(ends, objective.name, objective.unit))
        rows.append([str(seed), str(len(members)), f"{found.hypervolume[seed]:.4f}", *best])
    return rows


def words(found: SeedComparison) -> list[str]:
    """Sentences about all seeds together."""
    reference = reference_text(found.objectives, found.reference)
    lines = [
        f"Hypervolume {found.mean:.4f} ± {found.deviation:.4f} (mean and standard deviation of {len(found.fronts)} "
        f"seeds), a share of the box from the best on any front to a reference point common to all ({reference})."
    ]
    lines += [f"Seed {seed} has no front: it counts as hypervolume 0." for seed, of in found.fronts.items() if not of]
    scores = [o.name for o in found.objectives if o.name == "acc" and not o.unit]
    if scores:
        lines.append(
            "acc is a score that each seed's own search gives, on no common scale: it says little between seeds."
        )
    elif any(objective.name == "acc" for objective in found.objectives):
        lines.append("acc is what each seed's own search estimates.")
    return lines


def median_title(found: SeedComparison) -> str:
    """Heading of the median front."""
    if found.median_front is None:
        return f"No median front: with over {MOST_OBJECTIVES} objectives attainment is not computed"
    return f"Median front, what at least {found.half} of {len(found.fronts)} seeds reach"


def median_rows(found: SeedComparison, most: int | None = None) -> list[list[str]]:
    """Points of the median front, in the order of the last objective.

    Args:
        found: The comparison.
        most: Points at most, spread over all; None: all.
    """
    points = found.median_front
    if points is None or not len(points):
        return []
    points = points[np.argsort(points[:, -1] * (1 if found.objectives[-1].direction == "min" else -1), kind="stable")]
    if most is not None and len(points) > most:
        points = points[np.unique(np.linspace(0, len(points) - 1, most).round().astype(int))]
    return [
        [shown(float(value), o.name, o.unit) for value, o in zip(point, found.objectives, strict=True)]
        for point in points
    ]


def returning_title(found: SeedComparison) -> str:
    """Sentence on how many architectures come back."""
    several = sum(len(one.seeds) > 1 for one in found.recurrences)
    return (
        f"{several} of {len(found.recurrences)} architectures on the fronts "
        f"{'stands' if several == 1 else 'stand'} on those of several seeds"
    )


def returning_rows(found: SeedComparison, most: int | None = None) -> list[list[str]]:
    """Short id, number of seeds and ends of each objective of architectures that come back, most often first.

    Args:
        found: The comparison.
        most: Rows at most; None: all.
    """
    kept = [one for one in found.recurrences if len(one.seeds) > 1]
    return [
        [
            short_id(one.architecture),
            f"{len(one.seeds)} of {len(found.fronts)}",
            *(_ends(one.ends[objective.name], objective) for objective in found.objectives),
        ]
        for one in kept[:most]
    ]


def _ends(ends: Sequence[float], objective: Objective) -> str:
    low, high = (shown(value, objective.name, objective.unit) for value in ends)
    return low if low == high else f"{low} to {high}"
