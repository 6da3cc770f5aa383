"""Description of an ONNX model, ours or not: its operations and what it costs."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from evonas.errors import SettingsError
from evonas.files.size import Size, height_width, make_size
from evonas.graphs import ComputationGraph, read_model
from evonas.objectives.cost.graph_memory import graph_memory
from evonas.objectives.cost.graph_traits import graph_traits
from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.general import shipped_predictor
from evonas.spaces import load_space

__all__ = ["ModelDescription", "describe_model", "predicted_rank"]

SAMPLE = 200
"""Random architectures that a model is ranked among."""


@dataclass(frozen=True)
class ModelDescription:
    """Operations and costs of a model.

    Attributes:
        shapes: Shapes of its inputs for one image.
        operations: Name, how many, and their multiply-adds; the most frequent first.
        flops: Multiply-adds for one image.
        parameters: Numbers that training sets.
        memory: Most bytes of activations that live at once for one image.
        rank: Share of random architectures of a space that the general predictor scores below it; None: not asked for.
        notes: What a reader should know, a sentence each.
    """

    shapes: tuple[tuple[int, ...], ...]
    operations: tuple[tuple[str, int, int], ...]
    flops: int
    parameters: int
    memory: int
    rank: float | None
    notes: tuple[str, ...]


def describe_model(
    path: str | os.PathLike[str], resolution: Size | None = None, among: str | None = None
) -> ModelDescription:
    """Describe an ONNX file, whoever made it.

    Args:
        path: The file.
        resolution: Size of the images where the model leaves it open.
        among: Space whose random architectures its accuracy is ranked among, on images of its size; None: it is not.

    Raises:
        GraphError: It cannot be read as a computation graph.
        SpaceError: There is no such space.
        SettingsError: It reads no images, or the space has none of this size.
    """
    facts = read_model(path, None if resolution is None else height_width(resolution))
    graph = facts.graph
    rows = []
    for name, count in sorted(graph.counts.items(), key=lambda held: (-held[1], held[0])):
        rows.append((name, count, sum(node.flops for node in graph.nodes if node.name == name)))
    notes = [
        "Operations are counted in normal form: norms, constants, reshaping and padding are none, and what is computed "
        "twice counts once.",
        "One multiply-add of convolutions, linear layers and matrix products is one FLOP.",
    ]
    if facts.custom:
        named = ", ".join(f"{name} ({count})" for name, count in sorted(facts.custom.items()))
        notes.append(f"Operators of other domains than ONNX's own, whose cost is unknown: {named}.")
    if graph.unknown:
        named = ", ".join(f"{name} ({count})" for name, count in sorted(graph.unknown.items()))
        notes.append(f"Operations that predictors do not tell apart, counted as no FLOPs and no parameters: {named}.")
    rank = None
    if among is not None:
        rank, name = predicted_rank(graph, among)
        notes.append(
            f"Its accuracy is predicted to be above that of {rank:.0%} of {SAMPLE} random architectures of {among} on "
            f"images of its size, by {name}: a rank, not an accuracy, by depth, sizes and FLOPs alone."
        )
    return ModelDescription(
        shapes=tuple(node.result for node in graph.nodes if node.name == "input"),
        operations=tuple(rows),
        flops=graph.flops,
        parameters=facts.parameters,
        memory=graph_memory(graph),
        rank=rank,
        notes=tuple(notes),
    )


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
    sample = space.sample(SAMPLE, np.random.default_rng(0), by="choice")
    reference = TraitReader(space, skeleton)([space.canonical(space.decode(genome)) for genome in sample])
    predictor, name = shipped_predictor().for_space(space.name)
    others = predictor(reference, reference)
    (own,) = predictor(graph_traits(graph)[None], reference)
    return float((others < own).mean()), name
