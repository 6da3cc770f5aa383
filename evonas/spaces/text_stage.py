"""Text forms of stage spaces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from evonas.errors import SpaceError
from evonas.spaces.architecture import StageArchitecture
from evonas.spaces.definition_stage import StageFile
from evonas.spaces.foreign_stage import list_fields
from evonas.spaces.literal import read_literal
from evonas.spaces.text_cell import expect_keys


class StageMembers(Protocol):
    """Blocks of a space that have a choice, as far as a reader of texts needs them."""

    definition: StageFile
    free_options: tuple[tuple[tuple[str, ...], ...], ...]
    free_blocks: int
    free_depths: tuple[tuple[int, ...], ...]

    def assemble(
        self, blocks: Sequence[Sequence[str]], depths: Sequence[int] | None = None, resolution: int | None = None
    ) -> StageArchitecture:
        """Return the architecture of these blocks, checked."""


def read_digits(text: str, space: StageMembers) -> StageArchitecture:
    """Read an architecture in the form digits."""
    if len(text) != space.free_blocks:
        raise SpaceError(f"expected {space.free_blocks} characters, one per block, got {text!r:.60}")
    codes = iter(text)
    return space.assemble([[next(codes) for _ in options] for options in space.free_options])


def read_lists(text: str, space: StageMembers) -> StageArchitecture:
    """Read an architecture in the form lists."""
    content = json.loads(text)
    if not isinstance(content, dict):
        raise SpaceError(f"expected an object with ks, e and d, got {text!r:.60}")
    resolution = content.pop("r", None)
    if isinstance(resolution, list) and len(resolution) == 1:
        resolution = resolution[0]
    expect_keys(content, ["ks", "e", "d"])
    for name, length in (("ks", space.free_blocks), ("e", space.free_blocks), ("d", len(space.free_options))):
        values = content[name]
        if not isinstance(values, list) or len(values) != length or any(type(v) is not int for v in values):
            raise SpaceError(f"expected {length} whole numbers in '{name}', got {values!r:.80}")
    options = iter(f"k{kernel}e{expand}" for kernel, expand in zip(content["ks"], content["e"], strict=True))
    blocks = [[next(options) for _ in stage] for stage in space.free_options]
    # Once-for-All draws a depth for every stage, and runs the blocks there are.
    depths = [min(depth, len(stage)) for depth, stage in zip(content["d"], space.free_options, strict=True)]
    return space.assemble(blocks, depths, resolution if space.definition.resolutions else None)


def read_foreign_lists(text: str, space: StageMembers) -> StageArchitecture | None:
    """Read a dictionary as Once-for-All and what is built on it write it, None where a text holds none."""
    fields = list_fields(text, space.free_options, space.free_depths)
    return None if fields is None else read_lists(json.dumps(fields), space)


STAGE_FIELDS = ("e", "k", "l", "se")
"""Fields of the form stages: expansion, kernel, layers, squeeze."""


def read_stages(text: str, space: StageMembers) -> StageArchitecture:
    """Read an architecture in the form stages.

    Read are a dictionary of the four lists, the four lists in that order, and a dictionary such as
    ``{"block0_e": 6, "block0_k": 3, …}``, as JSON or as Python prints it (Ahmad et al., Accel-NASBench, DAC 2024).
    """
    content = read_literal(text)
    if isinstance(content, (list, tuple)) and len(content) == len(STAGE_FIELDS):
        content = dict(zip(STAGE_FIELDS, content, strict=True))
    if not isinstance(content, dict):
        raise SpaceError(f"expected an object with {', '.join(STAGE_FIELDS)}, got {text!r:.60}")
    count = len(space.free_options)
    single = [f"block{i}_{name}" for name in STAGE_FIELDS for i in range(count)]
    if set(single) <= set(content):
        content = {name: [content[f"block{i}_{name}"] for i in range(count)] for name in STAGE_FIELDS}
    expect_keys(content, STAGE_FIELDS)
    for name in STAGE_FIELDS:
        values = content[name]
        whole = isinstance(values, (list, tuple)) and all(type(value) in (int, bool) for value in values)
        if not whole or len(values) != count:
            raise SpaceError(f"expected {count} whole numbers in '{name}', got {values!r:.80}")
    rows = zip(*(map(int, content[name]) for name in STAGE_FIELDS), strict=True)
    marks = {0: "", 1: "s"}  # any other number makes the name of no option
    stages = [(f"k{kernel}e{expand}{marks.get(squeeze, f's{squeeze}')}", n) for expand, kernel, n, squeeze in rows]
    blocks = [[option] * len(options) for (option, _), options in zip(stages, space.free_options, strict=True)]
    return space.assemble(blocks, [n for _, n in stages])


def read_blocks(text: str, space: StageMembers) -> StageArchitecture:
    """Read an architecture in the form blocks."""
    text, mark, resolution = text.partition("@")
    blocks, depths = [], []
    for stage in text.split("/"):
        options = stage.split("-")
        running = [not option.startswith("(") for option in options]
        depth = sum(running)
        if running != [True] * depth + [False] * (len(options) - depth):
            raise SpaceError(f"blocks in parentheses do not run and come last, got {stage!r:.60}")
        blocks.append([option.strip("()") for option in options])
        depths.append(depth)
    return space.assemble(blocks, depths, int(resolution) if mark else None)
