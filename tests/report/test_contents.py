from __future__ import annotations

import numpy as np
import pytest

from evonas.report import gather
from evonas.runs.run import Run
from evonas.runs.store import Evaluation


def test_a_run_is_gathered_in_the_order_told(make_run):
    with Run.open(make_run(n=50, population=20, failures=2)) as run:
        contents = gather(run)
    assert contents.values.shape == (50, 2)
    assert contents.generations.tolist() == [0] * 20 + [1] * 20 + [2] * 10
    assert np.isnan(contents.values).sum() == 2
    assert set(contents.causes.values()) == {"out of memory"}
    assert [contents.indices[text] for text in contents.texts] == list(range(50))
    assert contents.feasible.sum() == 48
    assert contents.seconds["acc"] == (50, pytest.approx(5.0))
    assert contents.ended


def test_a_search_under_way_has_the_front_of_what_is_known(make_run):
    whole, part = make_run("whole", n=60), make_run("part", n=60, ended=False)
    with Run.open(whole) as run:
        front = gather(run).front
    with Run.open(part, write=True) as run:
        run.store.enroll(9, ["asked for, not yet evaluated"])
        contents = gather(run)
    assert not contents.ended
    assert len(contents.texts) == 60
    assert [o.direction for o in contents.objectives] == ["max", "min"]
    assert [m.architecture for m in contents.front] == [m.architecture for m in front]
    assert contents.front.hypervolume == pytest.approx(front.hypervolume)


def test_an_old_front_is_not_shown_of_a_search_that_goes_on(make_run):
    with Run.open(make_run(n=60, population=60), write=True) as run:
        run.store.enroll(1, ["better"])
        run.store.record([Evaluation("better", "acc", "print-acc", 1.0, None, 0.0)])
        run.store.record([Evaluation("better", "flops", "print-flops", 1.0, None, 0.0)])
        assert len(gather(run).front) > 1
        assert [m.architecture for m in gather(run, ended=False).front] == ["better"]


def test_results_of_other_settings_are_left_out(make_run):
    with Run.open(make_run(n=30), write=True) as run:
        texts = [m.architecture for m in run.store.members()]
        before = gather(run, ended=False).values
        run.store.record([Evaluation(text, "acc", "other", 0.0, None, 0.0) for text in texts[:20]])
        np.testing.assert_array_equal(gather(run, ended=False).values, before)


def test_what_breaks_a_constraint_or_has_failed_is_told_apart(make_run):
    with Run.open(make_run(n=80, constraints=["flops<=7e6"], failures=4)) as run:
        contents = gather(run)
    broken = contents.values[:, 1] > 7e6
    failed = np.isnan(contents.values).any(axis=1)
    np.testing.assert_array_equal(contents.feasible, ~broken & ~failed)
    assert (contents.front.values[:, 1] <= 7e6).all()


def test_tables_and_histories_are_read_and_damaged_ones_are_as_if_absent(make_run):
    path = make_run(n=30)
    with Run.open(path) as run:
        contents = gather(run)
        assert contents.latency["error"] == 0.031
        assert len(contents.supernet["epochs"]) == 20
    (path / "latency.json").write_text("{")
    (path / "supernet.safetensors").write_bytes(b"\xff" * 8)
    with Run.open(path) as run:
        assert gather(run).latency == {}
        assert gather(run).supernet == {}


def test_a_run_without_any_evaluation_is_empty(make_run):
    with Run.open(make_run(n=20, ended=False), write=True) as run:
        run.store._base.execute("DELETE FROM evaluations")
        contents = gather(run)
    assert contents.values.shape == (0, 2)
    assert len(contents.front) == 0
