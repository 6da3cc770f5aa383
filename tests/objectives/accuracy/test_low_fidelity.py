from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evonas.data import load_data
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy.estimators import read_estimator, read_training
from evonas.objectives.accuracy.low_fidelity import TrainingEvaluator
from evonas.spaces import as_candidates


@pytest.mark.parametrize(
    ("text", "epochs", "inherit"), [("train:5", 5, False), ("train:05", 5, False), (" train:12+inherit", 12, True)]
)
def test_options_of_a_short_training(text, epochs, inherit):
    kind, option = read_estimator(text)
    assert kind == "train"
    assert read_training(option) == (epochs, inherit)


@pytest.mark.parametrize("text", ["train", "train:", "train:0", "train:-1", "train:1.5", "train:5+else"])
def test_options_that_make_no_sense(text):
    with pytest.raises(SettingsError, match="train:EPOCHS"):
        read_estimator(text)


def with_estimator(context: Context, text: str) -> Context:
    return replace(context, options={**context.options, "estimator": text})


@pytest.mark.parametrize("text", ["train:1", "train:1+inherit"])
def test_a_short_training_depends_on_nothing_evaluated_before(trained: Context, draw, text):
    forms = draw(trained.space, 2)
    context = with_estimator(trained, text)
    weights = {name: value.clone() for name, value in trained.supernet.state_dict().items()}
    first = [row["acc"].value for row in make_evaluator("acc", context).evaluate(as_candidates(forms))]
    again = [row["acc"].value for row in make_evaluator("acc", context).evaluate(as_candidates(forms[::-1]))][::-1]
    assert first == again
    assert all(0 <= value <= 1 for value in first)
    assert all(torch.equal(value, weights[name]) for name, value in trained.supernet.state_dict().items())


def test_fingerprints_tell_estimators_and_parts_apart(trained: Context):
    texts = ["train:1", "train:2", "train:1+inherit"]
    prints = {TrainingEvaluator(with_estimator(trained, text)).fingerprint for text in texts}
    prints.add(TrainingEvaluator(with_estimator(trained, "train:1"), part="report").fingerprint)
    assert len(prints) == 4


def test_the_supernet_is_beside_what_is_trained(trained: Context):
    context = with_estimator(trained, "train:1")
    assert TrainingEvaluator(context).shared_weights().fingerprint == make_evaluator("acc", trained).fingerprint
    assert TrainingEvaluator(replace(context, supernet=None)).shared_weights() is None


def test_training_needs_data_and_inheriting_a_supernet(trained: Context):
    with pytest.raises(SettingsError, match="data"):
        TrainingEvaluator(with_estimator(replace(trained, data=None), "train:1"))
    with pytest.raises(SettingsError, match="inherits"):
        TrainingEvaluator(with_estimator(replace(trained, supernet=None), "train:1+inherit"))


@pytest.fixture
def regressing(trained: Context, tmp_path) -> Context:
    """The same supernet, of one output, on digits whose target is their brightness."""
    data = trained.data
    parts = (data.train, data.test)
    images, test = (part.images.numpy().transpose(0, 2, 3, 1) for part in parts)
    np.savez(
        tmp_path / "light.npz", x_train=images, y_train=images.mean((1, 2, 3)).astype(float),
        x_test=test, y_test=test.mean((1, 2, 3)).astype(float),
    )  # fmt: skip
    found = load_data(str(tmp_path / "light.npz"), resolution=data.resolution)
    skeleton = trained.skeleton.replace(classes=1, in_channels=found.in_channels)
    return replace(trained, data=found, skeleton=skeleton, supernet=build(trained.space, skeleton, seed=0))


def test_a_short_training_measures_what_another_task_does(regressing: Context, draw):
    (form,) = draw(regressing.space, 1)
    context = with_estimator(regressing, "train:1")
    evaluator = make_evaluator("r2", context)
    assert [objective.name for objective in evaluator.objectives] == ["r2", "rmse", "mae"]
    (row,) = evaluator.evaluate(as_candidates([form]))
    assert 0 < row["mae"].value <= row["rmse"].value
    assert row["r2"].value <= 1
    assert evaluator.shared_weights().fingerprint == make_evaluator("rmse", regressing).fingerprint
    assert evaluator.fingerprint != evaluator.shared_weights().fingerprint
    (longer,) = make_evaluator("r2", with_estimator(regressing, "train:8")).evaluate(as_candidates([form]))
    assert longer["rmse"].value < row["rmse"].value


def test_estimates_of_accuracy_alone_are_refused_for_another_measure(regressing: Context):
    with pytest.raises(SettingsError, match="'supernet:probability' is of accuracy alone: for 'rmse'"):
        make_evaluator("rmse", with_estimator(regressing, "supernet:probability"))
    with pytest.raises(SettingsError, match="'r3' is no measure of image regression"):
        TrainingEvaluator(with_estimator(regressing, "train:1"), measure="r3")
