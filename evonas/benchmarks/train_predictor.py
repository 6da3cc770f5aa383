"""Training of the general predictor from tables, judged on each space by the variant that has not seen it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from evonas.benchmarks.judged_table import JudgedTable
from evonas.errors import SettingsError, suggest
from evonas.pareto.correlation import spearman
from evonas.predictors.general import PredictorFile, TrainedOn, TraitTable, fit_general
from evonas.tables.known import KNOWN_TABLES

__all__ = ["train_predictor"]

UNKNOWN = "not stated"
SOURCE = re.compile(r"(\S.*?) \(([^()]+)\)")
"""Source of a table and its licence at the end."""


def train_predictor(tables: Sequence[JudgedTable], *, sources: Mapping[str, str] | None = None) -> PredictorFile:
    """Return a general predictor learned from tables, and one without each of their spaces.

    Args:
        tables: Of two spaces or more.
        sources: Source and licence of tables that are not known, ``SOURCE (LICENCE)``, by the name of their file
            without its ending.

    Raises:
        SettingsError: Tables of one space alone, two of one space, or a source of another form or of no such table.
    """
    spaces = [table.space_name for table in tables]
    if len(set(spaces)) < 2 or len(set(spaces)) < len(spaces):
        raise SettingsError(
            f"Expected tables of two or more spaces, one for each, got {', '.join(spaces) or 'none'}: what carries "
            "over between spaces is learned from several"
        )
    stated = _stated(sources or {}, tables)
    learned = [TraitTable(table.traits, table.values) for table in tables]
    without, judged = {}, {}
    for i, table in enumerate(tables):
        without[table.space_name] = fit_general(learned[:i] + learned[i + 1 :])
        scores = without[table.space_name](table.traits, table.reference)
        figures = {"spearman": spearman(scores, table.values), "flops": spearman(table.flops, table.values)}
        judged[table.space_name] = {name: round(value, 4) for name, value in figures.items()} | {"n": len(table)}
    trained_on = [_trained_on(table, stated) for table in tables]
    return PredictorFile(fit_general(learned), without, trained_on, judged)


def _stated(sources: Mapping[str, str], tables: Sequence[JudgedTable]) -> dict[str, tuple[str, str]]:
    """Return source and licence of tables by the names of their files."""
    names, found = {_stem(table) for table in tables}, {}
    for name, text in sources.items():
        if name not in names:
            raise SettingsError(
                f"Expected the source of one of the tables {', '.join(sorted(names))}, got one of '{name}'."
                f"{suggest(name, names)}"
            )
        parts = SOURCE.fullmatch(text.strip())
        if parts is None:
            raise SettingsError(
                f"Expected the source of {name} as SOURCE (LICENCE), such as 'our laboratory (CC0)', got '{text}'"
            )
        found[name] = parts[1], parts[2]
    return found


def _stem(table: JudgedTable) -> str:
    return Path(table.name.file).name.partition(".")[0]


def _trained_on(table: JudgedTable, stated: Mapping[str, tuple[str, str]]) -> TrainedOn:
    name = _stem(table)
    known = next((one for one in KNOWN_TABLES if one.name == name and one.space == table.space_name), None)
    source, licence = stated.get(name, (known.source, known.licence) if known else (UNKNOWN, UNKNOWN))
    return TrainedOn(Path(table.name.file).name, table.space_name, table.name.column, len(table), source, licence)
