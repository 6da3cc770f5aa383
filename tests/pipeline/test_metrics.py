"""A search by a measure other than accuracy: its name, direction, report, and weights of classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evonas.config import make_settings
from evonas.deployment import train_members, training_summary
from evonas.errors import SettingsError
from evonas.pipeline.checks import check_settings
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import search
from evonas.runs.front_file import read_front
from evonas.training import TrainingRecipe

SMALL = {"space": "nasbench201", "warm_start": 8, "population": 4, "generations": 2, "epochs": 1}


@pytest.fixture(scope="module")
def unequal(tmp_path_factory):
    """Zeros and a fourth as many ones, called by name."""
    digits = load_digits()
    rows = np.concatenate([np.flatnonzero(digits.target == 0)[:120], np.flatnonzero(digits.target == 1)[:30]])
    path = tmp_path_factory.mktemp("data") / "unequal.npz"
    names = np.array(["a zero", "one"])
    np.savez(path, images=digits.images[rows].astype(np.uint8), labels=digits.target[rows], class_names=names)
    return str(path)


@pytest.mark.parametrize(
    ("given", "objectives"),
    [
        ({"metric": "macro_f1"}, ("macro_f1", "flops")),
        ({"metric": "accuracy"}, ("acc", "flops")),
        ({"metric": "recall:a_zero"}, ("recall:a_zero", "flops")),
        ({"metric": "auroc", "objectives": ("cohen_kappa", "params")}, ("cohen_kappa", "params")),
    ],
)
def test_a_metric_is_the_first_objective_where_none_are_named(unequal, given, objectives):
    problem = SearchProblem(make_settings(data=unequal, space="nasbench201", **given))
    assert problem.settings.objectives == objectives
    assert problem.learned == [objectives[0]]


@pytest.mark.parametrize("given", [{"metric": "recall:zero"}, {"constraint": ("recall:zero>=50%",)}])
def test_a_class_that_there_is_not_is_said_before_any_work(unequal, given):
    with pytest.raises(SettingsError, match=r"no class of 'recall:zero': expected recall:a_zero, recall:one"):
        SearchProblem(make_settings(data=unequal, space="nasbench201", **given))


def test_an_unknown_metric_and_a_share_above_one_are_refused():
    with pytest.raises(SettingsError, match=r"Unknown metric 'macro_f2': .*Did you mean 'macro_f1'"):
        check_settings(make_settings(metric="macro_f2"))
    with pytest.raises(SettingsError, match=r"for 95 percent write balanced_accuracy>=95%"):
        check_settings(make_settings(constraint=("balanced_accuracy>=95",)))


def test_a_search_by_two_measures_reports_them_and_keeps_to_bounds(unequal, tmp_path):
    run = search(
        data=unequal, out=tmp_path / "run", objectives=("macro_f1", "recall:one", "flops", "ece_after"),
        class_weights="balanced", constraint=("macro_f1>=1%",), **SMALL,
    )  # fmt: skip
    front = read_front(run)
    assert [o.direction for o in front.objectives] == ["max", "max", "min", "min"]
    for member in front:
        assert 0.01 <= member.values["macro_f1"] <= 1
        assert 0 <= member.known["recall:one_report"] <= 1
        assert 0 <= member.values["ece_after"] <= 1
        assert 0 <= member.known["ece_after_report"] <= 1
        assert 0 <= member.known["acc_report"] <= 1
    assert front.select("best:macro_f1").values["macro_f1"] == max(m.values["macro_f1"] for m in front)
    (trained,) = train_members(run, "index:0", TrainingRecipe(name="short", epochs=1, batch_size=32, lr=0.1))
    summary = "\n".join(training_summary([trained]))
    assert "acc is what the search ranked by" not in summary
    assert f"macro_f1: {front[0].values['macro_f1']:.4f} as the search estimated it" in summary
    known = read_front(run)[0].known
    assert known["acc_trained"] == trained.accuracy
    assert known["macro_f1_trained"] == trained.classes.measures["macro_f1"]
    assert known["recall:one_trained"] == pytest.approx(float(trained.classes.recall[1]))
    assert "flops_trained" not in known


def test_balanced_weights_are_the_inverse_of_a_share_and_mark_the_data(unequal):
    plain = SearchProblem(make_settings(data=unequal, space="nasbench201"))
    balanced = SearchProblem(make_settings(data=unequal, space="nasbench201", class_weights="balanced"))
    counts = np.bincount(balanced.data.train.labels)
    assert balanced.task.weights == pytest.approx(tuple(counts.sum() / (2 * counts)))
    assert plain.task.weights is None
    assert plain.data.fingerprint != balanced.data.fingerprint
