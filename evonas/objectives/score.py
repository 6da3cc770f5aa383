"""Scoring a list of architectures: the rows of a CSV file with a column per training-free score added."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import DataError, EvaluationError, SettingsError, SpaceError
from evonas.files.csv import to_csv
from evonas.files.progress import Progress, Silent
from evonas.files.whole import write_whole
from evonas.objectives.contract import Context
from evonas.objectives.proxy import Scores
from evonas.objectives.rank import RankEvaluator, ranked_proxies
from evonas.proxies import load_proxy
from evonas.proxies.registry import check_proxy
from evonas.spaces import Architecture, Candidate
from evonas.tables.architectures import find_architectures
from evonas.tables.csv_file import read_csv

OWN = "_scored"
"""Behind the name of a score whose name is that of a column of the file, such as a published table of scores."""


@dataclass(frozen=True)
class Report:
    """Outcome of scoring a file.

    Attributes:
        rows: Rows written.
        scored: Score to the rows that have it.
        causes: Score to the first cause why a row has none.
        columns: Score to the column that it stands in where that is not the score's own name.
        seconds: Spent on scoring.
    """

    rows: int
    scored: dict[str, int]
    causes: dict[str, str]
    columns: dict[str, str]
    seconds: float


def score_file(
    context: Context,
    names: Sequence[str],
    archs: str | Path,
    out: str | Path,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Write a file's rows with one column per score added; a cell is empty where a score failed.

    A score stands in the column of its name, with `OWN` behind where the file has such a column.

    Architectures are scored as written. Proxies that declare the same skeleton, initialization and batch share
    network and forward pass.

    Args:
        context: Space and data.
        names: Proxies, such as ``swap`` or ``swap(mu=40,sigma=900)``, or rankings of them: ``rank(swap,synflow)``.
        archs: CSV file, plain or gzip; the architecture is found as `evonas.tables.load.load_table` finds it.
        out: File to write whole; gzip where its name ends in ``.gz``. Nothing may be there.
        limit: Score the first rows alone.
        progress: Shows how far it is.

    Raises:
        SettingsError: An unknown score, an `out` that exists already, or both columns that a score may stand in.
        DataError: The file cannot be read, or a row holds no architecture of the space.
    """
    archs, out = Path(archs), Path(out)
    _refuse(out, names)  # before a large file is read
    columns = read_csv(archs)
    headings = _headings(names, columns, archs.name)
    _, texts = find_architectures(columns, context.space, source=archs.name)
    columns = {name: cells[:limit] for name, cells in columns.items()}
    architectures = _parse(texts[:limit], context, archs.name)
    score = _Scorer(context, names)
    cells: dict[str, list[str]] = {name: [] for name in names}
    causes: dict[str, str] = {}
    began = time.perf_counter()
    with (progress or Silent()).task(f"Scoring by {', '.join(names)}", len(architectures)) as task:
        for architecture in architectures:
            for name, value in score(architecture).items():
                cells[name].append("" if isinstance(value, str) else repr(value))
                if isinstance(value, str):
                    causes.setdefault(name, value)
            task.advance(1)
    seconds = time.perf_counter() - began
    _write(out, {**columns, **{headings[name]: column for name, column in cells.items()}})
    scored = {name: sum(cell != "" for cell in cells[name]) for name in names}
    renamed = {name: heading for name, heading in headings.items() if heading != name}
    return Report(len(architectures), scored, causes, renamed, seconds)


class _Scorer:
    """Scores of one architecture by name; a text is the cause why there is none."""

    def __init__(self, context: Context, names: Sequence[str]) -> None:
        self._plain = [name for name in names if not ranked_proxies(name)]
        chosen = [load_proxy(name) for name in self._plain]
        self._together = Scores(context, chosen) if chosen else None
        self._ranks = {name: RankEvaluator(context, name) for name in names if name not in self._plain}

    def __call__(self, architecture: Architecture) -> dict[str, float | str]:
        found: dict[str, float | str] = {}
        scores = self._together(architecture) if self._together else ()
        for name, score in zip(self._plain, scores, strict=True):
            found[name] = str(score) if isinstance(score, EvaluationError) else score
        for name, evaluator in self._ranks.items():
            (row,) = evaluator.evaluate([Candidate(architecture)])
            rank = row[name].value
            found[name] = rank if rank is not None else str(row[name].cause)
        return found


def _refuse(out: Path, names: Sequence[str]) -> None:
    """Raise `SettingsError` where `out` exists already or a score is unknown."""
    if out.exists():
        raise SettingsError(f"{out} exists already: choose another --out")
    for name in names:
        if not ranked_proxies(name):
            check_proxy(name)


def _headings(names: Sequence[str], columns: Mapping[str, object], source: str) -> dict[str, str]:
    """Return the column that each score stands in.

    Raises:
        SettingsError: The file has both columns that a score may stand in.
    """
    for name in names:
        if {name, name + OWN} <= columns.keys():
            raise SettingsError(f"{source} has columns '{name}' and '{name}{OWN}' already: rename one of them")
    return {name: name + OWN if name in columns else name for name in names}


def _parse(texts: Sequence[str], context: Context, source: str) -> list[Architecture]:
    parsed = []
    for row, text in enumerate(texts, 1):
        try:
            parsed.append(context.space.parse(text))
        except SpaceError as error:
            raise DataError(f"Row {row} of {source} is no architecture of {context.space.name}: {error}") from error
    return parsed


def _write(path: Path, columns: dict[str, list[str]]) -> None:
    content = to_csv([tuple(columns), *zip(*columns.values(), strict=True)]).encode()
    write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
