"""Selection of an architecture: a member of a run's front, or any member of its space."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import SettingsError, SpaceError, suggest
from evonas.pareto.front import Front, Member
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Architecture, Space, load_space

_KEYWORD = re.compile(r"knee|best|cheapest|(best|index):.*")


@dataclass(frozen=True)
class Selection:
    """Members that were selected.

    Attributes:
        selection: As asked for.
        architecture: Canonical.
        member: The member of the front, with what is known of it, or None where it is not on the front.
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


def choose(front: Front, space: Space, selection: str) -> Selection:
    """Return what a selection means.

    Args:
        front: Front of the run.
        space: Space of the run.
        selection: As `Front.select` takes it, or the text of an architecture of the space, in any form that it
            parses, on the front or not.

    Raises:
        SettingsError: No such member, and no architecture of the space.
    """
    member = front.select(selection) if _KEYWORD.fullmatch(selection) else front.find(selection)
    if member is not None:
        return Selection(selection, space.canonical(space.parse(member.architecture)), member)
    try:
        architecture = space.canonical(space.parse(selection))
    except SpaceError as error:
        near = suggest(selection.partition(":")[0], ["knee", "best", "cheapest", "index"])
        cause = "" if near else f" ({error})"
        raise SettingsError(
            f"Expected knee, best, best:OBJECTIVE, cheapest, index:N (0 to {len(front) - 1}), "
            f"a short id or the text of an architecture of "
            f"'{space.name}' to select, got '{selection:.60}'{cause}.{near}"
        ) from None
    known = next((member for member in front if member.architecture in (str(architecture), selection)), None)
    return Selection(selection, architecture, known)


def check_selection(path: Path, selection: str) -> None:
    """Refuse a path that is no run, and a selection that its front and space do not have; nothing else is read.

    Args:
        path: The run's directory.
        selection: As `choose` takes it, or ``front`` for all members.

    Raises:
        EvonasError: No run or no front, or no such member.
    """
    with Run.open(path) as run:
        if selection != "front":
            choose(read_front(run), load_space(run.settings["space"]), selection)
