"""Optuna's storage: an SQLite file that optuna-dashboard opens, one trial per evaluated architecture."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evonas.errors import RunError, require
from evonas.files.whole import write_whole
from evonas.report.contents import Contents
from evonas.spaces import Space

SCHEMA = 12
"""Of Optuna's storage; version 5.0 has it as 1.3 had."""


def export_optuna(contents: Contents, path: Path) -> None:
    """Write one study; a trial's parameters are the genes of the architecture, its text is an attribute."""
    optuna = require("optuna", "export")
    space = contents.space
    if space is None:
        raise RunError(f"The space {contents.settings.get('space')} of {contents.path} cannot be read: put it back")
    kinds = optuna.distributions
    genes = {
        name: kinds.distribution_to_json(kinds.CategoricalDistribution(tuple(range(int(n)))))
        for name, n in zip(space.choices, space.cardinalities, strict=True)
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
        _insert_trials(base, contents, space, genes)
        write_whole(path, base.serialize())
        connection.close()
    finally:
        optuna.logging.set_verbosity(verbosity)
        storage.remove_session()
        storage.engine.dispose()


def _insert_trials(base: sqlite3.Connection, contents: Contents, space: Space, genes: Mapping[str, str]) -> None:
    """Write all trials in one transaction, as Optuna's schema has them."""
    ((schema,),) = base.execute("SELECT schema_version FROM version_info")
    ((study,),) = base.execute("SELECT study_id FROM studies")
    if schema != SCHEMA:
        raise RunError(f"Expected Optuna's storage schema {SCHEMA}, got {schema}: install another version of optuna")
    trials, values, params, users, systems = [], [], [], [], []
    for i, text in enumerate(contents.texts):
        whole = all(map(math.isfinite, contents.values[i]))
        trials.append((i + 1, i, study, "COMPLETE" if whole else "FAIL"))
        genome = space.encode(space.parse(text))
        params += [(i + 1, name, float(gene), genes[name]) for name, gene in zip(genes, genome, strict=True)]
        attributes: dict[str, Any] = {"architecture": text, "generation": int(contents.generations[i])}
        attributes |= dict(contents.known.get(text, {}))
        if contents.parents[i]:
            attributes["parents"] = list(contents.parents[i])
        if whole:
            values += [(i + 1, place, float(value), "FINITE") for place, value in enumerate(contents.values[i])]
        else:
            attributes["cause"] = contents.causes.get(text, "unknown")
        users += [(i + 1, key, json.dumps(value)) for key, value in attributes.items()]
        if whole and contents.violations.size:
            # What Optuna's own samplers write: above 0 is infeasible.
            systems.append((i + 1, "constraints", json.dumps(contents.violations[i].tolist())))
    now = time.strftime("%Y-%m-%d %H:%M:%S.000000")
    rows: dict[str, list[Any]] = {
        "trials (trial_id, number, study_id, state, datetime_start, datetime_complete)": [
            (*trial, now, now) for trial in trials
        ],
        "trial_values (trial_id, objective, value, value_type)": values,
        "trial_params (trial_id, param_name, param_value, distribution_json)": params,
        "trial_user_attributes (trial_id, key, value_json)": users,
        "trial_system_attributes (trial_id, key, value_json)": systems,
    }
    for table, content in rows.items():
        base.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * (1 + table.count(',')))})", content)
    base.commit()
