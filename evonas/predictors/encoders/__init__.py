"""Encoders: architectures as what a regressor learns from; one file each, behind the contract `Encoder`.

- `TokenEncoder`: counts of parts, as `token_groups` finds them, and statistics that cost nothing, as an array.
- `GraphEncoder`: computation graphs, as arrays of nodes and edges; the same for all spaces.
"""

from evonas.predictors.encoders.columns import TokenColumns
from evonas.predictors.encoders.counts import TokenCounts
from evonas.predictors.encoders.encoder import Described, Encoder
from evonas.predictors.encoders.graph import GraphEncoder
from evonas.predictors.encoders.graph_arrays import GraphArrays, graph_arrays
from evonas.predictors.encoders.parts import token_groups
from evonas.predictors.encoders.tokens import TokenEncoder, Tokens

__all__ = [
    "Described",
    "Encoder",
    "GraphArrays",
    "GraphEncoder",
    "TokenColumns",
    "TokenCounts",
    "TokenEncoder",
    "Tokens",
    "graph_arrays",
    "token_groups",
]
