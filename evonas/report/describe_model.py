"""Description of an ONNX model, ours or not: its operations and what it costs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from evonas.files.size import Size, height_width
from evonas.graphs import read_model
from evonas.objectives.cost.graph_memory import graph_memory
from evonas.objectives.cost.graph_rank import RANKED_AMONG, predicted_rank

__all__ = ["ModelDescription", "describe_model"]


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
            f"Its accuracy is predicted to be above that of {rank:.0%} of {RANKED_AMONG} random architectures of "
            f"{among} on images of its size, by {name}: a rank, not an accuracy, by depth, sizes and FLOPs alone."
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
