from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from evonas.predictors import Encoder, Scale, fit_predictor, regressors
from evonas.predictors.predictor import TOLERANCE


def words(genome: np.ndarray) -> dict[str, dict[str, float]]:
    return {"genes": {f"{i}={gene}": 1.0 for i, gene in enumerate(genome.tolist())}}


def nothing(genomes: np.ndarray) -> np.ndarray:
    return np.zeros((len(genomes), 0))


def draw(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (n, 6))


WEIGHTS = np.array([3.0, 1.0, 2.0, 0.5, 1.5, 1.0])


def linear(genomes: np.ndarray) -> np.ndarray:
    return genomes @ WEIGHTS


@pytest.mark.parametrize("name", list(regressors))
def test_every_regressor_learns_and_knows_what_it_does_not_know(name):
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(80, 4))
    values = columns[:, 0] + 0.5 * columns[:, 1]
    values -= values.mean()
    regressor = regressors[name]()
    guesses = regressor.fit(columns[:60], values[:60])
    mean, sd = regressor.predict(columns[60:])
    assert spearmanr(mean, values[60:])[0] > 0.8
    assert spearmanr(guesses, values[:60])[0] > 0.8
    assert (sd > 0).all()


@pytest.mark.parametrize("name", ["gaussian-process", "ridge"])
def test_guesses_are_those_of_a_fit_without_the_row(name):
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(30, 3))
    values = columns[:, 0] + 0.3 * rng.normal(size=30)
    guesses = regressors[name]().fit(columns, values)
    for row in (0, 7, 29):
        rest = np.arange(30) != row
        left_out = regressors[name]()
        left_out.fit(columns[rest], values[rest])
        # Hyperparameters move a little without the row.
        assert guesses[row] == pytest.approx(left_out.predict(columns[[row]])[0][0], abs=0.08)


def test_noise_is_not_ranked_by_any_regressor():
    values = np.random.default_rng(2).normal(size=60)
    encoder = Encoder(words, nothing, tuple)
    choice = fit_predictor(encoder, encoder(draw(60)), values).choice
    assert set(choice.correlations) == set(regressors)
    assert max(choice.correlations.values()) < 0.45


def test_the_first_regressor_that_ranks_about_best_is_chosen(monkeypatch):
    encoder = Encoder(words, nothing, tuple)
    known, unseen = draw(60), draw(200, seed=1)
    predictor = fit_predictor(encoder, encoder(known), linear(known))
    found = predictor.choice.correlations
    close = [name for name, rho in found.items() if rho >= max(found.values()) - TOLERANCE]
    assert predictor.choice.name == close[0]
    assert max(found.values()) > 0.95
    monkeypatch.setattr("evonas.predictors.predictor.TOLERANCE", 0.0)
    strict = fit_predictor(encoder, encoder(known), linear(known)).choice
    assert found[strict.name] == max(found.values())
    score, _ = predictor(encoder(unseen))
    assert spearmanr(score, linear(unseen))[0] > 0.95
    assert np.median(np.abs(predictor.values(score) - linear(unseen))) < 1.0


def test_boosted_trees_are_chosen_from_where_they_are_installed():
    pytest.importorskip("lightgbm", reason="lightgbm is not installed: pip install 'evonas[lightgbm]'")
    encoder = Encoder(words, nothing, tuple)
    found = fit_predictor(encoder, encoder(draw(60)), linear(draw(60))).choice.correlations
    assert list(found) == ["gaussian-process", "ridge", "lightgbm"]
    assert found["lightgbm"] > 0.7


def test_an_outlier_does_not_spoil_the_ranking():
    encoder = Encoder(words, nothing, tuple)
    known, unseen = draw(60), draw(200, seed=1)
    values = linear(known)
    values[::12] *= 1000
    score, _ = fit_predictor(encoder, encoder(known), values)(encoder(unseen))
    assert spearmanr(score, linear(unseen))[0] > 0.8


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_values_will_do(n):
    encoder = Encoder(words, nothing, tuple)
    predictor = fit_predictor(encoder, encoder(draw(n)), np.arange(float(n)))
    assert predictor.choice.correlations == {}
    assert np.isfinite(predictor.values(predictor(encoder(draw(9)))[0])).all()


def test_equal_values_are_predicted_as_they_are():
    encoder = Encoder(words, nothing, tuple)
    predictor = fit_predictor(encoder, encoder(draw(20)), np.full(20, 7.0))
    np.testing.assert_allclose(predictor.values(predictor(encoder(draw(5, 3)))[0]), 7.0)


def test_scores_go_back_to_values():
    values = np.random.default_rng(0).lognormal(size=50)
    scale = Scale(values)
    np.testing.assert_allclose(scale.back(scale.scores), values)
    assert (np.diff(scale.back(np.linspace(-6, 6, 200))) > 0).all()
    assert spearmanr(scale.scores, values)[0] == pytest.approx(1.0)


def test_a_threshold_lies_between_what_holds_and_what_does_not():
    scale = Scale(np.array([0.0, 0.0, 0.0, 0.2, 0.9]))
    assert scale.scores[0] < scale.threshold(0.0) < scale.scores[3]
    assert scale.threshold(-1.0) == -np.inf
    assert scale.threshold(1.0) == np.inf
