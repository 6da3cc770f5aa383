"""Training of the general predictor from tables, judged on each space by the variant that has not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evonas.benchmarks.judged_table import JudgedTable
from evonas.errors import SettingsError
from evonas.pareto.correlation import spearman
from evonas.predictors.general import PredictorFile, TrainedOn, TraitTable, fit_general
from evonas.tables.known import KNOWN_TABLES

__all__ = ["train_predictor"]

UNKNOWN = "not stated"


def train_predictor(tables: Sequence[JudgedTable], *, sources: dict[str, str] | None = None) -> PredictorFile:
    """Return a general predictor learned from tables, and one without each of their spaces.

    Args:
        tables: Of two spaces or more.
        sources: Source and licence of tables that are not known, ``SOURCE (LICENCE)``, by the name of their file.

    Raises:
        SettingsError: Tables of one space alone, or two of one space.
    """
    spaces = [table.space_name for table in tables]
    if len(set(spaces)) < 2 or len(set(spaces)) < len(spaces):
        raise SettingsError(
            f"Expected tables of two or more spaces, one for each, got {', '.join(spaces) or 'none'}: what carries "
            "over between spaces is learned from several"
        )
    learned = [TraitTable(table.traits, table.values) for table in tables]
    without, judged = {}, {}
    for i, table in enumerate(tables):
        without[table.space_name] = fit_general(learned[:i] + learned[i + 1 :])
        scores = without[table.space_name](table.traits, table.reference)
        figures = {"spearman": spearman(scores, table.values), "flops": spearman(table.flops, table.values)}
        judged[table.space_name] = {name: round(value, 4) for name, value in figures.items()} | {"n": len(table)}
    trained_on = [_trained_on(table, sources or {}) for table in tables]
    return PredictorFile(fit_general(learned), without, trained_on, judged)


def _trained_on(table: JudgedTable, sources: dict[str, str]) -> TrainedOn:
    file = Path(table.name.file).name
    name = file.partition(".")[0]
    known = next((one for one in KNOWN_TABLES if one.name == name and one.space == table.space_name), None)
    source, licence = (known.source, known.licence) if known else (UNKNOWN, UNKNOWN)
    if name in sources:
        source, _, rest = sources[name].rpartition(" (")
        licence = rest.rstrip(")")
    return TrainedOn(file, table.space_name, table.name.column, len(table), source, licence)
