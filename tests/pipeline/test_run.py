"""Searches from data to front on a space small enough for tests."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from evonas import read_front
from evonas.config import make_settings
from evonas.errors import EvaluationError, EvonasError, RunError, SettingsError
from evonas.objectives.latency.latency import measure_latency_table
from evonas.pipeline import new_run, notes, plan
from evonas.pipeline import run as pipeline
from evonas.pipeline.budget import FEWEST
from evonas.pipeline.problem import SearchProblem
from evonas.report.closing import closing_lines
from evonas.runs.run import Run
from evonas.spaces import load_space

pytestmark = pytest.mark.usefixtures("few_references")


def test_the_time_of_a_search_adds_up_over_sittings(tiny, tmp_path):
    settings = make_settings(space=tiny, objectives=("flops",), population=4, generations=2, warm_start=0)
    first = pipeline.search(settings, tmp_path / "run").manifest["timings"]
    assert (first["sessions"], first["sessions_timed"]) == (1, 1)
    run = pipeline.resume(tmp_path / "run")
    timings = run.manifest["timings"]
    assert (timings["sessions"], timings["sessions_timed"]) == (2, 2)
    assert timings["search_seconds"] > first["search_seconds"] > 0
    assert "s in 2 sessions." in closing_lines(run, read_front(run))[0]
    with pytest.raises(SettingsError, match="2 generations already, got --generations 1: give 2"):
        pipeline.resume(tmp_path / "run", generations=1)
    with Run.open(tmp_path / "run", write=True) as run:
        run.update_manifest(timings={"sessions": 3})  # as a kill leaves it
        assert "s in 2 sessions, without the time of 1 that did not end." in closing_lines(run, read_front(run))[0]


def front_of(path) -> str:
    return (path / "front.csv").read_text()


def test_a_search_leaves_a_whole_run(finished):
    names = {path.name for path in finished.iterdir()}
    assert {
        "run.toml",
        "manifest.json",
        "evaluations.sqlite",
        "supernet.safetensors",
        "front.csv",
        "front.json",
    } <= names
    with Run.open(finished) as run:
        front, settings, manifest, members = read_front(run), run.settings, run.manifest, run.store.members()
    assert len(front) >= 1
    space = load_space(settings["space"])
    for member in front:
        assert str(space.canonical(space.parse(member.architecture))) == member.architecture
        assert 0 <= member.values["acc"] <= 1
        assert 0 <= member.known["acc_report"] <= 1
        assert member.known["params"] > 0
    assert len({m.architecture for m in members}) == 18
    assert manifest["timings"]["outside_evaluations_ms_per_candidate"] > 0
    assert "acc_weights" not in manifest


def test_the_default_estimate_says_what_it_counts_and_that_shared_weights_hardly_do(
    quick, tmp_path, spoken, monkeypatch
):
    # Shared weights that count little take a long search.
    monkeypatch.setattr(notes, "LITTLE_WEIGHT", 1.01)
    settings = make_settings(**quick | {"estimator": "supernet", "generations": 1})
    run = pipeline.search(settings, tmp_path / "run", progress=spoken)
    weights = run.manifest["acc_weights"]
    assert list(weights) == ["shared weights", "FLOPs", "SWAP"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-3)
    assert any("disagree with FLOPs and SWAP" in line for line in spoken.lines)


def test_the_same_seed_gives_the_same_front_and_another_another(finished, quick, tmp_path):
    same = pipeline.search(make_settings(**quick), tmp_path / "same")
    assert front_of(same.path) == front_of(finished)
    other = pipeline.search(make_settings(**quick, seed=1), tmp_path / "other")
    assert front_of(other.path) != front_of(finished)


def test_a_supernet_is_taken_over(finished, quick, tmp_path):
    run = pipeline.search(make_settings(**quick, supernet=str(finished)), tmp_path / "b")
    assert front_of(run.path) == front_of(finished)
    wrong = make_settings(**{**quick, "space": "nasbench201"}, supernet=str(finished))
    with pytest.raises(EvonasError, match="another network"):
        pipeline.search(wrong, tmp_path / "c")


def test_one_cheap_objective_needs_no_training(quick, tmp_path):
    run = pipeline.search(make_settings(**quick, objectives=("flops",)), tmp_path / "flops")
    front = read_front(run)
    assert not (run.path / "supernet.safetensors").exists()
    assert len({m.values["flops"] for m in front}) == 1


def test_the_latency_of_another_device_is_said_and_not_judged_by_what_this_one_measures(tiny, tmp_path, spoken):
    space = load_space(tiny)
    skeleton = SearchProblem(make_settings(space=tiny)).skeleton
    table = measure_latency_table(space, skeleton, networks=20, repeats=5, seconds=2)
    quick = replace(table.fit, constant=1e-4, slope=1e-4, per_node=1e-5, kinds={})
    path = tmp_path / "phone.json"
    path.write_text(replace(table, device={**table.device, "cpu": "a phone"}, fit=quick).to_json())
    settings = make_settings(
        space=tiny, objectives=("latency,flops",), constraint=("latency<=0.01",), latency_table=str(path),
        population=4, generations=1, warm_start=0,
    )  # fmt: skip
    front = read_front(pipeline.search(settings, tmp_path / "phone", progress=spoken))
    named = "The latency table is of another device: cpu: measured on a phone"
    assert any(text.startswith(named) for text in spoken.lines)
    assert all(m.known["latency_measured"] > 0.01 > m.values["latency"] and not m.breaks for m in front)


@pytest.mark.parametrize("content", [None, "{", '{"format": 3}'])
def test_a_latency_table_that_cannot_be_read_is_told_before_there_is_a_run(content, quick, tmp_path):
    path = tmp_path / "table.json"
    if content is not None:
        path.write_text(content)
    settings = make_settings(**quick, objectives=("latency,flops",), latency_table=str(path))
    with pytest.raises(SettingsError, match=r"Cannot read .*table\.json: .*build one with  evonas latency build"):
        pipeline.search(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_swap_and_params_with_a_constraint_on_something_else(quick, tmp_path):
    settings = make_settings(**quick, objectives=("swap,params",), constraint=("flops<=40000",))
    run = pipeline.search(settings, tmp_path / "swap")
    front = read_front(run)
    assert len(front) >= 1
    assert all(m.known["flops"] <= 40000 for m in front)


def test_warm_start_none(quick, tmp_path):
    settings = make_settings(**{**quick, "warm_start": 0}, objectives=("flops",))
    run = pipeline.search(settings, tmp_path / "cold")
    assert not [key for key in run.store.series() if key[0] == "swap"]


@pytest.fixture
def any_time(monkeypatch):
    """No time is too short: how long trials take is the machine's."""
    # The deadline is meant to be short.
    monkeypatch.setattr(plan, "refuse_too_short", lambda plan, given: None)


@pytest.mark.usefixtures("any_time")
def test_time_divides_a_budget_and_is_replayed(quick, tmp_path):
    given = {**quick, "warm_start": 0, "epochs": None, "generations": None}  # as many as the time allows
    settings = make_settings(**given, time="3s")
    run = pipeline.search(settings, tmp_path / "timed")
    before = front_of(run.path)
    decided = run.store.decisions()
    assert decided["updates"] >= 1
    assert front_of(pipeline.resume(run.path).path) == before
    assert Run.open(run.path).store.decisions() == decided


@pytest.mark.usefixtures("any_time")
def test_a_time_that_is_over_ends_within_a_generation_with_a_front(quick, tmp_path):
    # It is over before anything is trained; what still gives a front is done all the same.
    settings = make_settings(**{**quick, "warm_start": 0}, time="0.01s")
    run = pipeline.search(settings, tmp_path / "late")
    assert run.store.decisions()["end"] == 0
    evaluated = {row.architecture for row in run.store.evaluations() if row.objective == "acc"}
    assert FEWEST <= len(evaluated) < 6
    before = front_of(run.path)
    assert len(read_front(run)) >= 1
    assert front_of(pipeline.resume(run.path).path) == before
    longer = pipeline.resume(run.path, generations=2)  # prolonged: the generation that was cut is done to its end
    assert len({row.architecture for row in longer.store.evaluations() if row.objective == "acc"}) == 12


def test_a_time_in_which_no_front_comes_about_is_refused_before_there_is_a_run(quick, tmp_path):
    with pytest.raises(SettingsError, match=r"takes \d+ s at the least, got --time 0.01s: give --time \d+s or more"):
        pipeline.search(make_settings(**quick, time="0.01s"), tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_what_cannot_be_kept_is_said_before_anything_is_written(quick, tmp_path):
    for constraint in ("flops<=10", "params>=1e9"):
        with pytest.raises(SettingsError, match="nearest"):
            pipeline.search(make_settings(**quick, constraint=(constraint,)), tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_an_accuracy_that_nothing_reaches_is_said_at_the_end(quick, tmp_path):
    with pytest.raises(EvaluationError, match=r"acc>=1,.*generations"):
        pipeline.search(make_settings(**quick, constraint=("acc>=100%",)), tmp_path / "never")
    assert len(Run.open(tmp_path / "never").store.members()) == 18  # nothing is lost


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"objectives": ("acc,latncy",)}, "latency"),
        ({"objectives": ("acc,acc",)}, "twice"),
        ({"space": "drats"}, "darts"),
        ({"data": "digist"}, "digits"),
        ({"skeleton": "smal"}, "small"),
        ({"constraint": ("flops=3",)}, "flops<=20M"),
        ({"sharing": "unifrom"}, "uniform"),
        ({"algorithm": "nsga"}, "nsga2"),
        ({"supernet": "nowhere"}, "nowhere"),
    ],
)
def test_bad_settings_are_named_and_nothing_is_written(given, expected, tmp_path):
    with pytest.raises(EvonasError, match=expected) as caught:
        pipeline.search(make_settings(**{"warm_start": 0, "epochs": 1, **given}), tmp_path / "x")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x" / "front.csv").exists()


def test_an_existing_folder_is_refused(finished):
    with pytest.raises(RunError, match="resume"):
        pipeline.search(make_settings(), finished)


def test_what_is_no_run_is_refused(tmp_path):
    for path, found in ((tmp_path, "but it has no run.toml: name one"), (tmp_path / "nothing", "found nothing: see")):
        with pytest.raises(RunError, match=f"^Expected a run directory at {re.escape(str(path))}, {found}"):
            pipeline.resume(path)


def test_a_run_of_other_data_is_refused(quick, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 255, (200, 8, 8), dtype=np.uint8),
        "y_train": np.arange(200) % 4,
        "x_test": rng.integers(0, 255, (40, 8, 8), dtype=np.uint8),
        "y_test": np.arange(40) % 4,
    }
    np.savez(tmp_path / "own.npz", **arrays)
    settings = make_settings(**quick | {"train_limit": None}, data=str(tmp_path / "own.npz"), objectives=("flops",))
    run = pipeline.search(settings, tmp_path / "own")
    arrays["y_train"] = arrays["y_train"][::-1].copy()
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(RunError, match="data"):
        pipeline.resume(run.path)


def test_a_default_name_that_another_search_takes_first_is_not_used(tmp_path, monkeypatch):
    settings = make_settings(objectives=("flops", "params"), population=2, generations=1)
    problem, free = SearchProblem(settings), [tmp_path / "a", tmp_path / "a", tmp_path / "a-2"]
    # Another search takes the name between its choice and its use.
    monkeypatch.setattr(new_run, "new_path", lambda settings: free.pop(0))
    with new_run.create_run(None, problem) as first, new_run.create_run(None, problem) as second:
        assert (first.path.name, second.path.name) == ("a", "a-2")


def test_a_place_that_cannot_be_written_ends_the_search_for_a_name(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVONAS_RUNS", str(tmp_path / "file"))
    with pytest.raises(RunError, match=r"^Cannot write .*file/darts-digits-0: .*; check that its folder exists"):
        new_run.create_run(None, SearchProblem(make_settings(objectives=("flops", "params"))))
