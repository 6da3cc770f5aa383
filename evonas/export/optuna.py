"""Optuna's storage: an SQLite file that optuna-dashboard opens, one trial per evaluated architecture."""

from __future__ import annotations

import json
import math
import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from evonas.errors import RunError, require
from evonas.files.whole import write_whole
from evonas.pareto.front import Member
from evonas.pareto.short_id import short_id
from evonas.report.contents import Contents
from evonas.spaces import parse_candidate
from evonas.spaces.named_genes import named_genes

SCHEMA = 12
"""Of Optuna's storage; version 5.0 has it as 1.3 had."""
MOMENT = "%Y-%m-%d %H:%M:%S.%f"
"""Local time, as Optuna keeps it."""


def export_optuna(contents: Contents, path: Path) -> None:
    """Write one study: a trial's parameters are the choices by the names of their options, all figures attributes.

    Args:
        contents: The run.
        path: The file to make.

    Raises:
        RunError: The space cannot be read, or Optuna's storage is of another schema.
        MissingExtraError: Optuna is not installed.
    """
    optuna = require("optuna", "export")
    space = contents.space
    if space is None:
        raise RunError(f"The space {contents.settings.get('space')} of {contents.path} cannot be read: put it back")
    kinds = optuna.distributions
    named = named_genes(space, [parse_candidate(text, space) for text in contents.texts]) if contents.texts else None
    genes = {
        name: kinds.distribution_to_json(kinds.CategoricalDistribution(options))
        for name, options in (() if named is None else zip(named.choices, named.options, strict=True))
    }
    pool = require("sqlalchemy.pool", "export")
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # Optuna adds trials one by one, a tenth of a second each: only the study is its own work, in memory.
    storage = optuna.storages.RDBStorage(
        "sqlite://", engine_kwargs={"poolclass": pool.StaticPool, "connect_args": {"check_same_thread": False}}
    )
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=contents.path.resolve().name,
            directions=["maximize" if o.direction == "max" else "minimize" for o in contents.objectives],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([objective.name for objective in contents.objectives])
        study.set_user_attr("settings", dict(contents.settings))
        storage.remove_session()
        connection = storage.engine.raw_connection()
        base: sqlite3.Connection = connection.driver_connection
        _insert_trials(base, contents, genes, [] if named is None else named.genomes.tolist())
        write_whole(path, base.serialize())
        connection.close()
    finally:
        optuna.logging.set_verbosity(verbosity)
        storage.remove_session()
        storage.engine.dispose()


def _insert_trials(
    base: sqlite3.Connection, contents: Contents, genes: Mapping[str, str], genomes: Sequence[Sequence[int]]
) -> None:
    """Write all trials in one transaction, as Optuna's schema has them."""
    ((schema,),) = base.execute("SELECT schema_version FROM version_info")
    ((study,),) = base.execute("SELECT study_id FROM studies")
    if schema != SCHEMA:
        raise RunError(f"Expected Optuna's storage schema {SCHEMA}, got {schema}: install another version of optuna")
    trials, values, params, users, systems = [], [], [], [], []
    members = {member.architecture: member for member in contents.front}
    for i, text in enumerate(contents.texts):
        whole = all(map(math.isfinite, contents.values[i]))
        trials.append((i + 1, i, study, "COMPLETE" if whole else "FAIL"))
        params += [(i + 1, name, float(gene), genes[name]) for name, gene in zip(genes, genomes[i], strict=True)]
        attributes = _attributes(contents, i, members.get(text))
        if whole:
            values += [(i + 1, index, float(value), "FINITE") for index, value in enumerate(contents.values[i])]
        users += [(i + 1, key, json.dumps(value)) for key, value in attributes.items()]
        if whole and contents.violations.size:
            # What Optuna's own samplers write: above 0 is infeasible.
            systems.append((i + 1, "constraints", json.dumps(contents.violations[i].tolist())))
    moments = [_moments(contents, text) for text in contents.texts]
    rows: dict[str, list[Any]] = {
        "trials (trial_id, number, study_id, state, datetime_start, datetime_complete)": [
            (*trial, *moment) for trial, moment in zip(trials, moments, strict=True)
        ],
        "trial_values (trial_id, objective, value, value_type)": values,
        "trial_params (trial_id, param_name, param_value, distribution_json)": params,
        "trial_user_attributes (trial_id, key, value_json)": users,
        "trial_system_attributes (trial_id, key, value_json)": systems,
    }
    for table, content in rows.items():
        base.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * (1 + table.count(',')))})", content)
    base.commit()


def _attributes(contents: Contents, index: int, member: Member | None) -> dict[str, Any]:
    """Return all that is known of an evaluated architecture beside its choices and objectives."""
    text = contents.texts[index]
    found: dict[str, Any] = {"architecture": text, "id": short_id(text), "generation": int(contents.generations[index])}
    found |= {**contents.further.get(text, {}), **contents.known.get(text, {})}
    if member is not None:
        found |= {**member.known, "front": True}
    if contents.parents[index]:
        found["parents"] = list(contents.parents[index])
    if text in contents.causes:
        found["cause"] = contents.causes[text]
    return found


def _moments(contents: Contents, text: str) -> tuple[str, str]:
    """Return when an evaluation began and ended, as Optuna writes it; where that is not stored, the run's own time."""
    try:
        made = datetime.strptime(str(contents.manifest.get("created")), "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        made = contents.path.stat().st_mtime
    began, ended = (datetime.fromtimestamp(at) for at in contents.times.get(text, (made, made)))
    return began.strftime(MOMENT), ended.strftime(MOMENT)
