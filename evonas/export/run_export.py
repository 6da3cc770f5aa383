"""A run in the formats of other tools: Optuna's storage, TensorBoard's scalars, MLflow's tracking."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evonas.errors import RunError, SettingsError, require, suggest
from evonas.export.live import connect, log_files, start_run
from evonas.files.whole import write_whole
from evonas.report.contents import Contents, gather
from evonas.report.figures import progress
from evonas.runs.run import Run
from evonas.spaces import Space

FORMATS = ("optuna", "tensorboard", "mlflow")
_BATCH = 500
"""Metrics that MLflow takes at once; its own bound is 1000."""
SCHEMA = 12
"""Of Optuna's storage; version 5.0 has it as 1.3 had."""


def export_run(run: Run, to: str, out: str | Path | None = None, *, uri: str | None = None) -> str:
    """Write a run for another tool.

    Args:
        run: The run, open; it may still be searching.
        to: ``optuna``: an SQLite file that optuna-dashboard opens, one trial per evaluated architecture;
            ``tensorboard``: a folder of scalars; ``mlflow``: a run of a tracking server.
        out: The file or folder to make; for the first two.
        uri: Tracking URI, such as ``http://localhost:5000`` or ``sqlite:///mlflow.db``; for MLflow.

    Returns:
        Where it was written.

    Raises:
        SettingsError: Another format, or no place for this one.
        MissingExtraError: The tool's package is not installed.
        RunError: Nothing was evaluated yet, or something is at `out` already.
    """
    if to not in FORMATS:
        raise SettingsError(f"Expected --to {', '.join(FORMATS)}, got '{to}'.{suggest(to, FORMATS)}")
    needed, place = ("--uri", uri) if to == "mlflow" else ("--out", out)
    if not place:
        raise SettingsError(f"Expected {needed} for --to {to}, got none")
    contents = gather(run)
    if not contents.texts:
        raise RunError(f"{run.path} has no evaluations to export yet: search on with  evonas resume {run.path}")
    if to == "mlflow":
        return _to_mlflow(contents, str(uri))
    path = Path(place)
    if path.exists() and not (path.is_dir() and not any(path.iterdir()) and to == "tensorboard"):
        raise RunError(f"Expected nothing at {path}, but it exists: choose another --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}; check that its folder is one, and yours") from error
    (_to_optuna if to == "optuna" else _to_tensorboard)(contents, path)
    return str(path)


def _to_optuna(contents: Contents, path: Path) -> None:
    """Write one study; a trial's parameters are the genes of the architecture, its text is an attribute."""
    optuna = require("optuna", "export")
    space = contents.space
    if space is None:
        raise RunError(f"The space {contents.settings.get('space')} of {contents.path} cannot be read: put it back")
    kinds = optuna.distributions
    genes = {
        name: kinds.distribution_to_json(kinds.CategoricalDistribution(tuple(range(int(n)))))
        for name, n in zip(space.choices, space.cardinalities)
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
        params += [(i + 1, name, float(gene), genes[name]) for name, gene in zip(genes, genome)]
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


def _to_tensorboard(contents: Contents, path: Path) -> None:
    require("tensorboard", "export")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(path)) as writer:
        for name, value, step in _scalars(contents):
            writer.add_scalar(name, value, step)
        writer.add_text("settings", "\n".join(f"    {k} = {v}" for k, v in contents.settings.items()))


def _to_mlflow(contents: Contents, uri: str) -> str:
    mlflow = require("mlflow", "export")
    client, experiment = connect(mlflow, uri)
    number, now = start_run(mlflow, client, experiment, contents.path, contents.settings), int(1000 * time.time())
    metrics = [mlflow.entities.Metric(name, value, now, step) for name, value, step in _scalars(contents)]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(number, metrics=metrics[start : start + _BATCH])
    log_files(client, number, contents.path)
    client.set_terminated(number)
    return f"{uri}, experiment evonas, run {number}"


def _scalars(contents: Contents) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of every number that changes during a search."""
    for i, objective in enumerate(contents.objectives):
        for step, value in enumerate(contents.values[:, i], start=1):
            if math.isfinite(value):
                yield f"evaluations/{objective.name}", float(value), step
    curve = progress(contents)
    sides = {"search": curve, **curve.get("others", {})}
    for name, side in sides.items():
        for step, value in zip(side["evaluations"], side["hypervolume"]):
            yield f"hypervolume/{name.replace(' ', '_')}", float(value), int(step)
    for step, epoch in enumerate(contents.supernet.get("epochs", ()), start=1):
        if math.isfinite(epoch.get("loss", math.nan)):
            yield "supernet/loss", float(epoch["loss"]), step
