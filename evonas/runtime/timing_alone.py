"""Timing of ONNX files on a device with onnxruntime and numpy alone, by Python 3.8 or newer; its text travels in kits.

What is measured, and how, is what `evonas.runtime` measures: sessions of the same options, in turns, warmed up, medians
and median absolute deviations. The loop stands there a second time on purpose: this text must run by Python 3.8 without
evonas, while that one is strict about lengths, raises evonas's errors and takes a clock.
"""

from __future__ import annotations

import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from evonas.files.processor import processor

PLAIN = "CPUExecutionProvider"
REMOTE = ("AzureExecutionProvider",)
"""Providers that run elsewhere than on the device."""
BURST, WARMUP, FEWEST = 5, 5, 3
"""Timed calls in a turn, calls before the first, and turns that are taken whatever the time."""
DRIFTED = 0.05
"""Change of speed from the first third of turns to the last from which on a measurement is doubted."""
KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Turns(NamedTuple):
    """Times of models that took turns.

    Attributes:
        times: Of each model ``median_ms``, ``mad_ms``, ``minimum_ms`` and ``repeats``.
        drift: By which share models were slower in the last third of turns than in the first; the median over models.
        seconds: Duration.
    """

    times: list[dict[str, Any]]
    drift: float
    seconds: float


def installed_providers() -> list[str]:
    """Return the execution providers of this onnxruntime that run on the device, the processor's first."""
    found = [name for name in onnxruntime.get_available_providers() if name not in REMOTE]
    return sorted(found, key=lambda name: name != PLAIN)


def describe_host(provider: str, threads: int, batch: int) -> dict[str, str | int]:
    """Return what a latency depends on: processor, system, runtime and how it was called."""
    return {
        "cpu": processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "architecture": platform.machine(),
        "onnxruntime": onnxruntime.__version__,
        "provider": provider,
        "threads": threads,
        "batch": batch,
    }


def open_model(path: str | Path, provider: str = PLAIN, threads: int = 1) -> Any:
    """Open an ONNX file: sequential execution, all graph optimizations, no spinning threads, errors logged alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    # Operators that a provider lacks run on the processor.
    providers = [provider] if provider == PLAIN else [provider, PLAIN]
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def random_inputs(session: Any, batch: int = 1, side: int = 224) -> dict[str, np.ndarray]:
    """Return inputs of a session, standard normal, or bytes, of seed 0.

    Args:
        session: An open one.
        batch: First dimension where the model leaves it open.
        side: Other dimensions that it leaves open: sides of photos.
    """
    rng = np.random.default_rng(0)
    feed = {}
    for value in session.get_inputs():
        shape = [n if isinstance(n, int) else side for n in value.shape]
        if value.shape and not isinstance(value.shape[0], int):
            shape[0] = batch
        kind = np.dtype(KINDS[value.type])
        values = rng.standard_normal(shape) if kind.kind == "f" else rng.integers(0, 256, shape)
        feed[value.name] = values.astype(kind)
    return feed


def time_in_turns(
    sessions: Sequence[Any],
    feeds: Sequence[dict[str, np.ndarray]],
    *,
    repeats: int = 300,
    seconds: float = 60.0,
    progress: Callable[[str], None] = lambda text: None,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Turns:
    """Time sessions in turns, so that a disturbance of the device meets all of them alike.

    Args:
        sessions: Open ones.
        feeds: Inputs of each.
        repeats: Timed calls of each, rounded up to whole turns of five.
        seconds: Begin no further turn after that time, warm-up included; three are taken.
        progress: Gets how far it is.
        clock: Monotonic time in nanoseconds.
    """
    taken: list[list[int]] = [[] for _ in sessions]
    turns = -(-repeats // BURST)
    collecting = gc.isenabled()
    gc.disable()
    try:
        begin = clock()
        for session, feed in zip(sessions, feeds):  # noqa: B905  # Python 3.8
            for _ in range(WARMUP):
                session.run(None, feed)
        for turn in range(turns):
            passed = (clock() - begin) / 1e9
            if turn >= FEWEST and passed >= seconds:
                break
            progress(f"turn {turn + 1} of at most {turns}, {passed:.0f} s of {seconds:.0f} s")
            for session, feed, own in zip(sessions, feeds, taken):  # noqa: B905  # Python 3.8
                session.run(None, feed)  # the model before has filled the caches with its own
                for _ in range(BURST):
                    start = clock()
                    session.run(None, feed)
                    own.append(clock() - start)
        passed = (clock() - begin) / 1e9
    finally:
        if collecting:
            gc.enable()
    return Turns([_times(own) for own in taken], _drift(taken), round(passed, 1))


def _times(nanoseconds: Sequence[int]) -> dict[str, Any]:
    values = np.asarray(nanoseconds, dtype=np.float64) / 1e6
    median = float(np.median(values))
    return {
        "median_ms": median,
        "mad_ms": float(np.median(np.abs(values - median))),
        "minimum_ms": float(values.min()),
        "repeats": len(values),
    }


def _drift(taken: Iterable[Sequence[int]]) -> float:
    changes = []
    for own in taken:
        third = max(1, len(own) // 3)
        changes.append(np.median(own[-third:]) / max(1.0, float(np.median(own[:third]))) - 1.0)
    return float(np.median(changes)) if changes else 0.0


def drift_words(drift: float) -> str:
    """Return in words what a device's change of speed means."""
    if abs(drift) <= DRIFTED:
        return f"speed held within {abs(drift):.1%} while it was measured"
    way = "slower" if drift > 0 else "faster"
    return (
        f"the device got {abs(drift):.0%} {way} while it was measured: stop what else runs, let it cool, and measure "
        "again"
    )


def show_progress(text: str) -> None:
    """Show how far it is: over the last line on a terminal, else a line now and then."""
    if sys.stderr.isatty():
        sys.stderr.write("\r" + text.ljust(78)[:78])
        sys.stderr.flush()
    elif time.monotonic() - _SHOWN[0] >= 10:
        _SHOWN[0] = time.monotonic()
        print(text, file=sys.stderr, flush=True)


_SHOWN = [-10.0]
