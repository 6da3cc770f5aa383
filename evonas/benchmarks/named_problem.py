"""Named problems of `bench search`: a space, columns of a table and their directions, in TOML files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evonas.errors import SettingsError, suggest
from evonas.files.toml import read_toml
from evonas.files.wording import word_error
from evonas.pareto.objective import split_direction

__all__ = ["NamedProblem", "chosen_problem", "describe_problems", "load_problem", "named_problems"]

_FOLDER = Path(__file__).with_name("problems")


class _File(BaseModel):
    """Content of a problem's file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    source: str = Field(min_length=1)
    differs: str
    space: str
    tables: list[str] = Field(min_length=1)
    objectives: dict[str, str] = Field(min_length=2)


@dataclass(frozen=True)
class NamedProblem:
    """A search problem on a table that a user has.

    Attributes:
        name: What ``--problem`` calls it.
        source: Where it is defined.
        differs: What is not as defined there, in one line.
        space: Name of the space.
        tables: Tables by path, or by their name in the folder ``EVONAS_DATA``.
        objectives: What each objective is -> its column, or a cost that is computed, perhaps with ``:max`` or ``:min``.
    """

    name: str
    source: str
    differs: str
    space: str
    tables: tuple[str, ...]
    objectives: Mapping[str, str]

    def with_columns(self, columns: Sequence[str]) -> NamedProblem:
        """Return the problem with other columns.

        Args:
            columns: ``OBJECTIVE=COLUMN``, perhaps with ``:max`` or ``:min``; without, the direction stays.

        Raises:
            SettingsError: A text of another form, or no such objective.
        """
        objectives = dict(self.objectives)
        for text in columns:
            name, sign, column = text.partition("=")
            if not sign or not column:
                raise SettingsError(f"Expected OBJECTIVE=COLUMN such as err=top1:max, got '{text}'")
            if name not in objectives:
                known = ", ".join(objectives)
                raise SettingsError(f"{self.name} has the objectives {known}, got '{name}'.{suggest(name, objectives)}")
            direction = split_direction(objectives[name])[1]
            objectives[name] = column if split_direction(column)[1] or not direction else f"{column}:{direction}"
        return replace(self, objectives=objectives)


def named_problems() -> dict[str, Path]:
    """Return the files of the problems that ship, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def load_problem(name: str) -> NamedProblem:
    """Return a problem.

    Args:
        name: Of one that ships, or a TOML file of the same form.

    Raises:
        SettingsError: No such problem, or a file of another form.
    """
    files = named_problems()
    if name not in files and not name.endswith(".toml"):
        raise SettingsError(
            f"Expected a problem of {', '.join(files)}, or a TOML file, got '{name}'.{suggest(name, files)}"
        )
    path = files.get(name, Path(name))
    try:
        held = _File.model_validate(read_toml(path, "the problem"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {key}: {word_error(first)}") from None
    return NamedProblem(path.stem, held.source, held.differs, held.space, tuple(held.tables), held.objectives)


def chosen_problem(
    name: str | None,
    *,
    space: str | None,
    objectives: str | None,
    tables: Sequence[str | os.PathLike[str]],
    columns: Sequence[str],
) -> NamedProblem:
    """Return the named problem, or the one that a space, objectives and tables are.

    Args:
        name: See `load_problem`; None: the others say all.
        space: Of a problem without a name.
        objectives: Likewise, ``"NAME:max,NAME:min"``.
        tables: Measured truth; of a named problem instead of the tables that it names.
        columns: See `NamedProblem.with_columns`.

    Raises:
        SettingsError: Too little, or what a named problem fixes.
    """
    if name is not None:
        if space is not None or objectives is not None:
            raise SettingsError(f"The problem '{name}' has a space and objectives: leave these out, or the problem")
        named = load_problem(name).with_columns(columns)
        return replace(named, tables=tuple(map(str, tables))) if tables else named
    if columns:
        raise SettingsError("Columns are given to the objectives of a named problem: name one with --problem")
    if space is None or objectives is None or not tables:
        raise SettingsError("Expected a problem, or a space, tables and objectives: see  evonas bench problems")
    texts = [text for text in objectives.split(",") if text.strip()]
    return NamedProblem("", "", "", space, tuple(map(str, tables)), {str(i): text for i, text in enumerate(texts)})


def describe_problems() -> list[dict[str, str]]:
    """Return name, objectives, space, tables, source and what differs of each problem that ships."""
    rows = []
    for problem in map(load_problem, named_problems()):
        rows.append(
            {
                "problem": problem.name,
                "objectives": ", ".join(problem.objectives),
                "space": problem.space,
                "tables": ", ".join(problem.tables),
                "source": problem.source,
                "differs": problem.differs,
            }
        )
    return rows
