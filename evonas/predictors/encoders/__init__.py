"""Encoders: architectures as what a regressor learns from; one file each, behind the contract `Encoder`.

- `TokenEncoder`: counts of parts, as `token_groups` finds them, and statistics that cost nothing, as an array.
- `GraphEncoder`: computation graphs, as arrays of nodes and edges; the same for all spaces.
- `TextEncoder`: chain texts of ONNX models, as numbers of tokens.
- `FeatureEncoder`: any function of fixed length, such as `graph_features` (Weisfeiler-Lehman labels, sums over nodes)
  or `hashed_ngrams` of texts, as a standardized array.
"""

from evonas.predictors.encoders.chain_text import chain_text
from evonas.predictors.encoders.columns import TokenColumns
from evonas.predictors.encoders.counts import TokenCounts
from evonas.predictors.encoders.encoder import Described, Encoder
from evonas.predictors.encoders.feature_encoder import FeatureEncoder
from evonas.predictors.encoders.graph import GraphEncoder
from evonas.predictors.encoders.graph_arrays import GraphArrays, graph_arrays
from evonas.predictors.encoders.graph_features import graph_features, wl_features
from evonas.predictors.encoders.parts import token_groups
from evonas.predictors.encoders.text import TextEncoder
from evonas.predictors.encoders.text_tokens import hashed_ngrams
from evonas.predictors.encoders.tokens import TokenEncoder, Tokens

__all__ = [
    "Described",
    "Encoder",
    "FeatureEncoder",
    "GraphArrays",
    "GraphEncoder",
    "TextEncoder",
    "TokenColumns",
    "TokenCounts",
    "TokenEncoder",
    "Tokens",
    "chain_text",
    "graph_arrays",
    "graph_features",
    "hashed_ngrams",
    "token_groups",
    "wl_features",
]
