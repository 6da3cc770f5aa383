from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evonas.errors import SettingsError
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy import AccuracyEvaluator


def test_accuracy_is_a_share_of_the_half_asked_for(trained: Context, draw):
    forms = draw(trained.space, 2)
    n = len(trained.data.select)
    for row in make_evaluator("acc", trained).evaluate(forms):
        assert 0 <= row["acc"].value <= 1
        assert row["acc"].value * n == pytest.approx(round(row["acc"].value * n))


def test_accuracy_does_not_depend_on_what_was_evaluated_before(trained: Context, draw):
    forms = draw(trained.space, 3)
    weights = {name: value.clone() for name, value in trained.supernet.state_dict().items()}
    first = [row["acc"].value for row in AccuracyEvaluator(trained).evaluate(forms)]
    again = [row["acc"].value for row in AccuracyEvaluator(trained).evaluate(forms[::-1])][::-1]
    assert first == again
    assert all(torch.equal(value, weights[name]) for name, value in trained.supernet.state_dict().items())


def test_fingerprints_tell_halves_and_weights_apart(trained: Context):
    prints = {
        AccuracyEvaluator(trained).fingerprint,
        AccuracyEvaluator(trained, half="judge").fingerprint,
        AccuracyEvaluator(replace(trained, supernet_fingerprint="other")).fingerprint,
    }
    assert len(prints) == 3


def test_accuracy_needs_data_and_a_supernet(tiny: Context, trained: Context):
    for context in (tiny, replace(trained, supernet=None), replace(trained, data=None)):
        with pytest.raises(SettingsError, match="needs data and a trained supernet"):
            make_evaluator("acc", context)
