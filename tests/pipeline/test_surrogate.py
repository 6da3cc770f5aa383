"""Searches whose expensive objectives are predicted."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.objectives.table import TableEvaluator
from evonas.pipeline import run as pipeline
from evonas.pipeline.defaults import uses_predictors
from evonas.pipeline.surrogate import suggestion
from evonas.predictors import fit_predictor
from evonas.runs.run import Run

SPACE = """
name = "blocks"
family = "stage"
source = "made for tests"
counts = "codes: one of three operations in each of six layers"
form = "digits"

[stem]
channels = 8
kernel = 3
stride = 1
activation = "relu"

[operations]
identity = { kind = "identity", code = "0" }
k3e3 = { kind = "mbconv", kernel = 3, expand = 3, code = "1" }
k5e6 = { kind = "mbconv", kernel = 5, expand = 6, code = "2" }

[[stages]]
width = 8
stride = 2
blocks = 6
operations = ["identity", "k3e3", "k5e6"]

[head]
features = 32
activation = "relu"

[skeletons.small]
resolution = 16

[skeletons.proxy]
resolution = 16
head = false
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A table of made-up accuracies, which a search takes for expensive."""
    folder = tmp_path_factory.mktemp("assist")
    space = folder / "blocks.toml"
    space.write_text(SPACE)
    table = folder / "truth.csv"
    rows = ["arch,accuracy"]
    for code in itertools.product(range(3), repeat=6):
        wide = 3 * code[0] + sum(code[1:])  # the same for codes that mean one network
        rows.append(f"{''.join(map(str, code))},{1 - 0.8 * np.exp(-0.2 * wide):.6f}")
    table.write_text("\n".join(rows) + "\n")
    return make_settings(
        space=str(space), table=(str(table),), objectives=("accuracy:max", "flops"), population=12, generations=3,
        warm_start=0, surrogate=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory) -> Run:
    return pipeline.search(settings, tmp_path_factory.mktemp("runs") / "done")


def test_rounds_are_small_and_their_proposals_stored(finished):
    sizes = np.bincount([member.generation for member in finished.store.members()])
    assert sizes.tolist() == [12] + [3] * 8
    stored = finished.store.decide("surrogate 12", lambda: None)
    assert len(stored["genomes"]) == 3
    assert set(stored["predictors"]) == {"0"}  # FLOPs are computed


def test_predictors_are_named_in_the_manifest(finished):
    told = finished.manifest["surrogate"]["predictors"]["accuracy"]
    assert told["name"] in told["correlations"]


def test_off_is_plain_evolution_by_generations(settings, tmp_path):
    plain = pipeline.search(settings.model_copy(update={"surrogate": False}), tmp_path / "plain")
    assert np.bincount([member.generation for member in plain.store.members()]).tolist() == [12, 12, 12]
    assert any(member.parents for member in plain.store.members())


def test_a_prolonged_search_goes_on_as_one_that_was_longer_from_the_start(settings, tmp_path):
    longer = pipeline.search(settings, tmp_path / "longer")
    pipeline.search(settings.model_copy(update={"generations": 2}), tmp_path / "short")
    prolonged = pipeline.resume(tmp_path / "short", generations=3)
    assert (prolonged.path / "front.csv").read_text() == (longer.path / "front.csv").read_text()


def test_a_replay_fits_nothing(finished, monkeypatch):
    before, proposed = (finished.path / "front.csv").read_text(), finished.store.decisions("surrogate ")
    assert len(proposed) == 8
    monkeypatch.setattr("evonas.evolution.surrogate.fit_predictor", None)  # a fit would be a TypeError
    (finished.path / "front.csv").unlink()
    with pipeline.resume(finished.path) as again:
        assert (again.path / "front.csv").read_text() == before
        assert again.store.decisions("surrogate ") == proposed


@pytest.mark.parametrize(("given", "expected"), [(None, False), (False, False), (True, True)])
def test_a_table_is_not_predicted_unless_asked_for(settings, tmp_path, given, expected):
    run = pipeline.search(settings.model_copy(update={"surrogate": given, "generations": 2}), tmp_path / "run")
    sizes = np.bincount([member.generation for member in run.store.members()])
    assert (len(sizes) > 2) == expected
    assert run.settings["surrogate"] is expected


@pytest.mark.parametrize(
    ("changes", "trainable", "expected"),
    [
        ({"estimator": "train:2"}, True, True),
        ({"estimator": "train:2+inherit"}, True, True),
        ({"estimator": "train:2"}, False, False),
        ({"estimator": "supernet"}, True, False),
        ({"estimator": "train:2", "algorithm": "random"}, True, False),
        ({"estimator": "train:2", "algorithm": "regularized-evolution"}, True, False),
        ({"estimator": "train:2", "asynchronous": True}, True, False),
        ({"estimator": "train:2", "surrogate": False}, True, False),
        ({"estimator": "supernet", "surrogate": True}, True, True),
    ],
)
def test_the_kind_of_estimator_decides(changes, trainable, expected):
    assert uses_predictors(make_settings(**changes), trainable=trainable) is expected


@pytest.mark.parametrize(
    ("changes", "trainable", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"surrogate": False}, True, False),
        ({"algorithm": "random"}, True, False),
        ({"asynchronous": True}, True, False),
    ],
)
def test_paths_grown_from_published_weights_are_worth_predicting(changes, trainable, expected):
    asked = make_settings(**changes, estimator="supernet:probability")
    assert uses_predictors(asked, trainable=trainable, published=True) is expected


class _Slow(TableEvaluator):
    """A table that is read as slowly as a machine with other work would read it."""

    def evaluate(self, candidates):
        time.sleep(0.01 * len(candidates))
        return super().evaluate(candidates)


@pytest.mark.parametrize("surrogate", [None, True])
def test_a_slow_machine_makes_the_same_search(settings, tmp_path, monkeypatch, surrogate):
    changed = settings.model_copy(update={"surrogate": surrogate, "generations": 2})
    fast = pipeline.search(changed, tmp_path / "fast")
    # A table that takes time.
    monkeypatch.setattr("evonas.pipeline.problem.TableEvaluator", _Slow)
    slow = pipeline.search(changed, tmp_path / "slow")
    assert (slow.path / "front.csv").read_text() == (fast.path / "front.csv").read_text()
    assert [m.architecture for m in slow.store.members()] == [m.architecture for m in fast.store.members()]


def test_the_share_of_predictors_is_reported_and_no_more_fits_than_rounds(settings, tmp_path, monkeypatch):
    fits = []

    def counted(*given):
        fits.append(len(given[2]))
        return fit_predictor(*given)

    # Whether and how often it is called is what is tested.
    monkeypatch.setattr("evonas.evolution.surrogate.fit_predictor", counted)
    run = pipeline.search(settings, tmp_path / "run")
    assert fits == list(range(12, 36, 3))  # one expensive objective: one predictor a round of three evaluations
    assert run.manifest["timings"]["predictors_seconds"] > 0


def test_predictors_and_results_in_any_order_do_not_go_together():
    with pytest.raises(SettingsError, match="either asynchronous or surrogate"):
        make_settings(surrogate=True, asynchronous=True)


@pytest.mark.parametrize(("algorithm", "objectives", "suggested"), [("nsga2", 4, 1), ("nsga2", 3, 0), ("nsga3", 5, 0)])
def test_nsga3_is_suggested_above_three_objectives(algorithm, objectives, suggested):
    assert ("nsga3" in (suggestion(algorithm, objectives) or "")) == suggested
