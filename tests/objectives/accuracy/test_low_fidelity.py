from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evonas.errors import SettingsError
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
    assert TrainingEvaluator(context).shared.fingerprint == make_evaluator("acc", trained).fingerprint
    assert TrainingEvaluator(replace(context, supernet=None)).shared is None


def test_training_needs_data_and_inheriting_a_supernet(trained: Context):
    with pytest.raises(SettingsError, match="data"):
        TrainingEvaluator(with_estimator(replace(trained, data=None), "train:1"))
    with pytest.raises(SettingsError, match="inherits"):
        TrainingEvaluator(with_estimator(replace(trained, supernet=None), "train:1+inherit"))
