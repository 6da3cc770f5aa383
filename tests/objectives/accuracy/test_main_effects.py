from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.errors import EvaluationError
from evonas.objectives import Context
from evonas.objectives.accuracy import main_effects as effects
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.main_effects import AdditiveEffects
from evonas.pareto.correlation import kendall
from evonas.spaces import as_candidates, load_space

SPACE = load_space("nasbench_macro")
MANY = effects.REFERENCES
WORTH = np.random.default_rng(5).normal(size=(8, 3))
WORTH[4], WORTH[7] = WORTH[3], WORTH[6]  # blocks that change places make the same network
FORMS = [SPACE.form(genome) for genome in SPACE.sample(120, np.random.default_rng(6))]


def true_loss(form) -> float:
    """A sum of what each choice is worth."""
    return 3.0 + float(WORTH[np.arange(8), SPACE.encode(form)].sum())


def score(loss: float) -> dict[str, float]:
    return {"accuracy": 0.5, "loss": loss, "probability": 0.5}


def test_a_sum_of_effects_is_found_where_nothing_errs():
    smoothed = AdditiveEffects(SPACE, lambda form: score(true_loss(form)), references=MANY)
    # Each path's own reading is off, which the effects must put right.
    found = [smoothed(form, score(true_loss(form) + 0.5)) for form in FORMS]
    np.testing.assert_allclose(found, [-true_loss(form) for form in FORMS], atol=0.1)


def test_readings_that_err_rank_better_smoothed():
    truth = np.array([-true_loss(form) for form in FORMS])

    def gain(seed: int) -> float:
        rng = np.random.default_rng(seed)

        def read(form):
            return score(true_loss(form) + 2.0 * rng.normal())

        smoothed, once = AdditiveEffects(SPACE, read, references=MANY), [read(form) for form in FORMS]
        better = kendall([smoothed(*pair) for pair in zip(FORMS, once, strict=True)], truth)
        return better - kendall([-one["loss"] for one in once], truth)

    gains = [gain(seed) for seed in range(5)]
    assert min(gains) > 0.05
    assert np.mean(gains) > 0.2


def test_a_paths_own_loss_counts_by_how_little_is_known():
    rng = np.random.default_rng(8)

    def own(references: int) -> float:
        smoothed = AdditiveEffects(SPACE, lambda form: score(true_loss(form) + rng.normal()), references=references)
        return float(np.mean([smoothed(form, score(0.0)) - smoothed(form, score(1.0)) for form in FORMS]))

    few, many = own(12), own(300)
    assert 0 < many < 0.2 < few < 1


def test_paths_that_cannot_be_read_are_left_out():
    luck = iter([1.0] + [None] * 22 + [2.0])

    def read(form):
        if (loss := next(luck)) is None:
            raise EvaluationError("no luck")
        return score(loss)

    assert len(AdditiveEffects(SPACE, read, references=24).sample) == 2
    with pytest.raises(EvaluationError, match="None of the paths"):
        AdditiveEffects(SPACE, _fail, references=24)


def test_paths_read_before_are_not_read_again():
    known = effects.read_scores(SPACE, lambda form: score(true_loss(form)), references=24)
    again = AdditiveEffects(SPACE, lambda form: pytest.fail("it is known"), known=known, references=24)
    fresh = AdditiveEffects(SPACE, lambda form: score(true_loss(form)), references=24)
    assert again.sample == fresh.sample
    assert [again(form, score(1.0)) for form in FORMS[:5]] == [fresh(form, score(1.0)) for form in FORMS[:5]]


@pytest.mark.parametrize(("asked", "read"), [(0, effects.FEWEST), (12, effects.FEWEST + 12)])
def test_reading_ends_with_the_time_but_for_the_fewest(asked, read):
    answers = iter([False] * asked + [True])
    known = effects.read_scores(SPACE, lambda form: score(true_loss(form)), over=lambda: next(answers), references=40)
    assert len(known) == read
    drawn = [str(SPACE.form(genome)) for genome in effects._sample(SPACE, 40)]
    assert set(known) <= set(drawn[: effects.CHUNK * -(-read // effects.CHUNK)])  # not what begins alike
    assert len(AdditiveEffects(SPACE, _fail, known=known, references=40).sample) == read


def _fail(*_):
    raise EvaluationError("no luck")


def test_it_is_an_estimate_of_accuracy_by_name(trained: Context, draw):
    evaluator = AccuracyEvaluator(replace(trained, options={"estimator": "supernet:smoothed"}))
    rows = evaluator.evaluate(as_candidates(draw(trained.space, 3)))
    assert all(0 < row["acc"].value <= 1 and 0 <= row["acc_top1"].value <= 1 for row in rows)
