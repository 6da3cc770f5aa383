from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.graphs import ComputationGraph
from evonas.predictors.encoders import FeatureEncoder, TextEncoder, graph_features, hashed_ngrams, wl_features
from evonas.predictors.encoders.text_tokens import VOCABULARY, text_tokens, token_numbers
from evonas.predictors.predictor import fit_predictor
from tests.predictors.encoders.test_graph import reordered


def test_tokens_known_by_hand():
    text = "Relu(Value12) --> Conv(prev, Param[4,3,1,1])(kernel_shape=1,alpha=0.5) --> Out:1x4\n"
    assert text_tokens(text) == [
        "Relu", "Value12", "-->", "Conv", "prev", "Param", "4", "3", "1", "1", "kernel_shape", "1", "alpha", "0.5",
        "-->", "Out", "1", "x", "4", "\n",
    ]  # fmt: skip
    numbers, cut = token_numbers("Relu Relu Conv", 2)
    assert numbers[0] == numbers[1] > 0
    assert cut
    numbers, cut = token_numbers("Relu", 3)
    assert numbers.tolist()[1:] == [0, 0]
    assert not cut
    assert 0 < numbers[0] < VOCABULARY


def test_runs_are_counted_and_names_of_values_do_not_matter():
    once, twice = hashed_ngrams("Relu(Value1)"), hashed_ngrams("Relu(Value1)\nRelu(Value7)")
    assert once.sum() == pytest.approx(3 * np.log(2))  # Relu, Value, and both in a row
    assert twice.max() == pytest.approx(np.log(3))
    np.testing.assert_array_equal(hashed_ngrams("Relu(Value3)"), once)


def test_equal_graphs_have_equal_features_and_different_ones_do_not(graphs):
    largest = max(graphs, key=len)
    np.testing.assert_array_equal(graph_features(reordered(largest, 3)), graph_features(largest))
    distinct = {graph.key: graph_features(graph) for graph in graphs}
    rows = np.stack(list(distinct.values()))
    assert len(np.unique(rows, axis=0)) == len(distinct)


def test_labels_do_not_depend_on_widths(graphs):
    graph = graphs[0]
    wide = ComputationGraph(tuple(replace(node, source=(99, *node.source[1:])) for node in graph.nodes), graph.reads)
    np.testing.assert_array_equal(wl_features(wide), wl_features(graph))
    other = ComputationGraph(tuple(replace(n, kernel=(9, 9)) if n.kernel else n for n in graph.nodes), graph.reads)
    assert (wl_features(other) != wl_features(graph)).any()


def test_an_encoder_of_features_is_one_for_predictors(graphs):
    def key(genome: np.ndarray) -> int:
        return int(genome[0])

    genomes = np.arange(len(graphs))[:, None]
    encoder = FeatureEncoder(lambda genome: graph_features(graphs[key(genome)]), key)
    described = encoder.describe(genomes)
    with pytest.raises(RuntimeError, match="Expected a fitted encoder"):
        encoder.transform(described)
    columns = encoder.fit(described).transform(described)
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(columns.var(axis=0).sum(), 1)
    values = np.array([np.log1p(graph.flops) for graph in graphs])
    predictor = fit_predictor(encoder, described[:40], values[:40])
    scores, _ = predictor(described[40:])
    assert np.corrcoef(predictor.values(scores), values[40:])[0, 1] > 0.8


def test_the_share_of_texts_that_are_cut_is_known():
    texts = ["Relu", "Relu Conv", "Relu Conv Add"]
    encoder = TextEncoder(lambda genome: texts[int(genome[0])], lambda genome: int(genome[0]), length=2)
    assert encoder.cut_share == 0
    described = encoder.describe(np.array([[0], [1], [2], [2]]))
    assert encoder.cut_share == pytest.approx(1 / 3)
    assert described.shape == (4, 2)
    np.testing.assert_array_equal(encoder.fit(described).transform(described)[2], described[2])
