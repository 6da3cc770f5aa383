"""Latency of many models or modules at once, measured side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evonas.errors import ExportError, SettingsError
from evonas.runtime.export import export
from evonas.runtime.session import CPU, Model, random_feed, session
from evonas.runtime.timing import Timing, measure

if TYPE_CHECKING:
    from torch import Tensor, nn


def measure_models(
    models: Sequence[Model],
    *,
    threads: int = 1,
    batch: int = 1,
    repeats: int = 100,
    warmup: int = 5,
    burst: int = 5,
    seconds: float | None = None,
    providers: Sequence[str] = (CPU,),
) -> list[Timing]:
    """Time ONNX models side by side on random inputs of seed 0.

    Args:
        models: Paths, bytes or models; all are open at once.
        threads: Threads of each session, 1 or more.
        batch: Images per call, 1 or more.
        repeats: Timed calls of each, 1 or more.
        warmup: Calls of each before the first round.
        burst: Timed calls in a turn.
        seconds: Bound on the measurement, as in `measure`.
        providers: Execution providers.

    Raises:
        ExportError: A model cannot be read or run.
        SettingsError: As in `session`, `random_feed` and `measure`.
    """
    sessions = [session(model, threads=threads, providers=providers) for model in models]
    feeds = [random_feed(opened, batch=batch) for opened in sessions]
    return measure(sessions, feeds, repeats=repeats, warmup=warmup, burst=burst, seconds=seconds)


def measure_modules(
    modules: Sequence[tuple[nn.Module, tuple[Tensor, ...]]],
    *,
    threads: int = 1,
    batch: int = 1,
    repeats: int = 200,
    warmup: int = 5,
    burst: int = 5,
    seconds: float | None = None,
    providers: Sequence[str] = (CPU,),
    names: Sequence[str] | None = None,
) -> list[Timing]:
    """Export modules by the quick exporter, with the batch fixed, and time them side by side.

    A module measured alone pays once for a call of onnxruntime, which within a network is paid once for all.
    Measure `launch_floor()` among the modules and subtract its median before adding modules up.

    Args:
        modules: Each with its example inputs, batch first; the batch of the example is replaced by `batch`.
        threads: Threads of each session, 1 or more.
        batch: Images per call, 1 or more.
        repeats: Timed calls of each, 1 or more.
        warmup: Calls of each before the first round.
        burst: Timed calls in a turn.
        seconds: Bound on the measurement, as in `measure`; exporting is not counted.
        providers: Execution providers.
        names: What an error calls each module; its class unless given.

    Raises:
        ExportError: A module could not be exported or run; the message names it.
        SettingsError: As in `session` and `measure`.
    """
    if names is not None and len(names) != len(modules):
        raise SettingsError(f"Expected one name per module, got {len(names)} names for {len(modules)} modules")
    if batch < 1:
        raise SettingsError(f"Expected a batch of 1 or more, got {batch}")
    sessions = []
    feeds = []
    for index, (module, examples) in enumerate(modules):
        # Values matter little for time, but all zeros or NaN would: a batch repeats what the caller gave.
        inputs = tuple(example[:1].repeat(batch, *[1] * (example.dim() - 1)) for example in examples)
        keys = [f"input_{i}" for i in range(len(inputs))]
        try:
            model = export(
                module,
                inputs,
                input_names=keys,
                output_names=["output"],
                dynamic_batch=False,
                exporter="quick",
            )
            sessions.append(session(model, threads=threads, providers=providers))
        except ExportError as error:
            name = names[index] if names is not None else f"{index} of {len(modules)}"
            raise ExportError(f"Block {name}: {error}") from error
        feeds.append({key: tensor.detach().cpu().numpy() for key, tensor in zip(keys, inputs, strict=True)})
    return measure(sessions, feeds, repeats=repeats, warmup=warmup, burst=burst, seconds=seconds)


def launch_floor() -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return a module that does nothing, and its input of one number: its time is a call's own cost."""
    import torch
    from torch import nn

    return nn.Identity(), (torch.zeros(1, 1),)
