"""Encoders: architectures as what a regressor learns from; one file each, behind the contract `Encoder`.

- `TokenEncoder`: counts of parts, as `token_groups` finds them, and statistics that cost nothing, as an array.
"""

from evonas.predictors.encoders.columns import TokenColumns
from evonas.predictors.encoders.counts import TokenCounts
from evonas.predictors.encoders.encoder import Described, Encoder
from evonas.predictors.encoders.parts import token_groups
from evonas.predictors.encoders.tokens import TokenEncoder, Tokens

__all__ = ["Described", "Encoder", "TokenColumns", "TokenCounts", "TokenEncoder", "Tokens", "token_groups"]
