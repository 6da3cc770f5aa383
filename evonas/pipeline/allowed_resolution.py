"""Resolutions that a search may have: that of its images, and those that candidates choose among."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.config import Settings
from evonas.errors import SettingsError
from evonas.files.size import Size, height_width, size_text
from evonas.objectives.accuracy.estimators import read_estimator
from evonas.objectives.latency.latency import read_latency_table
from evonas.spaces import Space

__all__ = ["check_resolution", "check_resolutions", "default_resolution", "usual_resolutions"]

USUAL_SIDE = 96
"""Pixels of a search from published weights where nothing was probed."""
SIZED = ("acc", "flops", "params", "size", "size_int8", "memory", "latency")
"""Objectives that are known for each candidate's own resolution."""
SIZED_ESTIMATORS = ("supernet:loss", "supernet:accuracy", "supernet:probability")
"""Estimators of accuracy that read each candidate at its own: others fit effects of choices, or train."""


def default_resolution(allowed: tuple[int, ...], published: int) -> int:
    """Side where none is given and nothing was probed: the smallest allowed of 96 or more, else the published."""
    return min((side for side in allowed if side >= USUAL_SIDE), default=published)


def check_resolution(space: Space, resolution: Size | None) -> None:
    """Refuse a resolution that a space does not allow; one that allows none in particular takes any.

    Raises:
        SettingsError: It is not among them.
    """
    allowed = space.definition.search_resolutions
    if resolution is not None and allowed and not set(height_width(resolution)) <= set(allowed):
        raise SettingsError(
            f"The space '{space.name}' has the resolutions {', '.join(map(str, allowed))}, got {size_text(resolution)}"
        )


def check_resolutions(settings: Settings, space: Space, evaluated: Sequence[str], *, published: bool) -> None:
    """Refuse resolutions to search that the space does not have, or that something asked for cannot follow.

    Args:
        settings: Of a search.
        space: What is searched.
        evaluated: Objectives that are evaluated.
        published: Whether the search starts from published weights.

    Raises:
        SettingsError: The first thing that is wrong.
    """
    if not settings.resolutions:
        return
    if not published:
        raise SettingsError(
            "Resolutions are searched from published weights, and this search starts from none: leave out "
            "--resolutions, or name weights by --pretrained"
        )
    for side in settings.resolutions:
        check_resolution(space, side)
    if settings.resolution is not None and settings.resolution != max(settings.resolutions):
        raise SettingsError(
            f"Images are read at the largest of the resolutions {', '.join(map(str, settings.resolutions))}, got "
            f"--resolution {size_text(settings.resolution)}: leave it out"
        )
    if reason := _one_sided(settings, evaluated, settings.resolutions):
        raise SettingsError(reason)


def usual_resolutions(settings: Settings, space: Space, evaluated: Sequence[str], size: Size) -> tuple[int, ...]:
    """Sides that candidates of a search from published weights choose among where none are named: all that are allowed
    up to the images'.

    A smaller image costs less, and what was published is worth most as it was published: a network at a lower
    resolution is the first thing to compare a smaller network with.

    Args:
        settings: Of a search.
        space: What is searched.
        evaluated: Objectives that are evaluated.
        size: Of the images.

    Returns:
        Two or more, the highest last; none where there are no two, where images are no squares, or where something
        asked for is of one resolution.
    """
    if not isinstance(size, int):  # candidates choose among squares
        return ()
    sides = tuple(sorted(one for one in space.definition.search_resolutions if one <= size))
    return () if len(sides) < 2 or _one_sided(settings, evaluated, sides) else sides


def _one_sided(settings: Settings, evaluated: Sequence[str], sides: Sequence[int]) -> str:
    """What is known for one resolution only, and what to do about it; "" where nothing is."""
    for name in evaluated:
        if name not in SIZED:
            return f"The objective '{name}' is of one resolution: with --resolutions expected {', '.join(SIZED)}"
    if "latency" in evaluated and settings.latency_table:
        known = read_latency_table(settings.latency_table).resolutions
        if not set(sides) <= set(known):
            wanted = ",".join(map(str, sides))
            its = f"the resolutions {', '.join(map(str, known))}" if known else "one resolution"
            return (
                f"The latency table is of {its}, and candidates choose among {wanted}: build one with  "
                f"evonas latency build --resolutions {wanted}"
            )
    estimator = ":".join(read_estimator(settings.estimator))
    if "acc" in evaluated and estimator not in SIZED_ESTIMATORS:
        return (
            f"The estimator '{settings.estimator}' is of one resolution: with --resolutions expected one of "
            f"{', '.join(SIZED_ESTIMATORS)}"
        )
    if settings.warm_start or settings.anchors:
        return "--warm-start and --anchors are of one resolution: leave them out with --resolutions"
    return ""
