from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.errors import EvaluationError
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy import AccuracyEvaluator
from evonas.objectives.prior import REPEATS, Prior
from evonas.supernet import PathEvaluator, PathScore


@pytest.fixture
def evaluator(trained: Context) -> AccuracyEvaluator:
    return AccuracyEvaluator(replace(trained, options={"estimator": "supernet:prior"}))


def test_it_ranks_by_the_mean_of_three_standard_scores(evaluator, trained: Context, draw):
    forms = draw(trained.space, 5)
    prior, read = evaluator._prior, PathEvaluator(trained.supernet, trained.data, trained.data.select, norm_images=512)
    swap = make_evaluator(f"swap(repeats={REPEATS})", trained)
    facts = np.stack(
        [
            [read(form).probability for form in forms],
            [np.log(row["flops"].value) for row in make_evaluator("flops", trained).evaluate(forms)],
            [np.log(row[swap.objectives[0].name].value) for row in swap.evaluate(forms)],
        ],
        axis=1,
    )
    means = ((facts - prior._mean) / prior._spread).mean(axis=1)
    values = np.array([row["acc"].value for row in evaluator.evaluate(forms)])
    assert ((values > 0) & (values < 1)).all()
    logits = np.log(values / (1 - values))
    np.testing.assert_allclose(np.diff(logits), prior._slope * np.diff(means))
    assert prior._slope > 0


def test_it_does_not_depend_on_the_order(evaluator, trained: Context, draw):
    forms = draw(trained.space, 3)
    first = [row["acc"].value for row in evaluator.evaluate(forms)]
    assert first == [row["acc"].value for row in evaluator.evaluate(forms[::-1])][::-1]


def test_its_scale_is_that_of_the_accuracies_it_was_measured_on(trained: Context):
    """Were all paths right on the same share of images, every value would be that share."""
    prior = Prior(trained, lambda form: PathScore(accuracy=0.75, loss=1.0, probability=0.5), 100)
    assert prior._middle == pytest.approx(np.log(3))
    assert prior._spread[0] == 1.0  # a probability that tells nothing counts for nothing


def test_paths_that_cannot_be_read_are_left_out(trained: Context):
    luck = iter([0.25] + [None] * 22 + [0.75])

    def read(form):
        if (share := next(luck)) is None:
            raise EvaluationError("no luck")
        return PathScore(accuracy=share, loss=1.0, probability=share)

    prior = Prior(trained, read, 100)
    assert prior._middle == pytest.approx(0)
    assert prior._mean[0] == pytest.approx(0.5)
    with pytest.raises(EvaluationError, match="None of the paths"):
        Prior(trained, lambda form: _fail(), 100)


def _fail():
    raise EvaluationError("no luck")


def test_a_network_without_activations_counts_as_one_pattern(evaluator, trained: Context, draw, monkeypatch):
    (form,) = draw(trained.space, 1)
    prior, score = evaluator._prior, PathScore(accuracy=0.5, loss=1.0, probability=0.5)
    known = prior(form, score)
    monkeypatch.setattr(prior, "_swap", lambda architecture: [EvaluationError("no activations")])
    assert prior(form, score) < known
