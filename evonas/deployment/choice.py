"""Which architecture a selection means: a member of the front, or any member of the space."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from evonas.errors import SettingsError, SpaceError, suggest
from evonas.pareto.front import Front, Member
from evonas.spaces import Architecture, Space

_KEYWORD = re.compile(r"knee|(best|index):.*")


@dataclass(frozen=True)
class Choice:
    """What was selected.

    Attributes:
        selection: As asked for.
        architecture: Canonical.
        member: Its place on the front with what is known of it, or None where it is not on the front.
    """

    selection: str
    architecture: Architecture
    member: Member | None

    @property
    def text(self) -> str:
        """What store and front know the architecture by: canonical when the run was made."""
        return str(self.architecture) if self.member is None else self.member.architecture

    @property
    def key(self) -> str:
        """Eight hexadecimal digits that stand for the architecture, in names of folders."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


def choose(front: Front, space: Space, selection: str) -> Choice:
    """Return what a selection means.

    Args:
        front: Front of the run.
        space: Space of the run.
        selection: ``knee``, ``best:OBJECTIVE``, ``index:N`` (from 0), or the text of an architecture of the
            space, in any form that it parses, on the front or not.

    Raises:
        SettingsError: No such member, and no architecture of the space.
    """
    if _KEYWORD.fullmatch(selection):
        member = front.select(selection)
        return Choice(selection, space.canonical(space.parse(member.architecture)), member)
    try:
        architecture = space.canonical(space.parse(selection))
    except SpaceError as error:
        near = suggest(selection.partition(":")[0], ["knee", "best", "index"])
        cause = "" if near else f" ({error})"
        raise SettingsError(
            f"Expected knee, best:OBJECTIVE, index:N (0 to {len(front) - 1}) or the text of an architecture of "
            f"'{space.name}' to select, got '{selection:.60}'{cause}.{near}"
        ) from None
    known = next((member for member in front if member.architecture == str(architecture)), None)
    return Choice(selection, architecture, known)
