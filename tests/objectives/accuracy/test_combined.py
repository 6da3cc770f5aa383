from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evonas.data.part import Part
from evonas.errors import EvaluationError
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.combined import REPEATS, CombinedEstimator, ZeroCostFeatures, _agreement
from evonas.objectives.accuracy.main_effects import AdditiveEffects
from evonas.spaces import as_candidates
from evonas.supernet import PathEvaluator


def made(context: Context, read, images: int = 100) -> CombinedEstimator:
    return CombinedEstimator(ZeroCostFeatures(context), AdditiveEffects(context.space, read), images)


def test_it_ranks_by_the_weighted_sum_of_three_standard_scores(trained: Context, draw):
    forms = draw(trained.space, 5)
    read = PathEvaluator(trained.supernet, trained.data, trained.data.search, norm_images=512)
    smoothed = AdditiveEffects(trained.space, read)
    prior = CombinedEstimator(ZeroCostFeatures(trained), smoothed, len(trained.data.search))
    swap = make_evaluator(f"swap(repeats={REPEATS})", trained)
    facts = np.stack(
        [
            [smoothed(form, read(form)) for form in forms],
            [np.log(row["flops"].value) for row in make_evaluator("flops", trained).evaluate(as_candidates(forms))],
            [np.log(row[swap.objectives[0].name].value) for row in swap.evaluate(as_candidates(forms))],
        ],
        axis=1,
    )
    sums = ((facts - prior._mean) / prior._spread) @ prior.weights
    evaluator = AccuracyEvaluator(replace(trained, options={"estimator": "supernet:prior"}))
    values = np.array([row["acc"].value for row in evaluator.evaluate(as_candidates(forms))])
    assert ((values > 0) & (values < 1)).all()
    logits = np.log(values / (1 - values))
    np.testing.assert_allclose(np.diff(logits), prior._slope * np.diff(sums))
    assert prior._slope > 0


def test_scores_count_by_how_far_they_agree_with_the_others():
    """Two copies of the truth with noise, and something else: nothing, or the reverse."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    for third, least in ((rng.normal(size=4000), 0.0), (-truth, 0.0)):
        scores = np.stack([truth + 0.5 * rng.normal(size=4000), truth + 0.5 * rng.normal(size=4000), third], axis=1)
        weights = _agreement(scores)
        assert weights.sum() == pytest.approx(1)
        assert weights[2] == pytest.approx(least, abs=0.05)
    np.testing.assert_allclose(_agreement(np.repeat(truth[:, None], 3, axis=1)), 1 / 3)
    np.testing.assert_allclose(_agreement(np.zeros((5, 3))), 1 / 3)
    opposed = _agreement(np.stack([truth, -truth, np.zeros(4000)], axis=1))  # no majority, but still numbers
    assert opposed.sum() == pytest.approx(1)
    assert opposed[2] == 0


def test_shared_weights_that_contradict_costs_and_swap_are_not_counted(trained: Context, draw):
    before = ZeroCostFeatures(trained)

    def read(form):
        return dict(accuracy=0.5, loss=float(before(form).sum()), probability=0.5)

    prior = made(trained, read)
    assert prior.weights[0] < 0.02
    agreeing = made(trained, lambda form: {**read(form), "loss": -read(form)["loss"]})
    assert agreeing.weights[0] > 0.45


def test_its_scale_is_that_of_the_accuracies_it_was_measured_on(trained: Context):
    """Were all paths right on the same share of images, every value would be that share."""
    prior = made(trained, lambda form: dict(accuracy=0.75, loss=1.0, probability=0.5))
    assert prior._middle == pytest.approx(np.log(3))
    assert prior.weights[0] == 0.0  # a loss that tells nothing counts for nothing


@pytest.mark.parametrize(("label", "sign"), [(0, 1), (1, -1)])
def test_all_or_no_images_right_count_as_half_an_image_from_it(trained: Context, label, sign):
    """The supernet says class 0 of every image; an image more or less in doubt would move the scale."""
    with torch.no_grad():
        trained.supernet.classifier.bias[0] += 1e6
    images = torch.randint(256, (20, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    part = Part(images, torch.full((20,), label))
    prior = made(trained, PathEvaluator(trained.supernet, trained.data, part, norm_images=64), images=20)
    assert prior._middle == pytest.approx(sign * np.log(19.5 / 0.5))


def test_a_network_without_activations_counts_as_one_pattern(trained: Context, draw):
    (form,) = draw(trained.space, 1)
    before = ZeroCostFeatures(trained)
    known = before(form)
    before._swap = lambda architecture: [EvaluationError("no activations")]
    before._known.clear()
    assert before(form).tolist() == [known[0], 0.0]
