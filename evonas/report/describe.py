"""A space in numbers: its choices, size and skeletons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from evonas.spaces import Space


@dataclass(frozen=True)
class Choices:
    """Choices of one sort.

    Attributes:
        name: What is chosen, such as ``operation`` or ``kernel``.
        count: How many such choices there are.
        options: Number of options to how many of the choices have it.
        ordered: How many of them list their options by size, so that a search may step from one to the next.
    """

    name: str
    count: int
    options: Mapping[int, int]
    ordered: int = 0

    def __str__(self) -> str:
        by_size = "" if not self.ordered else " by size" if self.ordered == self.count else f", {self.ordered} by size"
        if len(self.options) == 1:
            return f"{self.count} × {next(iter(self.options))} options{by_size}"
        groups = ", ".join(f"{count} × {number}" for number, count in sorted(self.options.items()))
        return f"{groups} options{by_size}"


def sort_choices(space: Space) -> list[Choices]:
    """Return a space's choices by sort, in the order of the genome."""
    sorts: dict[str, Counter[int]] = {}
    ordered: Counter[str] = Counter()
    for name, options, by_size in zip(space.choices, space.cardinalities.tolist(), space.ordered, strict=True):
        sort = name.rpartition(".")[2].rstrip("0123456789") or name
        sorts.setdefault(sort, Counter())[options] += 1
        ordered[sort] += bool(by_size)
    return [Choices(sort, sum(options.values()), dict(options), ordered[sort]) for sort, options in sorts.items()]


def candidates(space: Space) -> list[str]:
    """Return the names of what an operation may be, or the elastic kernels and expansions in words."""
    choices = space.describe_choices()
    names = [str(name) for name in choices.get("operation", ())]
    return names + [f"{sort} {', '.join(map(str, o))}" for sort, o in choices.items() if sort != "operation"]


def skeleton_rows(space: Space) -> list[dict[str, object]]:
    """Return the fields of each skeleton of a space by name, those left out that its networks do not read."""
    return [{"skeleton": name} | space.describe_skeleton(name) for name in space.skeletons]
