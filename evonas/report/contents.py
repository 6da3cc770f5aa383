"""Contents of a run, gathered once into plain numbers and texts: all that figures and pages are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evonas.errors import EvonasError, RunError
from evonas.pareto.assemble import make_front
from evonas.pareto.dominance import minimized
from evonas.pareto.front import Front
from evonas.pareto.objective import Constraint, Objective, parse_constraint, split_direction, split_names
from evonas.proxies.nlc_profile import NOTE, NlcProfile
from evonas.report.class_section import read_class_reports
from evonas.runs.run import Run
from evonas.runs.store import EnrolledMember, Evaluation, Note
from evonas.spaces import Space, load_space
from evonas.tables.direction import column_direction
from evonas.tasks import ClassReport, named_measure

UNITS = {"acc": "fraction of images", "flops": "multiply-adds", "params": "parameters", "latency": "ms"}
"""Units of shipped objectives, for runs that have not written their front yet."""
HEADER = 16 * 2**20
"""Bytes beyond which the header of a supernet's file is not read."""


@dataclass(frozen=True)
class Contents:
    """A run's content at one moment.

    Attributes:
        path: The run directory.
        settings: As ``run.toml`` has them.
        manifest: As ``manifest.json`` has it.
        objectives: In the order asked for.
        constraints: Bounds that the search kept to.
        texts: Canonical texts of the n evaluated architectures, in the order reported.
        values: Natural direction, shape ``(n, objectives)``; NaN where an evaluation failed.
        violations: Shape ``(n, constraints)``; above 0 where a constraint is broken.
        generations: Shape ``(n,)``.
        parents: Canonical texts that each descends from.
        causes: Why an evaluation failed, by text.
        front: The non-dominated members.
        known: Further numbers by text, then name.
        nonlinearity: Profiles of nonlinearity by text, where `evonas describe` kept some.
        seconds: Per objective: results stored, and seconds that they took.
        latency: The frozen latency table, or empty.
        supernet: What its training was like: ``epochs`` and ``forgetting``, lists of mappings.
        rounds: What a surrogate chose in each round, in their order: ``predictors`` by number of the objective.
        baseline: ``baseline.json``: the search beside random sampling; empty where that was not asked for.
        ended: Whether the search came to its end.
        classes: Reports of classes of members trained to the end, the latest last, by name.
        further: Stored results of other objectives than those asked for, such as those of bounds, by text, then name.
        times: When the evaluation of each architecture began and ended, seconds since 1970, where that is stored.
    """

    path: Path
    settings: Mapping[str, Any]
    manifest: Mapping[str, Any]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    texts: tuple[str, ...]
    values: np.ndarray
    violations: np.ndarray
    generations: np.ndarray
    parents: tuple[tuple[str, ...], ...]
    causes: Mapping[str, str]
    front: Front
    known: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    nonlinearity: Mapping[str, NlcProfile] = field(default_factory=dict)
    seconds: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)
    supernet: Mapping[str, Any] = field(default_factory=dict)
    rounds: Sequence[Mapping[str, Any]] = ()
    baseline: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = True
    classes: Mapping[str, ClassReport] = field(default_factory=dict)
    further: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    times: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @cached_property
    def minimized(self) -> np.ndarray:
        """Values with every objective minimized, shape ``(n, objectives)``."""
        values: np.ndarray = minimized(self.values, [objective.direction for objective in self.objectives])
        return values

    @cached_property
    def feasible(self) -> np.ndarray:
        """Which architectures were evaluated without failure and keep to all constraints, shape ``(n,)``."""
        kept: np.ndarray = np.isfinite(self.values).all(axis=1) & (self.violations <= 0).all(axis=1)
        return kept

    @cached_property
    def indices(self) -> dict[str, int]:
        """Index of every architecture in the order reported."""
        return {text: i for i, text in enumerate(self.texts)}

    @cached_property
    def space(self) -> Space | None:
        """The space searched, or None where its file is gone or unreadable."""
        try:
            return load_space(self.settings.get("space", "darts"))
        except EvonasError:
            return None


def gather(run: Run, *, ended: bool | None = None) -> Contents:
    """Read all that there is to show of a run; it may still be searching.

    Args:
        run: The run, open.
        ended: Whether the search came to its end: then ``front.json`` is the front. None: whether there is one.
    """
    names = tuple(split_direction(text)[0] for text in split_names(_texts(run, "objectives", ("acc", "flops"))))
    constraints = tuple(map(parse_constraint, _texts(run, "constraint", ())))
    file = run.path / "front.json"
    ended = file.exists() if ended is None else ended
    front = Front.from_json(file.read_bytes()) if ended and file.exists() else None
    objectives = front.objectives if front is not None else _objectives(run, names)
    series, seconds = _series(run.store.evaluations())
    evaluated = _evaluated(run.store.members(), series, names, constraints)
    noted = run.store.notes()
    known = {text: {name: note.value for name, note in notes.items()} for text, notes in noted.items()}
    if front is None:
        front = make_front(evaluated.texts, evaluated.values, objectives, evaluated.violations, known, constraints)
    return Contents(
        path=run.path,
        settings=run.settings,
        manifest=run.manifest,
        objectives=objectives,
        constraints=constraints,
        texts=evaluated.texts,
        values=evaluated.values,
        violations=evaluated.violations,
        generations=evaluated.generations,
        parents=evaluated.parents,
        causes=evaluated.causes,
        front=front,
        known=known,
        nonlinearity={text: profile for text, notes in noted.items() if (profile := _profile(notes)) is not None},
        seconds=seconds,
        latency=json_of(run.path / "latency.json"),
        supernet=_supernet(run.path / "supernet.safetensors"),
        rounds=_rounds(run.store.decisions("surrogate ")),
        baseline=json_of(run.path / "baseline.json"),
        ended=ended,
        classes=read_class_reports(run.path / "models"),
        further=_further(series, names),
        times=run.store.times(),
    )


def _further(
    series: Mapping[tuple[str, str], Mapping[str, Evaluation]], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the results of all objectives but some, by text, then name; of several series the latest."""
    found: dict[str, dict[str, float]] = {}
    for (name, _), rows in series.items():
        if name not in names:
            for text, row in rows.items():
                if row.value is not None:
                    found.setdefault(text, {})[name] = row.value
    return found


class _Evaluated(NamedTuple):
    """Members with all their results, or with the cause of a failure, as `Contents` has them."""

    texts: tuple[str, ...]
    values: np.ndarray
    violations: np.ndarray
    generations: np.ndarray
    parents: tuple[tuple[str, ...], ...]
    causes: dict[str, str]


def _evaluated(
    members: Sequence[EnrolledMember],
    series: Mapping[tuple[str, str], dict[str, Evaluation]],
    names: Sequence[str],
    constraints: Sequence[Constraint],
) -> _Evaluated:
    asked = tuple(dict.fromkeys((*names, *(c.objective for c in constraints))))
    chosen = {name: _chosen(name, series, [member.architecture for member in members]) for name in asked}

    def complete(text: str) -> bool:
        stored = [text in chosen[name] for name in names]
        return all(stored) or (any(stored) and _cause(text, chosen.values()) is not None)

    kept = [member for member in members if complete(member.architecture)]
    texts = tuple(member.architecture for member in kept)
    rows = [[_value(chosen[name].get(text)) for name in asked] for text in texts]
    table = np.array(rows, dtype=np.float64).reshape(len(kept), len(asked))
    broken = [[c.violation(row[asked.index(c.objective)]) for c in constraints] for row in table]
    violations = np.array(broken, dtype=np.float64).reshape(len(kept), len(constraints))
    violations[np.isnan(violations)] = np.inf
    return _Evaluated(
        texts,
        table[:, : len(names)],
        violations,
        np.array([member.generation for member in kept], dtype=np.int64),
        tuple(member.parents for member in kept),
        {text: cause for text in texts if (cause := _cause(text, chosen.values()))},
    )


def _objectives(run: Run, names: Sequence[str]) -> tuple[Objective, ...]:
    """Return the objectives of a run without a front: as its manifest says, or as their names say."""
    stored = {o["name"]: Objective(**o) for o in run.manifest.get("objectives", ())}
    return tuple(stored.get(name) or Objective(name, UNITS.get(name, ""), _direction(name)) for name in names)


def _direction(name: str) -> Any:
    if (measure := named_measure(name)) is not None:
        return measure.direction
    try:
        return column_direction(name)[1]
    except EvonasError:
        return "max"  # a training-free score


def _series(
    rows: Any,
) -> tuple[dict[tuple[str, str], dict[str, Evaluation]], dict[str, tuple[int, float]]]:
    series: dict[tuple[str, str], dict[str, Evaluation]] = {}
    seconds: dict[str, tuple[int, float]] = {}
    for row in rows:
        series.setdefault((row.objective, row.fingerprint), {})[row.architecture] = row
        count, total = seconds.get(row.objective, (0, 0.0))
        seconds[row.objective] = (count + 1, total + row.seconds)
    return series, seconds


def _chosen(
    name: str, series: Mapping[tuple[str, str], dict[str, Evaluation]], texts: Sequence[str]
) -> dict[str, Evaluation]:
    """Return the results of the fingerprint that most members have: others are of other settings."""
    found = [rows for (objective, _), rows in series.items() if objective == name]
    return max(found, key=lambda rows: sum(text in rows for text in texts), default={})


def _value(row: Evaluation | None) -> float:
    return float("nan") if row is None or row.value is None else row.value


def _cause(text: str, chosen: Any) -> str | None:
    return next((rows[text].cause for rows in chosen if text in rows and rows[text].cause), None)


def _texts(run: Run, name: str, default: Sequence[str]) -> list[str]:
    """Return a setting that is a list of texts."""
    texts = run.settings.get(name, default)
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise RunError(f"Expected a list of texts as '{name}' in {run.path / 'run.toml'}, got {texts!r:.60}")
    return list(texts)


def _rounds(decisions: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return what was decided in a surrogate's rounds, by their numbers."""
    numbered = {int(key.split()[1]): value for key, value in decisions.items() if key.split()[1].isdecimal()}
    return tuple(value for _, value in sorted(numbered.items()) if isinstance(value, Mapping))


def _profile(notes: Mapping[str, Note]) -> NlcProfile | None:
    """Return the profile of nonlinearity among an architecture's notes; None where there is none to read."""
    try:
        return NlcProfile.from_json(notes[NOTE].detail)
    except (KeyError, TypeError):
        return None


def json_of(path: Path) -> Mapping[str, Any]:
    """Object that a file holds as JSON; empty where it is missing or damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _supernet(path: Path) -> Mapping[str, Any]:
    """Return the history in the header of a supernet's file, without its weights (or torch)."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > HEADER:
                return {}
            metadata = json.loads(file.read(length)).get("__metadata__", {})
        header = json.loads(metadata["evonas.supernet"])
        log: Mapping[str, Any] = header["log"]
        return log
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
