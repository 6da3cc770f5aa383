"""Computation graphs: one representation of any network, ours or not, by its primitive operations.

- `ComputationGraph`: operations (`Primitive`) and what each reads; equal whatever the order of nodes.
- `read_onnx` reads it from an ONNX model, `graph_of_module` from a torch module, `read_model` with what weights say.
- `GraphNormalizer` brings operations into one normal form; whole graphs are put together of parts by it.
"""

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.graphs.computation_graph import ComputationGraph
    from evonas.graphs.normalizer import GraphNormalizer
    from evonas.graphs.onnx_reader import ModelFacts, graph_of_module, read_model, read_onnx
    from evonas.graphs.primitive import OPERATIONS, Primitive

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "normalizer": ("GraphNormalizer",),
        "computation_graph": ("ComputationGraph",),
        "onnx_reader": ("ModelFacts", "graph_of_module", "read_model", "read_onnx"),
        "primitive": ("OPERATIONS", "Primitive"),
    },
)

__all__ = [
    "OPERATIONS",
    "ComputationGraph",
    "GraphNormalizer",
    "ModelFacts",
    "Primitive",
    "graph_of_module",
    "read_model",
    "read_onnx",
]
