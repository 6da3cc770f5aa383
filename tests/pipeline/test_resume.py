"""Resume is replay: a search killed at any moment goes on and ends with the same front, nothing computed twice."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.errors import RunError, SettingsError
from evonas.pipeline import run as pipeline
from evonas.runs.run import Run
from evonas.runs.store import Store


@pytest.fixture(scope="session")
def predicted(quick):
    """Settings of a search with three rounds of proposals after the first population."""
    return {**quick, "surrogate": True, "generations": 2}


@pytest.fixture(scope="module")
def whole(search_apart, tmp_path_factory):
    """Give a search that was not interrupted and how many events its progress had, by settings."""
    made: dict[tuple, tuple[Path, int]] = {}

    def whole(settings) -> tuple[Path, int]:
        key = tuple(sorted(settings.items()))
        if key not in made:
            path = tmp_path_factory.mktemp("whole") / "run"
            code, events = search_apart(settings, path)
            assert code == 0
            made[key] = path, events
        return made[key]

    return whole


def watch_evaluations(path: Path) -> None:
    """Make the store of a run note all that is recorded from now on, also where it is known and stays as it was."""
    with closing(sqlite3.connect(path / "evaluations.sqlite")) as base, base:
        base.execute("CREATE TABLE recorded (architecture, series)")
        base.execute(
            "CREATE TRIGGER watch BEFORE INSERT ON evaluations BEGIN "
            "INSERT INTO recorded VALUES (NEW.architecture, NEW.series); END"
        )


def recorded_again(path: Path, before: set[tuple[int, int]]) -> tuple[int, int]:
    """Return how much was recorded since, and how much of it was known."""
    with closing(sqlite3.connect(path / "evaluations.sqlite")) as base:
        recorded = base.execute("SELECT architecture, series FROM recorded").fetchall()
    return len(recorded), len(before.intersection(recorded))


def stored(path: Path) -> set[tuple[int, int]]:
    with closing(sqlite3.connect(path / "evaluations.sqlite")) as base:
        return set(base.execute("SELECT architecture, series FROM evaluations"))


@pytest.fixture
def survives(whole, search_apart, outcome, tmp_path):
    """A function that kills searches at events spread over the whole of it, and resumes each.

    It returns how many evaluations were stored at each kill.
    """

    def check(kills: int, seed: int, settings) -> list[int]:
        reference, events = whole(settings)
        expected, rng, known = outcome(reference), np.random.default_rng(seed), []
        for kill in range(kills):
            last = 1 + int(events * (kill + rng.random()) / kills)
            path = tmp_path / str(kill)
            code, _ = search_apart(settings, path, last)
            assert code == -signal.SIGKILL
            if not path.exists():  # killed before there was anything
                pipeline.search(make_settings(**settings), path).close()
                known.append(0)
            else:
                before = stored(path)
                watch_evaluations(path)
                pipeline.resume(path).close()
                recorded, twice = recorded_again(path, before)
                assert twice == 0, (
                    f"{twice} of {len(before)} results were computed again after event {last} of {events}"
                )
                assert recorded == len(stored(path)) - len(before)
                known.append(len(before))
            assert outcome(path) == expected, f"another front after a kill at event {last} of {events}"
            shutil.rmtree(path)
        return known

    return check


def test_a_search_killed_at_random_moments_ends_with_the_same_front(survives, predicted):
    known = survives(3, 0, predicted)
    assert known == sorted(known)
    assert len(set(known)) == 3  # moments were spread over the search, which stores in steps


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "kills"), [(1, 50), (2, 16)])
def test_a_search_killed_at_many_random_moments(survives, predicted, workers, kills):
    kills = int(os.environ.get("EVONAS_KILLS", kills))
    known = survives(kills, 1, {**predicted, "workers": workers})
    assert len(set(known)) >= min(5, kills // 3)


def test_resuming_what_ended_changes_nothing_and_computes_nothing(copied, outcome):
    before = outcome(copied)
    with pipeline.resume(copied) as run:
        assert outcome(run.path) == before
        assert run.manifest["timings"]["evaluations_computed"] == 0


def test_prolonging_equals_a_longer_search(quick, copied, outcome, tmp_path):
    pipeline.search(make_settings(**{**quick, "generations": 4}), tmp_path / "long").close()
    pipeline.resume(copied, generations=4).close()
    long = outcome(tmp_path / "long")
    assert outcome(copied) == long
    pipeline.resume(copied).close()
    assert outcome(copied) == long  # and stays prolonged


def test_the_number_of_workers_changes_no_bit(quick, finished, outcome, spoken, tmp_path):
    settings = make_settings(**quick, workers=2)
    with pipeline.search(settings, tmp_path / "two", progress=spoken) as run:
        assert outcome(run.path) == outcome(finished)
        assert 0 < run.manifest["engine"]["parallel_efficiency"] <= 1
    assert any("parallel efficiency" in line for line in spoken.lines)
    with pipeline.resume(run.path, workers=1, generations=4) as longer:  # and a run may go on with another number
        assert len(longer.store.members()) == 24
    with pytest.raises(SettingsError, match="cannot change 'seed'"):
        pipeline.resume(run.path, seed=3)


def test_a_second_search_on_a_run_is_refused(copied, outcome):
    before = outcome(copied)
    with Run.open(copied, write=True), pytest.raises(RunError, match=f"process {os.getpid()} writes to it"):
        pipeline.resume(copied)
    with pytest.raises(RunError, match="exists already: continue it with  evonas resume"):
        pipeline.search(make_settings(), copied)
    assert outcome(copied) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("run.toml", "seed = 0", "seed = 1", "seed: 0 in the run, 1 now"),
        ("run.toml", "train-limit = 300", "train-limit = 301", "data: "),
        ("manifest.json", '"schema": 3', '"schema": 4', "schema: 4 in the run, 3 now"),
        ("manifest.json", '"name": "darts"', '"name": "other"', "space: .*other"),
    ],
)
def test_a_run_of_something_else_is_refused_with_what_differs(copied, results, name, old, new, message):
    before, text = results(copied), (copied / name).read_text()
    assert old in text
    (copied / name).write_text(text.replace(old, new))
    with pytest.raises(RunError, match=message) as caught:
        pipeline.resume(copied)
    assert "\n" not in str(caught.value)
    assert results(copied) == before


def test_another_version_warns_and_a_moved_run_resumes(copied, outcome, spoken, tmp_path):
    before, moved = outcome(copied), copied.rename(tmp_path / "elsewhere")
    text = (moved / "manifest.json").read_text()
    with Run.open(moved) as run:
        torch = run.manifest["versions"]["torch"]
    (moved / "manifest.json").write_text(text.replace(f'"torch": "{torch}"', '"torch": "0.1"'))
    (moved / "front.csv").unlink()
    pipeline.resume(moved, progress=spoken).close()
    assert f"Note: torch: 0.1 in the run, {torch} now; results may differ in their last digits" in spoken.lines
    assert outcome(moved) == before


def test_failures_are_tried_again_when_asked_for(copied, results, outcome, spoken):
    before = outcome(copied)
    with Store(copied / "evaluations.sqlite") as store:
        store._base.execute(
            "UPDATE evaluations SET value = NULL, cause = 'the worker took longer than 5 s twice' WHERE series ="
            " (SELECT id FROM series WHERE objective = 'acc') AND architecture % 2"
        )
        lost = sum(value is None for value in results(copied).values())
    pipeline.resume(copied, retry_failed=True, progress=spoken).close()
    assert lost > 0
    assert f"{lost} failed evaluations will be tried again" in spoken.lines
    assert outcome(copied) == before
