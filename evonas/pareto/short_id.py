"""Short ids of architectures, where their texts are too long: on screens, pages, and for ``--select``."""

from __future__ import annotations

import hashlib
import re

__all__ = ["SHORT", "is_short_id", "short_id"]

SHORT = 7
"""Characters of a short id as it is shown; as it is given it may have more of the same hash, or down to four."""
_GIVEN = re.compile(r"[0-9a-f]{4,64}")


def short_id(text: str) -> str:
    """Return the seven characters that stand for an architecture.

    Args:
        text: Its canonical text.
    """
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]


def is_short_id(given: str, text: str) -> bool:
    """Return whether what was given is the short id of an architecture, or the beginning or more of it.

    Args:
        given: What a person typed.
        text: The architecture's canonical text.
    """
    return _GIVEN.fullmatch(given) is not None and hashlib.sha256(text.encode()).hexdigest().startswith(given)
