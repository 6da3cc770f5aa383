from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError
from evonas.objectives.cost.architecture_graph import ArchitectureGraphs
from evonas.predictors.encoders.graph_arrays import graph_arrays
from evonas.predictors.encoders.text_tokens import token_numbers
from evonas.predictors.ranking_loss import pairwise_margin_loss, random_pairs
from evonas.predictors.regressors.fuzzy_mixture import FuzzyMixture
from evonas.predictors.regressors.graph_neural import graph_regressor
from evonas.predictors.regressors.ridge import Ridge
from evonas.predictors.regressors.text_neural import text_regressor
from evonas.spaces import load_space


def test_ranking_loss_is_the_margin_less_the_gap():
    pair, scores = torch.tensor([[0, 1]]), torch.tensor([0.53, 0.5])
    for values, loss in (([2.0, 1.0], 0.1 - 0.03), ([1.0, 2.0], 0.1 + 0.03), ([1.0, 1.0], 0.0)):
        assert pairwise_margin_loss(scores, torch.tensor(values), pair).item() == pytest.approx(loss, abs=1e-6)
    assert pairwise_margin_loss(torch.tensor([0.9, 0.5]), torch.tensor([2.0, 1.0]), pair).item() == 0
    assert len(random_pairs(3, np.random.default_rng(0))) == 3
    many = random_pairs(40, np.random.default_rng(0))
    assert many.shape == (160, 2)
    assert len({tuple(sorted(pair)) for pair in many.tolist()}) == 160


@pytest.mark.parametrize("loss", ["squares", "ranking"])
def test_graphs_are_learned_the_same_each_time(graphs, loss):
    arrays = graph_arrays(graphs)
    counts = np.array([graph.counts["conv"] for graph in graphs], dtype=float)
    values = counts - counts.mean()
    first, second = (graph_regressor(loss=loss, epochs=15, folds=2) for _ in range(2))
    left_out = first.fit(arrays[np.arange(48)], values[:48])
    assert np.corrcoef(left_out, values[:48])[0, 1] > 0.8
    mean, sd = first.predict(arrays[np.arange(48, 60)])
    assert np.corrcoef(mean, values[48:])[0, 1] > 0.8
    assert (sd > 0).all()
    second.fit(arrays[np.arange(48)], values[:48])
    np.testing.assert_array_equal(second.predict(arrays[np.arange(48, 60)])[0], mean)


@pytest.mark.slow
def test_flops_are_a_function_of_the_nodes():
    space = load_space("nasbench201")
    assembled = ArchitectureGraphs(space, space.skeleton("small", in_channels=3, classes=10))
    genomes = space.sample(1400, np.random.default_rng(0), by="choice")
    graphs = [assembled(space.canonical(space.decode(genome))) for genome in genomes]
    flops = np.array([graph.flops for graph in graphs], dtype=float)
    regressor = graph_regressor(epochs=100, folds=2)
    arrays = graph_arrays(graphs)
    regressor.fit(arrays[np.arange(1200)], flops[:1200] - flops[:1200].mean())
    predicted, _ = regressor.predict(arrays[np.arange(1200, 1400)])
    errors = predicted + flops[:1200].mean() - flops[1200:]
    assert 1 - (errors**2).mean() / flops[1200:].var() > 0.999


def test_a_mixture_learns_what_holds_in_one_cluster_alone():
    """Two kinds of architectures, whose values rise with a feature in one and fall with it in the other."""
    rng = np.random.default_rng(0)
    kind, x = rng.integers(0, 2, 120), rng.uniform(-1, 1, 120)
    features = np.stack([6.0 * kind, x], axis=1)
    values = np.where(kind == 0, x, -x) + rng.normal(0, 0.05, 120)
    values -= values.mean()
    mixture, single = FuzzyMixture(Ridge, clusters=2), Ridge()
    left_out = mixture.fit(features[:80], values[:80])
    single.fit(features[:80], values[:80])
    mixed, sd = mixture.predict(features[80:])
    plain, _ = single.predict(features[80:])
    assert np.abs(mixed - values[80:]).mean() < 0.15
    assert np.abs(plain - values[80:]).mean() > 0.3
    assert np.corrcoef(left_out, values[:80])[0, 1] > 0.95
    assert (sd > 0).all()
    with pytest.raises(RuntimeError, match="Expected a fitted mixture"):
        FuzzyMixture(Ridge).predict(features)


def test_few_values_make_one_cluster():
    features, values = np.arange(10.0)[:, None], np.arange(10.0) - 4.5
    mixture, single = FuzzyMixture(Ridge, clusters=4), Ridge()
    np.testing.assert_allclose(mixture.fit(features, values), single.fit(features, values))


@pytest.mark.parametrize("loss", ["squares", "ranking"])
def test_texts_are_learned_by_attention(loss):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 8, 60)
    texts = [" ".join(rng.permutation(["Conv"] * n + ["Relu"] * (10 - n))) for n in counts]
    tokens = np.stack([token_numbers(text, 16)[0] for text in texts])
    values = counts - counts.mean()
    regressor = text_regressor(loss=loss, epochs=25, folds=2, width=16, layers=1)
    left_out = regressor.fit(tokens[:48], values[:48])
    assert np.corrcoef(left_out, values[:48])[0, 1] > 0.7
    mean, _ = regressor.predict(tokens[48:])
    assert np.corrcoef(mean, values[48:])[0, 1] > 0.7
    padded = np.concatenate([tokens[48:], np.zeros((12, 9), dtype=np.int64)], axis=1)
    np.testing.assert_allclose(regressor.predict(padded)[0], mean)
    assert np.isfinite(regressor.predict(np.zeros((1, 4), dtype=np.int64))[0]).all()


@pytest.mark.parametrize("make", [graph_regressor, text_regressor])
def test_one_fold_would_leave_nothing_to_learn_from(make):
    with pytest.raises(SettingsError, match=r"Expected 2 folds or more, .* got 1"):
        make(folds=1)
