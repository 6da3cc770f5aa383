"""Latency: a sum over blocks measured once with onnxruntime, fitted to whole networks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas import runtime
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives.blocks import Blocks
from evonas.objectives.evaluator import Context, fingerprint, one_by_one
from evonas.objectives.objective import Objective, Result
from evonas.spaces import Architecture, Skeleton, Space

LATENCY = Objective("latency", "ms", "min")
CALIBRATION = 20
"""Whole networks that the fit is made on."""


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds per entry of a path on one device, and the fit that makes sums whole networks' latencies.

    Attributes:
        space: Name of the space.
        skeleton: Fields of the skeleton.
        device: Fingerprint of the device: processor, threads, batch, libraries.
        entries: ``"decision.option"`` to the milliseconds of the blocks it brings, launch cost left out.
        fit: Constant (ms), slope of the sum, ms per entry: latency = constant + slope·sum + cost·entries.
        error: Median absolute percentage error of the fit, each network left out in turn.
        noise_ms: Median absolute deviation of the whole networks measured, in ms.
    """

    space: str
    skeleton: dict[str, Any]
    device: dict[str, Any]
    entries: dict[str, float]
    fit: tuple[float, float, float]
    error: float
    noise_ms: float

    def latency(self, path: tuple[str, ...]) -> float:
        """Return the milliseconds of a path."""
        constant, slope, per_entry = self.fit
        return constant + slope * self.total(path) + per_entry * len(path)

    def total(self, path: tuple[str, ...]) -> float:
        """Return the sum of the blocks' milliseconds, before the fit."""
        return sum(self.entries.get(name, 0.0) for name in path)

    def to_json(self) -> str:
        """Return the table as text that `from_json` reads."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str, name: str = "the latency table") -> LatencyTable:
        """Read a table.

        Raises:
            SettingsError: Not a table.
        """
        try:
            content = json.loads(text)
            table = cls(**{**content, "fit": tuple(float(value) for value in content["fit"])})
            if len(table.fit) != 3 or not all(np.isfinite(list(table.entries.values()))):
                raise ValueError("expected three fitted numbers and finite entries")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SettingsError(
                f"Cannot read {name}: {error}; build one with  evonas latency build"
            ) from None
        return table


def measure_latency_table(
    space: Space, skeleton: Skeleton, *, seed: int = 0, threads: int = 1
) -> LatencyTable:
    """Measure every distinct block once, then fit the sums to whole networks.

    Args:
        space: The space.
        skeleton: The skeleton.
        seed: Of the architectures that the fit is made on.
        threads: Threads of onnxruntime.

    Raises:
        ExportError: A block cannot be exported; it is named.
    """
    blocks = Blocks(space, skeleton)
    generator = torch.Generator().manual_seed(seed)
    distinct = list(blocks.distinct.values())
    modules = [(_filled(block.module, generator), (_noise(block.shape, generator),)) for block in distinct]
    timings = runtime.measure_modules(
        [*modules, runtime.launch_floor()],
        threads=threads,
        names=[*(block.key.partition("(")[0] for block in distinct), "launch floor"],
    )
    floor = timings[-1].median_ms
    measured = {
        block.key: np.array(max(0.0, timing.median_ms - floor)) for block, timing in zip(distinct, timings)
    }
    entries = {name: float(value) for name, value in blocks.table(measured).items()}
    networks = _sample(space, CALIBRATION, seed)
    image = _noise((1, skeleton.in_channels, skeleton.resolution, skeleton.resolution), generator)
    whole = runtime.measure_modules(
        [(build(space, skeleton, architecture).eval(), (image,)) for architecture in networks],
        threads=threads,
    )
    paths = [space.path(architecture) for architecture in networks]
    sums = np.array([[1.0, sum(entries.get(n, 0.0) for n in path), len(path)] for path in paths])
    target = np.array([timing.median_ms for timing in whole])
    fit, error = _fit(sums, target)
    return LatencyTable(
        space=space.name,
        skeleton=asdict(skeleton),
        device=dict(runtime.fingerprint(threads=threads)),
        entries=entries,
        fit=fit,
        error=error,
        noise_ms=float(np.median([timing.mad_ms for timing in whole])),
    )


def measure_whole(
    space: Space, skeleton: Skeleton, architectures: Sequence[Architecture], *, threads: int = 1
) -> list[Any]:
    """Measure whole networks side by side; returns a `runtime.Timing` for each."""
    generator = torch.Generator().manual_seed(0)
    image = _noise((1, skeleton.in_channels, skeleton.resolution, skeleton.resolution), generator)
    return runtime.measure_modules(
        [(build(space, skeleton, architecture).eval(), (image,)) for architecture in architectures],
        threads=threads,
    )


class LatencyEvaluator:
    """Milliseconds of one image on this machine's onnxruntime, from a table.

    Args:
        context: Space and skeleton; ``options["latency_table"]`` may name a table's file, else one is measured.

    Raises:
        SettingsError: A table that cannot be read, or of another space.
    """

    objectives = (LATENCY,)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self.space = context.space
        given = context.options.get("latency_table")
        if given:
            try:
                self.table = LatencyTable.from_json(Path(given).read_text(), str(given))
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"Cannot read the latency table {given}: {error}") from None
        else:
            self.table = measure_latency_table(context.space, context.skeleton, seed=context.seed)
        if self.table.space != context.space.name:
            raise SettingsError(
                f"The latency table is of space '{self.table.space}', this search of '{context.space.name}'"
            )
        self.fingerprint = fingerprint("latency", 1, self.table.to_json())

    def evaluate(self, architectures: Sequence[Architecture]) -> list[dict[str, Result]]:
        """Return the latency of each architecture in ms."""
        return one_by_one(
            self.objectives, architectures, lambda a: {"latency": self.table.latency(self.space.path(a))}
        )


def _sample(space: Space, n: int, seed: int) -> list[Architecture]:
    rng = np.random.default_rng([seed, 20])
    return [space.canonical(space.decode(genome)) for genome in space.sample(n, rng, by="choice")]


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=generator)


def _filled(module: torch.nn.Module, generator: torch.Generator) -> torch.nn.Module:
    from evonas.networks import initialize

    module = module.to_empty(device="cpu")
    initialize(module, generator)
    return module.eval()


def _fit(sums: np.ndarray, target: np.ndarray) -> tuple[tuple[float, float, float], float]:
    """Return least squares in relative error, and its median error when each row is left out in turn."""

    def solve(rows: np.ndarray) -> np.ndarray:
        weights = 1.0 / target[rows]
        return np.linalg.lstsq(sums[rows] * weights[:, None], target[rows] * weights, rcond=None)[0]

    everything = np.arange(len(target))
    errors = [abs(float(sums[i] @ solve(everything != i)) / target[i] - 1.0) for i in everything]
    constant, slope, per_entry = (float(value) for value in solve(everything >= 0))
    return (constant, slope, per_entry), float(np.median(errors))
