"""The front as rows of text: for the terminal, Markdown and Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence

from evonas.errors import require
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.report.amounts import heading, headline, interval_of, known_heading, shown


def further(front: Front) -> list[str]:
    """Return the names of what is known of members beyond the objectives; ends of an interval stand with its value."""
    names = {objective.name for objective in front.objectives}
    for objective in front.objectives:
        if any(interval_of(member, objective) for member in front):
            names |= {f"{objective.name}_low", f"{objective.name}_high"}
    return sorted({name for member in front for name in member.known} - names)


def front_indices(front: Front, kept: Front) -> list[int]:
    """Return the numbers that members kept of a front have on the whole of it, for ``index:N``."""
    numbers = {member.architecture: i for i, member in enumerate(front)}
    return [numbers[member.architecture] for member in kept]


def row(index: int, member: Member, objectives: Sequence[Objective], names: Sequence[str]) -> list[str]:
    """Return a member's cells: number (with ! where it breaks a constraint), objectives, further numbers."""
    return [
        f"{index}{' !' if member.breaks else ''}",
        *(headline(member, objective, pad=True) for objective in objectives),
        *(shown(member.known[name], name, pad=True) if name in member.known else "" for name in names),
    ]


def to_markdown(front: Front, numbers: Sequence[int]) -> str:
    """Return a front as a Markdown table with the architectures' texts.

    Args:
        front: The front.
        numbers: Number of each member.
    """
    names = further(front)
    titles = ["index", *map(heading, front.objectives), *map(known_heading, names), "architecture"]
    lines = [titles, ["---:"] * (len(titles) - 1) + ["---"]]
    for index, member in zip(numbers, front, strict=True):
        text = member.architecture.replace("|", "\\|")
        lines.append([*row(index, member, front.objectives, names), f"`{text}`"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def to_parquet(front: Front) -> bytes:
    """Return a front as a Parquet file with the columns of its CSV.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    columns = {name: [line[i] for line in front.rows()] for i, name in enumerate(front.columns)}
    content = io.BytesIO()
    parquet.write_table(arrow.table(columns), content)
    return content.getvalue()
