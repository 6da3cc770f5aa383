"""Latency tables of devices without torch: from the answer of a kit's ``measure.py``."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas import runtime
from evonas.errors import EvonasError, SettingsError, suggest
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks
from evonas.objectives.latency.measure import CPU, table_of
from evonas.objectives.latency.table import LatencyTable
from evonas.runtime import Timing
from evonas.spaces import Skeleton, Space
from evonas.spaces.toml import read_space

__all__ = ["Measured", "digest_of", "read_measurements"]

FORMAT = 1
BLOCK, HEAD, NETWORK, NOTHING = "block ", "head ", "network ", "nothing"
"""What names of a kit's models begin with."""


@dataclass(frozen=True)
class Measured:
    """A table that was measured elsewhere.

    Attributes:
        table: The table.
        drift: By which share the device was slower at the end than at the beginning.
        others: Other execution providers that were measured, and why some failed, in words.
    """

    table: LatencyTable
    drift: float
    others: tuple[str, ...]


def digest_of(identity: Mapping[str, Any]) -> str:
    """Return a hash of a kit's identity, its own digest left out."""
    content = {name: value for name, value in identity.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_measurements(path: str | Path, space: Space | None = None, provider: str | None = None) -> Measured:
    """Return the latency table of a kit's answer, its sums fitted to the whole networks that were measured.

    Args:
        path: ``results.json``, as ``measure.py`` wrote it.
        space: The space that it must be of; None: whichever it is of.
        provider: Execution provider of the table; None: the processor.

    Raises:
        SettingsError: It cannot be read, is damaged, or is of another space, provider or version of the blocks.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"expected a kit's results of format {FORMAT}")
        identity, providers = content["kit"], content["providers"]
        if identity["digest"] != digest_of(identity):
            raise ValueError("what it says of its kit was changed")
        own = read_space(identity["space_file"], identity["space"])
        found = _provider(providers, provider or CPU)
        times = {name: _timing(name, one) for name, one in found["times"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or error
        raise SettingsError(
            f"Cannot read the measurements {path}: {' '.join(str(cause).split())}; run the kit's measure.py again and "
            "copy its results.json"
        ) from None
    if space is not None and space.content != own.content:
        raise SettingsError(
            f"The measurements {path} are of space '{own.name}'"
            + (" in another version" if own.name == space.name else f", this is '{space.name}'")
            + ": make a kit of this space by  evonas latency kit"
        )
    others = tuple(
        f"{name} failed: {one['failed']}" if "failed" in one else f"{name} was measured as well: --provider {name}"
        for name, one in providers.items()
        if one is not found
    )
    table = _table(own, identity, found["device"], times, str(path))
    return Measured(table, float(found["drift"]), others)


def _table(
    space: Space, identity: Mapping[str, Any], device: dict[str, Any], times: Mapping[str, Timing], path: str
) -> LatencyTable:
    """Return the table of times by the names of a kit's models.

    Raises:
        SettingsError: The blocks of the kit are not those that this version knows, or times are missing.
    """
    fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in identity["skeleton"].items()}
    graphs = GraphBuilder(space, Skeleton(**fields))
    try:
        drawn = [graphs(space.canonical(space.parse(text))) for text in identity["networks"]]
    except EvonasError as error:
        raise SettingsError(f"The networks of {path} are none of '{space.name}': {error}") from None
    known = set(all_blocks(graphs))
    wanted = [*(f"{BLOCK}{key}" for key in identity["blocks"]), NOTHING]
    wanted += [f"{HEAD}{head}" for heads in identity["blocks"].values() for head in heads]
    wanted += [f"{NETWORK}{number}" for number in range(len(drawn))]
    if missing := [name for name in wanted if name not in times]:
        raise SettingsError(
            f"The measurements {path} lack {len(missing)} of {len(set(wanted))} models, such as '{missing[0]}': run "
            "the kit's measure.py again and copy its results.json whole"
        )
    if known != set(identity["blocks"]):
        raise SettingsError(
            f"The measurements {path} are of a kit that evonas {identity['evonas']} made, whose blocks are others than "
            "this version's: make a new kit by  evonas latency kit"
        )
    named = {name.partition(" ")[2]: one for name, one in times.items() if name.startswith((BLOCK, HEAD))}
    threads, provider = int(device["threads"]), str(device["provider"])
    return table_of(
        graphs,
        drawn,
        named,
        identity["blocks"],
        times[NOTHING],
        [times[f"{NETWORK}{number}"] for number in range(len(drawn))],
        device=device,
        session=dict(runtime.session_settings(threads=threads, providers=[provider])),
    )


def _provider(providers: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what one execution provider measured.

    Raises:
        ValueError: It was not measured, or failed.
    """
    if name not in providers:
        known = ", ".join(providers) or "none"
        raise ValueError(f"expected an execution provider of {known}, got '{name}'.{suggest(name, list(providers))}")
    found: Mapping[str, Any] = providers[name]
    if "failed" in found:
        raise ValueError(f"{name} failed on the device ({found['failed']})")
    if not math.isfinite(found["drift"]) or not {"threads", "batch", "provider"} <= set(found["device"]):
        raise ValueError("the device is not described")
    return found


def _timing(name: str, times: Mapping[str, Any]) -> Timing:
    """Return a model's times.

    Raises:
        ValueError: They are no times.
    """
    timing = Timing(**times)
    values = (timing.median_ms, timing.mad_ms, timing.minimum_ms)
    if not all(isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(f"the times of '{name}' are none")
    if not 0 < timing.minimum_ms <= timing.median_ms:
        raise ValueError(f"the times of '{name}' are none")
    return timing
