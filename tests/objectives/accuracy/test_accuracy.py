from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.estimators import read_estimator
from evonas.spaces import Candidate, as_candidates
from evonas.supernet import PathEvaluator


def estimator(context: Context, name: str) -> Context:
    return replace(context, options={"estimator": name})


def test_accuracy_is_a_share_of_the_part_asked_for(trained: Context, draw):
    forms = draw(trained.space, 2)
    n = len(trained.data.search)
    for row in make_evaluator("acc", estimator(trained, "supernet:accuracy")).evaluate(as_candidates(forms)):
        assert set(row) == {"acc"}
        assert 0 <= row["acc"].value <= 1
        assert row["acc"].value * n == pytest.approx(round(row["acc"].value * n))


def test_estimates_rank_as_what_they_are_named_after_with_plain_accuracy_beside(trained: Context, draw):
    forms = draw(trained.space, 4)
    scores = [PathEvaluator(trained.supernet, trained.data, trained.data.search, norm_images=512)(f) for f in forms]
    for name, key in (("loss", lambda s: -s["loss"]), ("probability", lambda s: s["probability"])):
        rows = make_evaluator("acc", estimator(trained, f"supernet:{name}")).evaluate(as_candidates(forms))
        values = [row["acc"].value for row in rows]
        assert all(0 < value <= 1 for value in values)
        assert np.argsort(values).tolist() == np.argsort([key(score) for score in scores]).tolist()
        assert [row["acc_top1"].value for row in rows] == [score["accuracy"] for score in scores]


def test_the_default_is_the_prior_and_reports_are_plain_accuracy(trained: Context, draw):
    (form,) = draw(trained.space, 1)
    (ours,) = AccuracyEvaluator(trained).evaluate([Candidate(form)])
    (prior,) = AccuracyEvaluator(estimator(trained, "supernet:prior")).evaluate([Candidate(form)])
    assert ours["acc"].value == prior["acc"].value
    (judged,) = AccuracyEvaluator(trained, part="report").evaluate([Candidate(form)])
    assert set(judged) == {"acc"}
    n = len(trained.data.report)
    assert judged["acc"].value * n == pytest.approx(round(judged["acc"].value * n))


@pytest.mark.parametrize("name", ["supernet:los", "oracle"])
def test_an_unknown_estimator_is_named_with_what_there_is(name):
    with pytest.raises(SettingsError, match="Expected an estimator"):
        read_estimator(name)


def test_accuracy_does_not_depend_on_what_was_evaluated_before(trained: Context, draw):
    forms = draw(trained.space, 3)
    weights = {name: value.clone() for name, value in trained.supernet.state_dict().items()}
    first = [row["acc"].value for row in AccuracyEvaluator(trained).evaluate(as_candidates(forms))]
    again = [row["acc"].value for row in AccuracyEvaluator(trained).evaluate(as_candidates(forms[::-1]))][::-1]
    assert first == again
    assert all(torch.equal(value, weights[name]) for name, value in trained.supernet.state_dict().items())


def test_fingerprints_tell_parts_and_weights_apart(trained: Context):
    prints = {
        AccuracyEvaluator(trained).fingerprint,
        AccuracyEvaluator(trained, part="report").fingerprint,
        AccuracyEvaluator(replace(trained, supernet_fingerprint="other")).fingerprint,
        *(AccuracyEvaluator(estimator(trained, f"supernet:{n}")).fingerprint for n in ("accuracy", "probability")),
    }
    assert len(prints) == 5


def test_accuracy_needs_data_and_a_supernet(tiny: Context, trained: Context):
    for context in (tiny, replace(trained, supernet=None), replace(trained, data=None)):
        with pytest.raises(SettingsError, match="needs data and a trained supernet"):
            make_evaluator("acc", context)
