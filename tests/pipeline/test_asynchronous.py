"""Searches without generations."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evonas.config import make_settings
from evonas.errors import RunError
from evonas.pipeline import run as pipeline
from evonas.runs.run import Run
from evonas.runs.store import Store

CHEAP = {"objectives": ("flops", "params"), "warm_start": 0, "population": 6, "generations": 4, "asynchronous": True}


def told(run: Run) -> list[tuple[str, tuple[str, ...]]]:
    return [(member.architecture, member.parents) for member in run.store.members()]


def front(run: Run) -> bytes:
    return (run.path / "front.json").read_bytes()


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Run:
    return pipeline.search(make_settings(**CHEAP), tmp_path_factory.mktemp("steady") / "run")


def test_a_search_in_one_process_repeats_itself_and_prolongs(done, tmp_path):
    assert len(told(done)) == 24
    assert any(parents for _, parents in told(done))
    again = pipeline.search(make_settings(**CHEAP), tmp_path / "again")
    assert (told(again), front(again)) == (told(done), front(done))
    prolonged = pipeline.resume(again.path, generations=6)
    whole = pipeline.search(make_settings(**{**CHEAP, "generations": 6}), tmp_path / "whole")
    assert (told(prolonged), front(prolonged)) == (told(whole), front(whole))


@pytest.mark.parametrize("kept", [0, 1, 9, 23])
def test_a_search_stopped_after_any_number_goes_on_with_the_stored_order(done, tmp_path, kept):
    path = Path(shutil.copytree(done.path, tmp_path / "stopped"))
    with Store(path / "evaluations.sqlite") as store:
        store._base.execute("DELETE FROM members WHERE generation * 6 + position >= ?", (kept,))
    (path / "front.json").unlink()
    run = pipeline.resume(path)
    assert run.manifest["timings"]["evaluations_computed"] == 0
    assert (told(run), front(run)) == (told(done), front(done))


def test_an_order_that_was_not_asked_for_is_refused(done, tmp_path):
    path = Path(shutil.copytree(done.path, tmp_path / "other"))
    with Store(path / "evaluations.sqlite") as store:
        last = "(SELECT max(architecture) FROM members)"
        store._base.execute(f"UPDATE members SET architecture = {last} WHERE position = 0")
    with pytest.raises(RunError, match="to come next, as stored"):
        pipeline.resume(path)


def test_workers_tell_in_the_order_they_finish_and_a_replay_in_the_order_stored(tmp_path):
    settings = make_settings(**{**CHEAP, "objectives": ("swap", "flops"), "workers": 2})
    run = pipeline.search(settings, tmp_path / "run")
    assert len(told(run)) == 24
    assert run.store.decide("under way", lambda: 0) == 4
    before = told(run), front(run)
    (run.path / "front.json").unlink()
    replayed = pipeline.resume(run.path, workers=1)
    assert (told(replayed), front(replayed)) == before
    assert replayed.manifest["timings"]["evaluations_computed"] == 0
