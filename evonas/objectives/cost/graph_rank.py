"""Rank of a computation graph, whoever made the network, among architectures of a space."""

from __future__ import annotations

import numpy as np

from evonas.errors import SettingsError
from evonas.files.size import make_size
from evonas.graphs import ComputationGraph
from evonas.objectives.cost.graph_traits import graph_traits
from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.general import shipped_predictor
from evonas.spaces import load_space

__all__ = ["RANKED_AMONG", "predicted_rank"]

RANKED_AMONG = 200
"""Random architectures that a network is ranked among."""


def predicted_rank(graph: ComputationGraph, among: str) -> tuple[float, str]:
    """Return the share of random architectures of a space that are predicted to be less accurate, and by what.

    Args:
        graph: A network that reads one image.
        among: A space's name or file.

    Raises:
        SpaceError: There is no such space.
        SettingsError: The network reads no image.
    """
    space = load_space(among)
    shapes = [node.result for node in graph.nodes if node.name == "input"]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        raise SettingsError(f"Expected a network that reads one image to rank among {among}, got inputs of {shapes}")
    channels, height, width = shapes[0]
    skeleton = space.skeleton("small", in_channels=channels, resolution=make_size(height, width))
    sample = space.sample(RANKED_AMONG, np.random.default_rng(0), by="choice")
    reference = TraitReader(space, skeleton)([space.canonical(space.decode(genome)) for genome in sample])
    predictor, name = shipped_predictor().for_space(space.name)
    others = predictor(reference, reference)
    (own,) = predictor(graph_traits(graph)[None], reference)
    return float((others < own).mean()), name
