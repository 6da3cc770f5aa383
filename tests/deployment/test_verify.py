"""Verification of members, and the log of accesses to the test part."""

from __future__ import annotations

import json
import sqlite3

import pytest

from evonas import read_front
from evonas.deployment import remeasurement, train_members
from evonas.deployment.access_log import ACCESS_LOG, log_access, read_accesses
from evonas.deployment.deploy import deploy
from evonas.deployment.verify import verify
from evonas.errors import RunError, SettingsError
from evonas.pipeline import run as pipeline
from evonas.pipeline.context import run_context
from evonas.runs.run import Run
from evonas.runtime.timing import Timing
from evonas.training import TrainingRecipe


def test_what_is_measured_again_holds_to_the_last_digit(run):
    checks = verify(run)
    with Run.open(run) as opened:
        members = len(read_front(opened))
        images = len(run_context(opened).data.report)
    assert len(checks) == 5 * members
    assert {check.name for check in checks} == {"acc", "acc_top1", "acc_report", "flops", "params"}
    assert all(check.now == check.before and not check.moved for check in checks)
    noise = {check.name: check.noise for check in checks if check.index == 0}
    first = next(check for check in checks if check.name == "acc_report")
    assert noise["acc_report"] == pytest.approx((first.before * (1 - first.before) / images) ** 0.5)
    assert noise["flops"] == noise["params"] == 0
    assert len(json.loads((run / "verify.json").read_text())["numbers"]) == len(checks)


def test_what_was_falsified_is_named(run, change):
    assert not any(check.moved for check in verify(run, "index:0"))
    for name, value in (("acc", 0.99), ("acc_report", 0.99), ("flops", 1.0)):
        change(run, name, value)
    assert [check.name for check in verify(run, "index:0") if check.moved] == ["acc", "acc_report", "flops"]


def test_an_accuracy_within_its_standard_error_holds(run, change):
    (first, *_) = verify(run, "index:0")
    assert first.name == "acc"
    change(run, "acc", first.before + 0.5 * first.noise)
    change(run, "params", 1.0)
    assert [check.name for check in verify(run, "index:0") if check.moved] == ["params"]
    change(run, "acc", first.before + 2 * first.noise + 0.01)
    assert [check.name for check in verify(run, "index:0") if check.moved] == ["acc", "params"]


def test_latency_is_measured_on_the_whole_network(run, change):
    change(run, "latency_measured", 1e6)
    (check,) = [check for check in verify(run, "index:0") if check.name == "latency_measured"]
    assert check.moved
    assert 0 < check.now < 1e5
    assert check.noise > 0
    change(run, "latency_mad", 1e6)
    assert not any(check.moved for check in verify(run, "index:0"))


@pytest.mark.parametrize(("mads", "noise"), [((0.2, 0.1), 1.0), ((0.2, 0.5), 1.5)])
def test_noise_of_a_latency_is_the_larger_of_its_deviations_and_of_what_two_differ_by(
    run, change, monkeypatch, mads, noise
):
    twice = [Timing(median, mad, 9.0, 15) for median, mad in zip((10.0, 11.0), mads, strict=True)]
    # a stopwatch measures as it will; what is made of its figures is tested
    monkeypatch.setattr(remeasurement, "measure_whole", lambda *_, **__: twice)
    change(run, "latency_measured", 10.0)
    change(run, "latency_mad", 0.01)
    (check,) = [check for check in verify(run, "index:0") if check.name == "latency_measured"]
    assert (check.now, check.noise) == (10.5, pytest.approx(noise))


def test_accesses_to_the_test_part_are_logged(run):
    assert not any(check.name == "acc_trained" for check in verify(run, "index:0"))
    assert read_accesses(run) == []
    recipe = TrainingRecipe(name="short", epochs=1, batch_size=128, lr=0.1, momentum=0.9)
    (trained,) = train_members(run, "index:0", recipe)
    train_members(run, "index:0", trained_recipe(trained))  # read, not trained again: no access
    checks = verify(run, "index:0", trained=True)
    deploy(run, "index:0")
    (check,) = [check for check in checks if check.name == "acc_trained"]
    assert check.now == check.before == trained.accuracy
    accesses = read_accesses(run)
    assert [access["command"] for access in accesses] == ["train", "verify", "deploy"]
    assert {access["member"] for access in accesses} == {trained.architecture}
    assert all(access["when"].startswith("20") for access in accesses)


def trained_recipe(trained) -> TrainingRecipe:
    return TrainingRecipe(**trained.record["recipe"])


def test_accesses_are_logged_while_another_process_writes(run):
    with Run.open(run, write=True), Run.open(run) as reading:
        log_access(reading, "deploy", "a")
    assert [access["member"] for access in read_accesses(run)] == ["a"]
    (run / ACCESS_LOG).write_text("no json\n")
    with pytest.raises(RunError, match="cannot be read"):
        read_accesses(run)


def test_untrained_and_unknown_members_are_refused(run):
    with pytest.raises(RunError, match="evonas train"):
        verify(run, "index:0", trained=True)
    with pytest.raises(SettingsError, match="members 0 to"):
        verify(run, "index:99")
    with Run.open(run, write=True), pytest.raises(RunError, match="writes to it"):
        verify(run)


def test_a_damaged_store_is_reported(run):
    sqlite3.connect(run / "evaluations.sqlite").executescript("PRAGMA application_id = 1;")
    with pytest.raises(RunError, match="store of evonas"):
        verify(run)


def test_other_objectives_are_computed_again(made, tmp_path, change):
    pipeline.search(
        space=str(made.parent / "tiny.toml"), out=tmp_path / "run", objectives=("swap", "memory"), population=4,
        generations=1, warm_start=0, train_limit=500,
    ).close()  # fmt: skip
    checks = verify(tmp_path / "run")
    assert {check.name for check in checks} == {"swap", "memory", "flops", "params"}
    assert not any(check.moved for check in checks)
    assert checks.skipped == {}
    change(tmp_path / "run", "memory", 1.0)
    assert {check.name for check in verify(tmp_path / "run", "index:0") if check.moved} == {"memory"}
