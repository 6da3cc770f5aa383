"""Predictors that read computation graphs and texts, as they are judged across spaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from evonas.benchmarks.judged_table import JudgedTable
from evonas.objectives.cost.architecture_text import ArchitectureTexts
from evonas.predictors.contrastive import embed_graphs, pretrain_contrastive
from evonas.predictors.encoders import GraphArrays, graph_arrays, graph_features, hashed_ngrams
from evonas.predictors.encoders.text import LENGTH
from evonas.predictors.encoders.text_tokens import token_numbers
from evonas.predictors.graph_network import GraphNetwork
from evonas.predictors.regressors import Regressor
from evonas.predictors.regressors.boosted_trees import BoostedTrees
from evonas.predictors.regressors.fuzzy_mixture import FuzzyMixture
from evonas.predictors.regressors.graph_neural import graph_regressor
from evonas.predictors.regressors.ridge import Ridge
from evonas.predictors.regressors.text_neural import text_regressor
from evonas.predictors.scale import normal_scores

__all__ = ["GRAPH_LEARNERS", "Learned", "Learner", "skeleton_graphs", "skeleton_texts"]

Learned = Callable[[JudgedTable], np.ndarray]
"""Returns a score of each row of a table, more is better, without a label of it."""
Learner = Callable[[Sequence[JudgedTable]], Learned]
"""Learns from tables of some spaces."""
GRAPH_EPOCHS, TEXT_EPOCHS, PRETRAINING_EPOCHS = 40, 5, 20


def skeleton_graphs(table: JudgedTable) -> GraphArrays:
    """Return the graphs of a table's rows on the literature's skeleton."""
    return graph_arrays(table.graphs())


def skeleton_texts(table: JudgedTable) -> list[str]:
    """Return the chain texts of a table's rows on the literature's skeleton."""
    texts = ArchitectureTexts(table.space, table.space.literature_skeleton())
    return [texts(form) for form in table.forms]


def _wl(table: JudgedTable) -> np.ndarray:
    return np.stack([graph_features(graph) for graph in table.graphs()])


def _ngrams(table: JudgedTable) -> np.ndarray:
    return np.stack([hashed_ngrams(text) for text in skeleton_texts(table)])


def _within(columns: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and deviation 1 among the rows of one space, those that do not vary at 0."""
    sd = columns.std(axis=0)
    scaled: np.ndarray = (columns - columns.mean(axis=0)) / np.where(sd > 1e-9, sd, 1.0) / np.sqrt(columns.shape[1])
    return scaled


def _of_columns(columns: Callable[[JudgedTable], np.ndarray], make: Callable[[], Regressor]) -> Learner:
    """Return a learner by a regressor of columns, each standardized within its space."""

    def learn(train: Sequence[JudgedTable]) -> Learned:
        regressor = make()
        regressor.fit(
            np.concatenate([_within(columns(table)) for table in train]),
            _targets(train),
        )
        return lambda table: regressor.predict(_within(columns(table)))[0]

    return learn


def _graph(train: Sequence[JudgedTable]) -> Learned:
    """k-GNN on graphs as they are."""
    regressor = graph_regressor(epochs=GRAPH_EPOCHS)
    regressor.fit(_joined([skeleton_graphs(table) for table in train]), _targets(train))
    return lambda table: regressor.predict(skeleton_graphs(table))[0]


def _embedded(make: Callable[[], Regressor]) -> Learner:
    """Return a learner by a regressor of frozen embeddings, pretrained by contrast on all training graphs."""

    def learn(train: Sequence[JudgedTable]) -> Learned:
        network = GraphNetwork()
        pretrain_contrastive(network, _joined([skeleton_graphs(table) for table in train]), epochs=PRETRAINING_EPOCHS)
        return _of_columns(lambda table: embed_graphs(network, skeleton_graphs(table)), make)(train)

    return learn


def _text(train: Sequence[JudgedTable]) -> Learned:
    """Transformer on texts, trained by pairs."""
    regressor = text_regressor(epochs=TEXT_EPOCHS, folds=2)
    regressor.fit(np.concatenate([_tokens(table) for table in train]), _targets(train))
    return lambda table: regressor.predict(_tokens(table))[0]


def _tokens(table: JudgedTable) -> np.ndarray:
    return np.stack([token_numbers(text, LENGTH)[0] for text in skeleton_texts(table)])


def _targets(train: Sequence[JudgedTable]) -> np.ndarray:
    """Return normal scores of values within each table: what is a good accuracy is a task's own matter."""
    return np.concatenate([normal_scores(table.values) for table in train])


def _joined(parts: Sequence[GraphArrays]) -> GraphArrays:
    """Return graphs of several tables in one, in order."""
    nodes, starts = (
        np.concatenate([[0], np.cumsum(np.concatenate([np.diff(getattr(part, name)) for part in parts]))])
        for name in ("nodes", "starts")
    )
    labels, numbers, edges = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "numbers", "edges")
    )
    return GraphArrays(labels, numbers, edges, nodes, starts)


GRAPH_LEARNERS: Mapping[str, Learner] = MappingProxyType(
    {
        "graph": _graph,
        "graph-contrastive": _embedded(Ridge),
        "graph-fuzzy": _embedded(lambda: FuzzyMixture(Ridge)),
        "wl": _of_columns(_wl, Ridge),
        "wl-trees": _of_columns(_wl, BoostedTrees),
        "ngrams": _of_columns(_ngrams, Ridge),
        "ngrams-trees": _of_columns(_ngrams, BoostedTrees),
        "text": _text,
    }
)
"""Name -> learner; those with trees need LightGBM."""
