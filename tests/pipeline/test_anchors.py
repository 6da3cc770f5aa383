"""Searches whose accuracy is predicted from anchors, on a space small enough for tests."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evonas.config import make_settings
from evonas.deployment import train_members
from evonas.engine.job import attempt
from evonas.errors import DataError, EvaluationError, RunError, SettingsError
from evonas.objectives.accuracy.anchor import AnchorEvaluator, AnchorInterrupted
from evonas.objectives.accuracy.ranked import RankedEvaluator
from evonas.pipeline import plan
from evonas.pipeline import run as pipeline
from evonas.pipeline.anchor_defaults import default_ladder
from evonas.pipeline.anchor_rounds import anchor_rounds
from evonas.pipeline.checks import check_settings
from evonas.pipeline.context import run_context
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import AnchorSet
from evonas.runs.run import Run
from evonas.spaces import Architecture, parse_candidate
from evonas.training import load_recipe
from evonas.training.ladder import Ladder
from tests.conftest import tiny_space
from tests.pipeline.conftest import Spoken

pytestmark = pytest.mark.usefixtures("few_references")

QUICK: Mapping[str, Any] = {
    "train_limit": 120,
    "epochs": 1,
    "population": 4,
    "generations": 2,
    "warm_start": 0,
    "sharing": "uniform",
    "anchors": 8,
    "anchor_epochs": "1,2",
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_space(tmp_path_factory.mktemp("space")))


@pytest.fixture(scope="module")
def done(space: str, few_references: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A search with anchors that ended, and what it said."""
    path, spoken = tmp_path_factory.mktemp("runs") / "done", Spoken()
    pipeline.search(make_settings(space=space, **QUICK), path, progress=spoken).close()
    return path, spoken.lines


def front(path: Path) -> str:
    return (path / "front.csv").read_text()


def members(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(front(path).splitlines()))


def test_anchors_are_trained_in_rounds_and_stored(done: tuple[Path, list[str]]) -> None:
    path, lines = done
    anchors = AnchorSet.from_json((path / "anchors.json").read_bytes())
    assert anchors.levels == (1, 2)
    assert [len(anchor.values) for anchor in anchors.anchors].count(2) == 4
    assert len({anchor.text for anchor in anchors.anchors}) == 8
    with Run.open(path) as run:
        assert (run.settings["anchors"], run.settings["anchor-epochs"]) == (8, "1,2")
        assert run.store.series()[next(s for s in run.store.series() if s[0] == "anchor@1")] == 8
        told = run.manifest["anchors"]
        trust, best = run.manifest["acc_trust"], run.manifest["acc_best"]
    trained = max(value for anchor in anchors.known for value in anchor.values)
    plain = max(float(row[name]) for row in members(path) for name in ("acc_top1", "acc_report"))
    assert 0.1 <= best["majority"] < 0.2
    assert best["best"] in (trained, plain)
    assert (told["number"], told["reached"], told["failed"]) == (8, [8, 4], 0)
    assert told["epochs"] == Ladder((1, 2), 0.5).total_epochs(4, [2, 2]) == 12
    assert [
        line for line in lines if line.startswith("Anchors: 8 candidates are trained alone, in 3 rounds, to 1 and 2")
    ]
    signals = {"acc", "free", "flops", "swap", "supernet:loss", "supernet:smoothed", "general"}
    assert trust["agreement"].keys() == signals


def test_accuracy_is_predicted_with_an_interval(done: tuple[Path, list[str]]) -> None:
    for row in members(done[0]):
        low, acc, high = (float(row[name]) for name in ("acc_low", "acc", "acc_high"))
        assert 0 < low <= acc <= high < 1
        assert 0 <= float(row["acc_top1"]) <= 1
        assert row["acc_score"]


def test_what_other_spaces_teach_is_a_signal_unless_it_is_left_out(done: tuple[Path, list[str]], space: str) -> None:
    with Run.open(done[0]) as run:
        trust, settings = run.manifest["acc_trust"], make_settings(**run.settings)
        context = run_context(run, with_supernet=True)
    assert settings.predictor == "shipped"
    assert "general" in trust["agreement"]
    assert "general" in trust["weights"]
    known = context.options["anchors"]
    with_it = RankedEvaluator(context, known)
    without = RankedEvaluator(replace(context, options={**context.options, "predictor": "none"}), known)
    bare = {name: option for name, option in context.options.items() if name != "predictor"}
    assert (
        with_it.fingerprint != without.fingerprint == RankedEvaluator(replace(context, options=bare), known).fingerprint
    )
    assert "general" not in without.agreements()
    assert "general" not in without.ranker.weights


def test_with_few_anchors_at_the_top_accuracy_is_a_score(space: str, tmp_path: Path) -> None:
    settings = make_settings(space=space, **{**QUICK, "anchors": 4})
    with pipeline.search(settings, tmp_path / "run") as run:
        assert not run.manifest["acc_trust"]["calibrated"]
        assert run.manifest["objectives"][0]["unit"] == ""
    assert all(
        "acc_low" not in row and float(row["acc"]) == float(row["acc_score"]) for row in members(tmp_path / "run")
    )


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 7, 10])
def test_a_search_that_is_stopped_while_anchors_train_ends_with_the_same_front(
    done: tuple[Path, list[str]], space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    value, trained = AnchorEvaluator._value, 0

    def stops(self: AnchorEvaluator, architecture: Architecture) -> float:
        nonlocal trained
        trained += 1
        if trained > after:
            raise KeyboardInterrupt
        return value(self, architecture)

    with monkeypatch.context() as patch:
        # Trainings that fail or stop on purpose, or are counted, in a whole search.
        patch.setattr(AnchorEvaluator, "_value", stops)
        with pytest.raises(KeyboardInterrupt):
            pipeline.search(make_settings(space=space, **QUICK), tmp_path / "run")
    pipeline.resume(tmp_path / "run").close()
    assert front(tmp_path / "run") == front(done[0])
    assert (tmp_path / "run" / "anchors.json").read_text() == (done[0] / "anchors.json").read_text()


@pytest.mark.slow
def test_later_rounds_may_be_what_tells_most_for_its_cost(space: str, tmp_path: Path) -> None:
    given = {**QUICK, "anchor_rounds": "cokriging"}
    with pipeline.search(make_settings(space=space, **given), tmp_path / "run") as run:
        told = run.manifest["anchors"]
        assert [line for line in run.store.decisions("anchors told")]
    assert 5 <= told["number"] <= 8
    assert told["epochs"] <= Ladder((1, 2), 0.5).total_epochs(4, [2, 2]) * 2  # networks differ in cost
    before = front(tmp_path / "run")
    with Run.open(tmp_path / "run", write=True) as run:
        run.update_manifest(acc_trust=None)
    pipeline.resume(tmp_path / "run").close()
    assert front(tmp_path / "run") == before


@pytest.mark.parametrize("good", [0, 4])
def test_failures_count_so_that_each_round_of_cokriging_is_another(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    done = 0

    def fails(self: AnchorEvaluator, architecture: Architecture) -> float:
        nonlocal done
        done += 1
        if done > good:
            raise EvaluationError("diverged")
        return 0.5 + 0.01 * done

    # Trainings that fail or stop on purpose, or are counted, in a whole search.
    monkeypatch.setattr(AnchorEvaluator, "_value", fails)
    settings = make_settings(space=space, **{**QUICK, "anchor_rounds": "cokriging", "generations": 1})
    if not good:
        with pytest.raises(EvaluationError, match=r"^All 4 anchors so far failed, .*: .*diverged\. Use --anchors 0"):
            pipeline.search(settings, tmp_path / "run")
        return
    with pipeline.search(settings, tmp_path / "run") as run:
        first, second = (run.store.decisions()[name] for name in sorted(run.store.decisions("anchors told")))
        assert run.manifest["anchors"]["failed"] == done - good > 0
    assert not {key for key, _ in first} & {key for key, _ in second}  # what failed is not proposed again


def test_a_training_whose_time_is_over_ends_within_an_epoch_and_is_no_failure(
    done: tuple[Path, list[str]], tmp_path: Path
) -> None:
    with Run.open(done[0]) as run:
        problem = SearchProblem(make_settings(**run.settings))
        anchor = parse_candidate(run.store.members()[0].architecture, problem.space)
    context = problem.anchor_context(problem.context(), tmp_path)
    late = replace(context, options={**context.options, "over": lambda: True})
    with pytest.raises(AnchorInterrupted):
        attempt(AnchorEvaluator(late, 2), [anchor])
    assert not list(tmp_path.iterdir())  # not even an epoch is kept
    assert AnchorEvaluator(late, 2).fingerprint == AnchorEvaluator(context, 2).fingerprint


@pytest.mark.slow
def test_a_deadline_lowers_their_number_once(
    space: str, tmp_path: Path, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The deadline is meant to be short.
    monkeypatch.setattr(plan, "refuse_too_short", lambda plan, given: None)
    given = {**QUICK, "anchors": 400, "time": "10s"}
    pipeline.search(make_settings(space=space, **given), tmp_path / "run", progress=spoken).close()
    with Run.open(tmp_path / "run") as run:
        number = run.store.decisions()["anchors in number"]
        assert number < 400
        assert run.manifest.get("anchors", {"number": 0})["number"] == number
    assert any(line == f"{number} anchors are trained: the time allows no more" for line in spoken.lines)


@pytest.mark.slow
def test_a_member_can_be_trained_on_from_its_weights_as_an_anchor(done: tuple[Path, list[str]], tmp_path: Path) -> None:
    path = Path(shutil.copytree(done[0], tmp_path / "run"))
    known = AnchorSet.from_json((path / "anchors.json").read_bytes()).known
    recipe = load_recipe("quick", epochs=1, warm_up=0)
    (trained,) = train_members(path, known[0].text, recipe, weights="anchor")
    (fresh,) = train_members(path, known[0].text, recipe, weights="fresh")
    assert trained.record["weights"] == "anchor"
    assert trained.record["history"][0]["loss"] < fresh.record["history"][0]["loss"]
    other = next(row["architecture"] for row in members(path) if row["architecture"] not in {a.text for a in known})
    with pytest.raises(RunError, match=r"Expected one of the 8 anchors of .* to go on from its weights"):
        train_members(path, other, recipe, weights="anchor")


def test_anchors_are_taken_over_where_they_fit(done: tuple[Path, list[str]], space: str, tmp_path: Path) -> None:
    trained: list[Architecture] = []
    value = AnchorEvaluator._value

    def counted(self: AnchorEvaluator, architecture: Architecture) -> float:
        trained.append(architecture)
        return value(self, architecture)

    given = {**QUICK, "objectives": ("acc", "params"), "anchors": 10, "anchors_from": str(done[0])}
    with pytest.MonkeyPatch.context() as patch:
        # Trainings that fail or stop on purpose, or are counted, in a whole search.
        patch.setattr(AnchorEvaluator, "_value", counted)
        with pipeline.search(make_settings(space=space, **given), tmp_path / "run") as run:
            assert run.manifest["anchors"]["taken_over"] == 8
            assert run.manifest["anchors"]["number"] == 10
    first = AnchorSet.from_json((done[0] / "anchors.json").read_bytes())
    now = AnchorSet.from_json((tmp_path / "run" / "anchors.json").read_bytes())
    assert now.anchors[:8][0] in first.anchors
    assert len(trained) == 2 + Ladder((1, 2), 0.5).climbers(2)  # the new ones, and one of all that climbs
    with pytest.raises(
        SettingsError, match=r"None of the 12 trainings of anchors in .* is of this search's kind: data,"
    ):
        pipeline.search(make_settings(space=space, **given, seed=1), tmp_path / "other")


def test_a_training_that_diverges_is_recorded_and_the_search_goes_on(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, broken = AnchorEvaluator._value, []

    def breaks(self: AnchorEvaluator, architecture: Architecture) -> float:
        if not broken or str(architecture) == broken[0]:
            broken.append(str(architecture))
            raise ArithmeticError("it diverged")
        return value(self, architecture)

    # Trainings that fail or stop on purpose, or are counted, in a whole search.
    monkeypatch.setattr(AnchorEvaluator, "_value", breaks)
    with pipeline.search(make_settings(space=space, **QUICK), tmp_path / "run") as run:
        assert run.manifest["anchors"]["failed"] == 1
        assert run.manifest["acc_trust"]["anchors"] == 7
    (failed,) = [a for a in AnchorSet.from_json((tmp_path / "run" / "anchors.json").read_bytes()).anchors if a.cause]
    assert (failed.text, failed.values) == (broken[0], ())
    assert "it diverged" in str(failed.cause)


@pytest.mark.parametrize(
    ("given", "anchors"),
    [
        ({}, 12),
        ({"generations": 100}, 40),
        ({"generations": 10}, 0),
        ({"estimator": "supernet:loss"}, 0),
        ({"objectives": ("flops", "params")}, 0),
        ({"anchors": 0}, 0),
        ({"anchors": 3}, 3),
    ],
)
def test_how_many_follows_from_the_budget(given: Mapping[str, Any], anchors: int) -> None:
    settings = SearchProblem(make_settings(**given)).settings
    assert settings.anchors == anchors
    assert (settings.anchor_epochs is not None) == (anchors > 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"anchors": 8, "estimator": "supernet:loss"}, "Anchors teach the default estimate of 'acc'"),
        ({"anchors": 8, "objectives": ("flops", "params")}, "Anchors teach the default estimate of 'acc'"),
        ({"anchors": 7000, "space": "nasbench_macro"}, "at most the 6561 architectures .* as anchors, got 7000"),
        ({"anchors_from": "nowhere"}, "No run to take anchors over from at nowhere"),
        ({"distillation": "logits", "teacher": "none.onnx"}, "Expected a teacher 'largest' or an ONNX file"),
        ({"distillation": "much"}, "Expected a distillation none, logits or nst"),
        ({"anchor_epochs": "4,2"}, "put them in order"),
        ({"anchor_epochs": "a"}, "Expected rising epochs of levels such as 2,6, got 'a'"),
    ],
)
def test_what_makes_no_sense_is_refused(given: Mapping[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        SearchProblem(make_settings(**given))


def test_rounds_and_levels() -> None:
    assert [anchor_rounds(n) for n in (0, 5, 8, 12, 13)] == [[], [5], [4, 2, 2], [6, 3, 3], [7, 4, 2]]
    assert all(sum(anchor_rounds(n)) == n for n in range(60))
    assert (default_ladder(863, 64), default_ladder(50_000, 64)) == ((2, 6), (2, 6))
    assert default_ladder(100, 64) == (17, 51)


def test_a_predictor_that_is_not_there_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Expected a predictor in .*nowhere"):
        check_settings(make_settings(predictor=str(tmp_path / "nowhere.safetensors")))
