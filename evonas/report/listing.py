"""The front as rows of text: for the terminal, Markdown and Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence

from evonas.errors import require
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.report.origins import number


def heading(objective: Objective) -> str:
    """Return an objective's name with the direction that is better, and its unit."""
    arrow = "↑" if objective.direction == "max" else "↓"
    return f"{objective.name} {arrow}" + (f" ({objective.unit})" if objective.unit else "")


def further(front: Front) -> list[str]:
    """Return the names of what is known of members beyond the objectives."""
    names = {objective.name for objective in front.objectives}
    return sorted({name for member in front for name in member.known} - names)


def front_indices(front: Front, kept: Front) -> list[int]:
    """Return the numbers that members kept of a front have on the whole of it, for ``index:N``."""
    numbers = {member.architecture: i for i, member in enumerate(front)}
    return [numbers[member.architecture] for member in kept]


def row(index: int, member: Member, objectives: Sequence[Objective], names: Sequence[str]) -> list[str]:
    """Return a member's cells: number (with ! where it breaks a constraint), objectives, further numbers."""
    return [
        f"{index}{' !' if member.breaks else ''}",
        *(number(member.values[objective.name], pad=True) for objective in objectives),
        *(number(member.known[name], pad=True) if name in member.known else "" for name in names),
    ]


def to_markdown(front: Front, numbers: Sequence[int]) -> str:
    """Return a front as a Markdown table with the architectures' texts.

    Args:
        front: The front.
        numbers: Number of each member.
    """
    names = further(front)
    titles = ["index", *map(heading, front.objectives), *names, "architecture"]
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
