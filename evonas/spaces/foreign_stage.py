"""Texts of stages as Once-for-All and what is built on it write them.

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791; ``set_active_subnet(ks, e, d)`` takes a number
       for all blocks, a list, or None for what is active, which in a fresh network is the largest.
    .. [Lu2020] Lu et al.: NSGANetV2, ECCV 2020, arXiv 2007.10396; lists of the blocks that run, or of all with 0 where
       none does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas.errors import SpaceError
from evonas.spaces.literal import read_literal

SYNONYMS = {
    "kernel_size": "ks",
    "kernel_sizes": "ks",
    "k": "ks",
    "expand_ratio": "e",
    "expand_ratios": "e",
    "expand": "e",
    "depth": "d",
    "depths": "d",
    "resolution": "r",
    "image_size": "r",
}
"""Other names of the fields."""
FIELDS = ("ks", "e", "d")


def list_fields(
    text: str, options: Sequence[Sequence[Sequence[str]]], depths: Sequence[Sequence[int]]
) -> dict[str, Any] | None:
    """Return kernels, expansions and depths as full lists, ``r`` where it is given; None where a text holds none.

    Args:
        text: A dictionary, as JSON or as Python prints it.
        options: Options such as ``k3e6`` of every block of every stage that has a choice.
        depths: Depths of these stages.

    Raises:
        SpaceError: A field has another length or holds no numbers.
    """
    try:
        value = read_literal(text)
    except ValueError:
        return None
    if isinstance(value, str) and value != text:
        return list_fields(value, options, depths)
    given = _inside(value)
    if given is None:
        return None
    deep = _numbers(given.get("d"), len(depths), "d")
    d = [max(known) if n is None else min(n, len(stage)) for n, stage, known in zip(deep, options, depths, strict=True)]
    fields: dict[str, Any] = {"d": d}
    runs = [b < depth for stage, depth in zip(options, d, strict=True) for b in range(len(stage))]
    known = [_parts(block) for stage in options for block in stage]
    for index, name in enumerate(("ks", "e")):
        values = _numbers(given.get(name), len(runs), name, running=sum(runs))
        if len(values) == sum(runs):
            chosen = iter(values)
            values = [next(chosen) if running else 0 for running in runs]
        fields[name] = [
            max(block[index]) if n is None else n if running or n in block[index] else block[index][0]
            for n, running, block in zip(values, runs, known, strict=True)
        ]
    if given.get("r") is not None:
        fields["r"] = _number(_single(given["r"]), "r")
    return fields


def _inside(value: Any, depth: int = 3) -> dict[str, Any] | None:
    """Return the only mapping that holds one of the fields, among a mapping and what it holds, its names as ours."""
    if not isinstance(value, Mapping):
        return None
    named = {SYNONYMS.get(str(name).lower(), str(name).lower()): content for name, content in value.items()}
    if any(name in named for name in FIELDS):
        return named
    found = [inner for part in value.values() if depth and (inner := _inside(part, depth - 1)) is not None]
    return found[0] if len(found) == 1 else None


def _parts(block: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the kernels and the expansions among options such as ``k3e6``, in order."""
    pairs = [option[1:].split("e") for option in block]
    return [int(kernel) for kernel, _ in pairs], [int(expand) for _, expand in pairs]


def _numbers(value: Any, length: int, name: str, *, running: int | None = None) -> list[int | None]:
    """Return one number for each block or stage, None where the largest is meant."""
    if not isinstance(value, (list, tuple)):
        return [None if value is None else _number(value, name)] * length
    flat = [part for item in value for part in (item if isinstance(item, (list, tuple)) else (item,))]
    if len(flat) not in (length, running):
        either = "" if running in (None, length) else f" or {running}, one for each block that runs,"
        raise SpaceError(f"expected {length}{either} numbers in '{name}', got {len(flat)}: {value!r:.80}")
    return [None if part is None else _number(part, name) for part in flat]


def _number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise SpaceError(f"expected whole numbers in '{name}', got {value!r:.40}")
    return int(value)


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and len(set(value)) == 1 else value
