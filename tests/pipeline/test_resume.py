"""Resume is replay: a search killed at any moment goes on and ends with the same front, nothing computed twice."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.errors import RunError, SettingsError
from evonas.pipeline import run as pipeline
from evonas.runs.run import Run
from evonas.runs.store import Store
from evonas.spaces import shipped

QUICK = {"train_limit": 300, "epochs": 2, "population": 6, "generations": 3, "warm_start": 12}
# Three rounds of proposals after the first population; the default estimator would read over a hundred paths first.
SURROGATE = {"surrogate": True, "generations": 2, "estimator": "supernet:loss"}
SERVER = multiprocessing.get_context("forkserver")
# A search then starts at once, not after seconds of imports.
SERVER.set_forkserver_preload(["evonas.pipeline.run", "evonas.evolution.surrogate", "sklearn.datasets"])


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> str:
    """DARTS cells in a network of two cells with four channels."""
    text = shipped()["darts"].read_text()
    small = "[skeletons.small]\nchannels = 8\ncells = 3\n"
    assert small in text
    path = tmp_path_factory.mktemp("space") / "tiny.toml"
    path.write_text(text.replace(small, "[skeletons.small]\nchannels = 4\ncells = 2\n"))
    return str(path)


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """Give a search that was not interrupted and its seconds, by settings."""
    made: dict[tuple, tuple[Path, float]] = {}

    def whole(**more) -> tuple[Path, float]:
        key = tuple(sorted(more.items()))
        if key not in made:
            path = tmp_path_factory.mktemp("whole") / "run"
            process = start(path, tiny, **more)
            began = time.monotonic()
            process.join()
            assert process.exitcode == 0
            made[key] = path, time.monotonic() - began
        return made[key]

    return whole


def start(path: Path, space: str, **more) -> multiprocessing.process.BaseProcess:
    """Start a search in a process of its own."""
    os.environ["OMP_NUM_THREADS"] = "1"
    settings = make_settings(space=space, **QUICK | more)
    process = SERVER.Process(target=pipeline.search, args=(settings, path))
    process.start()
    return process


def results(path: Path) -> dict[tuple[str, str, str], float | None]:
    with Store(path / "evaluations.sqlite", write=False) as store:
        return {(e.architecture, e.objective, e.fingerprint): e.value for e in store.evaluations()}


def outcome(path: Path) -> tuple[bytes, bytes, dict]:
    return (path / "front.csv").read_bytes(), (path / "front.json").read_bytes(), results(path)


def kill_and_resume(path: Path, space: str, moment: float, monkeypatch, **more) -> tuple[int, int]:
    """Kill a search after some seconds and resume it; return what was stored then and computed again."""
    process = start(path, space, **more)
    process.join(moment)
    process.kill()
    process.join()
    before = results(path) if path.exists() else {}
    recorded: list[tuple[str, str, str]] = []
    record = Store.record

    def spy(store, rows):
        rows = list(rows)
        recorded.extend((row.architecture, row.objective, row.fingerprint) for row in rows)
        return record(store, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "record", spy)
        if path.exists():
            pipeline.resume(path).close()
        else:  # killed before there was anything
            pipeline.search(make_settings(space=space, **QUICK | more), path).close()
    return len(before), len(set(recorded) & set(before))


def check(kills: int, seed: int, space: str, whole, folder: Path, monkeypatch, **more) -> list[int]:
    """Kill a search at random moments spread over the whole of it, each resumed."""
    reference, seconds = whole(**more)
    expected = outcome(reference)
    rng = np.random.default_rng(seed)
    stored = []
    for kill in rng.permutation(kills).tolist():
        moment = seconds * (kill + rng.random()) / kills
        path = folder / str(kill)
        known, twice = kill_and_resume(path, space, moment, monkeypatch, **more)
        assert twice == 0, f"{twice} of {known} results were computed again after a kill at {moment:.2f} s"
        assert outcome(path) == expected, f"another front after a kill at {moment:.2f} s"
        stored.append(known)
        print(f"killed at {moment:.2f} of {seconds:.2f} s: {known} results stored, 0 computed again", flush=True)
        shutil.rmtree(path)
    print(f"{kills} kills over {seconds:.1f} s, {more}: all fronts equal")
    return stored


def test_a_search_killed_at_random_moments_ends_with_the_same_front(tiny, whole, tmp_path, monkeypatch):
    check(3, 0, tiny, whole, tmp_path, monkeypatch, **SURROGATE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "kills"), [(SURROGATE, 50), (SURROGATE | {"workers": 2}, 16)], ids=["alone", "workers"]
)
def test_a_search_killed_at_many_random_moments(tiny, whole, tmp_path, monkeypatch, more, kills):
    kills = int(os.environ.get("EVONAS_KILLS", kills))
    stored = check(kills, 1, tiny, whole, tmp_path, monkeypatch, **more)
    assert len(set(stored)) >= min(5, kills // 3)  # moments were spread over the search, which stores in steps


def test_a_replay_fits_no_predictor(tiny, tmp_path, monkeypatch):
    settings = make_settings(space=tiny, objectives=("swap", "flops"), surrogate=True, **QUICK)
    with pipeline.search(settings, tmp_path / "run") as run:
        before = outcome(run.path)
        proposed = run.store.decisions("surrogate ")
    assert len(proposed) >= 3

    def refuse(*_, **__):
        raise AssertionError("a predictor was fitted again")

    monkeypatch.setattr("evonas.evolution.surrogate.fit_predictor", refuse)
    (run.path / "front.csv").unlink()
    with pipeline.resume(run.path) as again:
        assert outcome(again.path) == before
        assert again.store.decisions("surrogate ") == proposed


def test_the_number_of_workers_changes_no_bit(tiny, whole, tmp_path):
    path, _ = whole()
    settings = make_settings(space=tiny, **QUICK, workers=2)
    said = []
    with pipeline.search(settings, tmp_path / "two", progress=Says(said)) as run:
        assert outcome(run.path) == outcome(path)
        assert 0 < run.manifest["engine"]["parallel_efficiency"] <= 1
    assert any("parallel efficiency" in line for line in said)
    with pipeline.resume(run.path, workers=1, generations=4) as longer:  # and a run may go on with another number
        assert len(longer.store.members()) == 24
    with pytest.raises(SettingsError, match="cannot change 'seed'"):
        pipeline.resume(run.path, seed=3)


class Says(pipeline.Silent):
    def __init__(self, said: list[str]) -> None:
        self.say = said.append


def test_a_second_search_on_a_run_is_refused(whole):
    path, _ = whole()
    before = outcome(path)
    with Run.open(path, write=True), pytest.raises(RunError, match=f"process {os.getpid()} writes to it"):
        pipeline.resume(path)
    with pytest.raises(RunError, match="exists already"):
        pipeline.search(make_settings(), path)
    assert outcome(path) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("run.toml", "seed = 0", "seed = 1", "seed: 0 in the run, 1 now"),
        ("run.toml", "train-limit = 300", "train-limit = 301", "data: "),
        ("manifest.json", '"schema": 3', '"schema": 4', "schema: 4 in the run, 3 now"),
        ("manifest.json", '"name": "darts"', '"name": "other"', "space: .*other"),
    ],
)
def test_a_run_of_something_else_is_refused_with_what_differs(whole, tmp_path, name, old, new, message):
    path, _ = whole()
    copy = Path(shutil.copytree(path, tmp_path / "copy"))
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    with pytest.raises(RunError, match=message) as caught:
        pipeline.resume(copy)
    assert "\n" not in str(caught.value)
    assert results(copy) == results(path)


def test_another_version_warns_and_a_moved_run_resumes(whole, tmp_path):
    path, _ = whole()
    moved = Path(shutil.copytree(path, tmp_path / "elsewhere" / "run"))
    text = (moved / "manifest.json").read_text()
    torch = pipeline.Run.open(path).manifest["versions"]["torch"]
    (moved / "manifest.json").write_text(text.replace(f'"torch": "{torch}"', '"torch": "0.1"'))
    (moved / "front.csv").unlink()
    said: list[str] = []
    pipeline.resume(moved, progress=Says(said)).close()
    assert f"Note: torch: 0.1 in the run, {torch} now; results may differ in their last digits" in said
    assert outcome(moved) == outcome(path)


def test_failures_are_tried_again_when_asked_for(whole, tmp_path):
    path, _ = whole()
    copy = Path(shutil.copytree(path, tmp_path / "copy"))
    with Store(copy / "evaluations.sqlite") as store:
        store._base.execute(
            "UPDATE evaluations SET value = NULL, cause = 'the worker took longer than 5 s twice' WHERE series ="
            " (SELECT id FROM series WHERE objective = 'acc') AND architecture % 2"
        )
        lost = sum(value is None for value in results(copy).values())
    said: list[str] = []
    pipeline.resume(copy, retry_failed=True, progress=Says(said)).close()
    assert lost > 0
    assert f"{lost} failed evaluations will be tried again" in said
    assert outcome(copy) == outcome(path)
