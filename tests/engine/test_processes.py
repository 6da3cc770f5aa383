"""Worker processes: the same values as without, and each way of failing costs only its architecture."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from evonas.engine import FAILURES_IN_A_ROW, LocalEngine, ProcessPool, WorkerSpec
from evonas.errors import EvaluationError
from evonas.runs.store import Store
from evonas.spaces import as_candidates, load_space

sys.path.insert(0, str(Path(__file__).parent))
from faulty import make

TIMEOUT = 15.0
"""Seconds after which what hangs counts as failed, where sound evaluations run beside it, maybe on a busy machine."""


@pytest.fixture(scope="module")
def forms():
    space = load_space("darts")
    return [space.canonical(space.decode(g)) for g in space.sample(12, np.random.default_rng(0))]


@pytest.fixture
def build(tmp_path):
    """Give an engine with workers for a plan of failures; all end with the test."""
    made = []

    def build(plan=(), workers=2, timeout=None, **options):
        (tmp_path / "calls").touch()
        arguments = {"plan": dict(plan), "folder": str(tmp_path), **options}
        _, evaluators = make(dict(plan), str(tmp_path))
        pool = None
        if workers:
            spec = WorkerSpec("faulty:make", arguments, {"length": "f"}, threads=1)
            pool = ProcessPool(spec, workers, timeout=timeout)
        store = Store(tmp_path / f"{len(made)}.sqlite", create=True)
        made.append((pool, store))
        return LocalEngine(evaluators, store, pool)

    yield build
    for pool, store in made:
        if pool is not None:
            pool.close()
        store.close()


def calls(tmp_path) -> list[str]:
    return (tmp_path / "calls").read_text().split("\n")[:-1]


def test_values_are_those_without_workers_and_are_stored_once(forms, build, tmp_path):
    alone = build(workers=0).evaluate(as_candidates(forms), ["twice", "length"])
    (tmp_path / "calls").write_text("")
    engine, told = build({str(forms[2]): "print", str(forms[3]): "threads"}), []
    alone[3] = 1.0  # thread, and in no way as many as there are cores
    assert (engine.evaluate(as_candidates(forms), ["twice", "length"], told.append) == alone).all()
    assert sum(told) == len(forms)
    assert sorted(calls(tmp_path)) == sorted(map(str, forms))
    assert (engine.evaluate(as_candidates(forms), ["length"]) == alone[:, 1:]).all()
    assert engine.computed == len(forms) == len(calls(tmp_path))
    assert engine.efficiency > 0


CAUSES = {
    "raise": r"KeyError: 'no such",
    "nan": r"ValueError: Expected a finite value, got nan",
    "memory": r"MemoryError: Unable to allocate",
    "short": r"expected a result of twice",
    "hang": r"the worker took longer than 15 s twice",
    "die": r"the worker was killed by SIGKILL, as the kernel does when memory runs out twice",
    "exit": r"the worker ended with status 3 twice",
}


@pytest.mark.slow
def test_each_way_of_failing_costs_only_its_architecture(forms, build, tmp_path):
    # The architectures behind the last cause succeed.
    plan = {str(form): way for form, way in zip(forms, CAUSES, strict=False)}
    engine = build(plan, timeout=TIMEOUT)
    values = engine.evaluate(as_candidates(forms), ["length", "twice"])
    assert np.isnan(values).all(axis=1).tolist() == [str(form) in plan for form in forms]
    for text, way in plan.items():
        for name in ("length", "twice"):
            stored = engine.store.lookup([text], name, "f")[text]
            assert stored.value is None
            assert re.search(CAUSES[way], stored.cause), stored.cause
            assert "\n" not in stored.cause
        assert calls(tmp_path).count(text) == (2 if way in ("hang", "die", "exit") else 1)
    engine.evaluate(as_candidates(forms), ["length", "twice"])
    assert engine.computed == len(forms)  # failures are results as well


def test_a_worker_that_dies_once_costs_nothing_and_others_fail_alone(forms, build, tmp_path):
    # The architectures behind the last cause succeed.
    plan = {str(form): way for form, way in zip(forms, ("once", "raise", "nan", "memory", "short"), strict=False)}
    engine = build(plan, workers=1)
    values = engine.evaluate(as_candidates(forms[:7]), ["length"])
    assert np.isnan(values[:, 0]).tolist() == [False, True, True, True, True, False, False]
    assert values[0, 0] == len(str(forms[0]))
    assert calls(tmp_path).count(str(forms[0])) == 2
    for text, way in list(plan.items())[1:]:
        assert re.search(CAUSES[way], engine.store.lookup([text], "twice", "f")[text].cause)


def test_a_hang_is_a_failure_that_can_be_tried_again(forms, build, monkeypatch):
    # A second try would wait as long again.
    monkeypatch.setattr("evonas.engine.workers.JOB_RETRIES", 0)
    engine = build({str(forms[0]): "hang"}, workers=1, timeout=1.0)
    assert np.isnan(engine.evaluate(as_candidates(forms[:1]), ["length"])).all()
    assert "took longer than 1 s" in engine.store.lookup([str(forms[0])], "length", "f")[str(forms[0])].cause
    assert engine.store.forget_failures() == 2
    assert engine.store.lookup([str(forms[0])], "length", "f") == {}


def test_exceptions_and_nan_without_workers(forms, build):
    # The architectures behind the last cause succeed.
    plan = {str(form): way for form, way in zip(forms, ("raise", "nan", "memory", "short"), strict=False)}
    engine = build(plan, workers=0)
    values = engine.evaluate(as_candidates(forms), ["length", "twice"])
    assert np.isnan(values).all(axis=1).tolist() == [str(form) in plan for form in forms]
    for text, way in plan.items():
        assert re.search(CAUSES[way], engine.store.lookup([text], "twice", "f")[text].cause)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_ten_failures_in_a_row_stop_with_the_cause_and_are_stored(forms, build, workers):
    engine = build({str(form): "raise" for form in forms}, workers)
    with pytest.raises(EvaluationError, match=r"10 evaluations in a row failed, the last with: KeyError"):
        engine.evaluate(as_candidates(forms), ["length"])
    assert len(list(engine.store.evaluations())) == 2 * FAILURES_IN_A_ROW


@pytest.mark.parametrize(
    ("options", "fingerprint", "message"),
    [
        ({"fail": "error"}, "f", "A worker cannot start: ValueError: no data here"),
        pytest.param(
            {"fail": "die"},
            "f",
            "3 workers in a row did not start, the last: it ended with status 4",
            marks=pytest.mark.slow,
        ),
        ({}, "g", "has fingerprint f, the search's g: data, weights or versions differ"),
    ],
)
def test_workers_that_cannot_start_stop_the_search(forms, tmp_path, options, fingerprint, message):
    arguments = {"plan": {}, "folder": str(tmp_path), **options}
    pool = ProcessPool(WorkerSpec("faulty:make", arguments, {"length": fingerprint}), 1)
    engine = LocalEngine(make({}, str(tmp_path))[1], Store(tmp_path / "s", create=True), pool)
    with pytest.raises(EvaluationError, match=message):
        engine.evaluate(as_candidates(forms), ["length"])
    pool.close()
    engine.store.close()


def test_a_worker_ends_with_the_process_that_started_it(forms, tmp_path):
    spec = WorkerSpec("faulty:make", {"plan": {str(forms[0]): "hang"}, "folder": str(tmp_path)}, {})
    worker = subprocess.Popen(
        [sys.executable, "-m", "evonas.engine.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    worker.stdin.write(json.dumps(asdict(spec)) + "\n")
    worker.stdin.flush()
    assert json.loads(worker.stdout.readline())["ready"] == worker.pid
    worker.stdin.write(json.dumps([0, "length", str(forms[0])]) + "\n")
    worker.stdin.flush()
    while worker.poll() is None and not (tmp_path / "calls").exists():
        time.sleep(0.01)
    worker.stdin.close()  # as when the search is killed
    assert worker.wait(900) == 0  # the evaluation alone would take longer
    worker.stdout.close()
