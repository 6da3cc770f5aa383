from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr

from evonas.predictors import REGRESSORS, TokenEncoder, fit_predictor
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


def test_noise_is_not_ranked_by_any_regressor():
    values = np.random.default_rng(2).normal(size=60)
    encoder = TokenEncoder(words, nothing, tuple)
    choice = fit_predictor(encoder, encoder.describe(draw(60)), values).choice
    assert set(choice.correlations) == set(REGRESSORS)
    assert max(choice.correlations.values()) < 0.45


def test_the_first_regressor_that_ranks_about_best_is_chosen():
    encoder = TokenEncoder(words, nothing, tuple)
    known, unseen = draw(60), draw(200, seed=1)
    predictor = fit_predictor(encoder, encoder.describe(known), linear(known))
    found = predictor.choice.correlations
    close = [name for name, rho in found.items() if rho >= max(found.values()) - TOLERANCE]
    assert predictor.choice.name == close[0]
    assert max(found.values()) > 0.95
    strict = fit_predictor(encoder, encoder.describe(known), linear(known), tolerance=0.0).choice
    assert found[strict.name] == max(found.values())
    score, _ = predictor(encoder.describe(unseen))
    assert spearmanr(score, linear(unseen))[0] > 0.95
    assert np.median(np.abs(predictor.values(score) - linear(unseen))) < 1.0


def test_boosted_trees_are_chosen_from_where_they_are_installed():
    pytest.importorskip("lightgbm", reason="lightgbm is not installed: pip install 'evonas[lightgbm]'")
    encoder = TokenEncoder(words, nothing, tuple)
    found = fit_predictor(encoder, encoder.describe(draw(60)), linear(draw(60))).choice.correlations
    assert list(found) == ["gaussian-process", "ridge", "lightgbm"]
    assert found["lightgbm"] > 0.7


def test_an_outlier_does_not_spoil_the_ranking():
    encoder = TokenEncoder(words, nothing, tuple)
    known, unseen = draw(60), draw(200, seed=1)
    values = linear(known)
    values[::12] *= 1000
    score, _ = fit_predictor(encoder, encoder.describe(known), values)(encoder.describe(unseen))
    assert spearmanr(score, linear(unseen))[0] > 0.8


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_values_will_do(n):
    encoder = TokenEncoder(words, nothing, tuple)
    predictor = fit_predictor(encoder, encoder.describe(draw(n)), np.arange(float(n)))
    assert predictor.choice.correlations == {}
    assert np.isfinite(predictor.values(predictor(encoder.describe(draw(9)))[0])).all()


def test_equal_values_are_predicted_as_they_are():
    encoder = TokenEncoder(words, nothing, tuple)
    predictor = fit_predictor(encoder, encoder.describe(draw(20)), np.full(20, 7.0))
    np.testing.assert_allclose(predictor.values(predictor(encoder.describe(draw(5, 3)))[0]), 7.0)


class Graphs(tuple):
    """Graphs as sets of edges, one per architecture: descriptions that are no array."""

    def __getitem__(self, rows: np.ndarray) -> Graphs:
        return Graphs(tuple.__getitem__(self, row) for row in rows)


class GraphEncoder:
    """Chains: an edge from each gene to the next; what is learned from decides which edges are known."""

    def __init__(self, known: frozenset = frozenset()) -> None:
        self.known = known

    def describe(self, genomes: np.ndarray) -> Graphs:
        return Graphs(frozenset(enumerate(pairwise(row))) for row in genomes.tolist())

    def fit(self, known: Graphs) -> GraphEncoder:
        return GraphEncoder(frozenset().union(*known))

    def transform(self, described: Graphs) -> list[frozenset]:
        return [graph & self.known for graph in described]


class NearestGraphs:
    """Means of the five graphs that share most edges."""

    max_values = 1000

    def fit(self, features: list[frozenset], values: np.ndarray) -> np.ndarray:
        self.graphs, self.values = features, values
        return np.array([self._near(graph, leave_out=row)[0] for row, graph in enumerate(features)])

    def predict(self, features: list[frozenset]) -> tuple[np.ndarray, np.ndarray]:
        found = np.array([self._near(graph) for graph in features])
        return found[:, 0], found[:, 1] + 1e-6

    def _near(self, graph: frozenset, leave_out: int | None = None) -> tuple[float, float]:
        shared = [len(graph & other) if row != leave_out else -1 for row, other in enumerate(self.graphs)]
        nearest = self.values[np.argsort(shared, kind="stable")[-5:]]
        return nearest.mean(), nearest.std()


def test_encoders_of_graphs_enter_by_the_same_door():
    encoder = GraphEncoder()
    known, unseen = draw(120), draw(60, seed=1)
    described = encoder.describe(known)
    predictor = fit_predictor(encoder, described, linear(known), {"nearest": NearestGraphs})
    assert predictor.choice.name == "nearest"
    assert predictor.choice.correlations["nearest"] > 0.4
    score, sd = predictor(encoder.describe(unseen)[np.arange(60)])
    assert spearmanr(score, linear(unseen))[0] > 0.4
    assert (sd > 0).all()
