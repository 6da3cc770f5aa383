"""Text forms of stage spaces."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from evonas.errors import SpaceError
from evonas.spaces.architecture import StageArchitecture
from evonas.spaces.text_cell import expect_keys

if TYPE_CHECKING:
    from evonas.spaces.stage import StageSpace


def write_digits(architecture: StageArchitecture) -> str:
    """Return the text of an architecture in the form digits."""
    return "".join(code for stage in architecture.blocks for code in stage)


def read_digits(text: str, space: StageSpace) -> StageArchitecture:
    """Read an architecture in the form digits."""
    if len(text) != space.free_blocks:
        raise SpaceError(f"expected {space.free_blocks} characters, one per block, got {text!r:.60}")
    codes = iter(text)
    return space.assemble([[next(codes) for _ in options] for options in space.free_options])


def write_lists(architecture: StageArchitecture) -> str:
    """Return the text of an architecture in the form lists."""
    options = [re.fullmatch(r"k(\d+)e(\d+)", option) for stage in architecture.blocks for option in stage]
    content: dict[str, Any] = {
        "ks": [int(match[1]) for match in options if match],
        "e": [int(match[2]) for match in options if match],
        "d": list(architecture.depths),
    }
    if architecture.resolution is not None:
        content["r"] = architecture.resolution
    return json.dumps(content)


def read_lists(text: str, space: StageSpace) -> StageArchitecture:
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
    options = iter(f"k{kernel}e{expand}" for kernel, expand in zip(content["ks"], content["e"]))
    blocks = [[next(options) for _ in stage] for stage in space.free_options]
    # Once-for-All draws a depth for every stage, and runs the blocks there are.
    depths = [min(depth, len(stage)) for depth, stage in zip(content["d"], space.free_options)]
    return space.assemble(blocks, depths, resolution if space.definition.resolutions else None)


def write_blocks(architecture: StageArchitecture) -> str:
    """Return the text of an architecture in the form blocks."""
    stages = []
    for options, depth in zip(architecture.blocks, architecture.depths):
        marks = [option if i < depth else f"({option})" for i, option in enumerate(options)]
        stages.append("-".join(marks))
    text = "/".join(stages)
    return text if architecture.resolution is None else f"{text}@{architecture.resolution}"


def read_blocks(text: str, space: StageSpace) -> StageArchitecture:
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
