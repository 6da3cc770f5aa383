"""Parts of an architecture, in groups of tokens, read off its structure alone, whatever its space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.predictors.encoders.tokens import Tokens
from evonas.spaces import Architecture, Space

__all__ = ["token_groups"]


def token_groups(space: Space, architecture: Architecture) -> Mapping[str, Tokens]:
    """Return the parts of an architecture in groups.

    Args:
        space: Its space.
        architecture: A canonical one, so that equal networks are described alike.

    Returns:
        ``genes``: its genome, one-hot; ``sizes``, where the space has ordered choices: the number of the option that
        each of these has, so that neighbors are described alike; and the groups that its space counts, such as
        ``paths`` and ``parts``; see `Space.count_parts`.
    """
    genome = space.encode(architecture).tolist()
    groups: dict[str, Tokens] = {"genes": {f"{position}={gene}": 1.0 for position, gene in enumerate(genome)}}
    if space.ordered.any():
        groups["sizes"] = {str(position): float(genome[position]) for position in np.flatnonzero(space.ordered)}
    return groups | space.count_parts(architecture)
