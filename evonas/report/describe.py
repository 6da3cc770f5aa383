"""A space in numbers: its choices, size and skeletons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields

from evonas.spaces import Space, StageSpace


@dataclass(frozen=True)
class Choices:
    """Choices of one sort.

    Attributes:
        name: What is chosen, such as ``operation`` or ``kernel``.
        count: How many such choices there are.
        options: Number of options to how many of the choices have it.
    """

    name: str
    count: int
    options: Mapping[int, int]

    def __str__(self) -> str:
        if len(self.options) == 1:
            return f"{self.count} × {next(iter(self.options))} options"
        return ", ".join(f"{count} × {number}" for number, count in sorted(self.options.items())) + " options"


def sort_choices(space: Space) -> list[Choices]:
    """Return a space's choices by sort, in the order of the genome."""
    sorts: dict[str, Counter[int]] = {}
    for name, options in zip(space.choices, space.cardinalities.tolist(), strict=True):
        sort = name.rpartition(".")[2].rstrip("0123456789") or name
        sorts.setdefault(sort, Counter())[options] += 1
    return [Choices(sort, sum(options.values()), dict(options)) for sort, options in sorts.items()]


def candidates(space: Space) -> list[str]:
    """Return the names of what an operation may be, or the elastic kernels and expansions in words."""
    names = list(getattr(space.definition, "operations", ()))
    if isinstance(space, StageSpace):
        stages = [stage for stage in space.definition.stages if stage.kernel and stage.chooses]
        for word, field in (("kernel", "kernel"), ("expansion", "expand"), ("depth", "depth")):
            values = sorted({value for stage in stages for value in getattr(stage, field)})
            if values:
                names.append(f"{word} {', '.join(map(str, values))}")
    return names


def skeleton_rows(space: Space) -> list[dict[str, object]]:
    """Return the fields of each skeleton of a space by name, those left out that its family does not read."""
    unread = ("channels", "cells", "stem") if isinstance(space, StageSpace) else ("width", "strides", "features")
    rows = []
    for name in space.skeletons:
        skeleton = space.skeleton(name)
        values = {f.name: getattr(skeleton, f.name) for f in fields(skeleton)}
        if isinstance(space, StageSpace) and not skeleton.strides:
            stages = space.definition.stages
            values["strides"] = (space.definition.stem.stride, *(stage.stride for stage in stages))
        if isinstance(space, StageSpace):
            values["features"] = skeleton.features or space.definition.head.features
        rows.append({"skeleton": name} | {key: v for key, v in values.items() if key not in unread})
    return rows
