"""onnxruntime sessions with fixed, recorded options."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import onnxruntime

from evonas.errors import ExportError, SettingsError, suggest

if TYPE_CHECKING:
    import onnx

Model: TypeAlias = Union[str, os.PathLike[str], bytes, "onnx.ModelProto"]

CPU = "CPUExecutionProvider"
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int64)": np.int64,
}


def session_settings(*, threads: int = 1, providers: Sequence[str] = (CPU,)) -> dict[str, object]:
    """Return what `session` sets, as plain data to keep beside what was measured."""
    return {
        "providers": list(providers),
        "intra_op_threads": threads,
        "inter_op_threads": threads,
        "execution": "sequential",
        "graph_optimization": "all",
        "spinning": False,
    }


def session(model: Model, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> onnxruntime.InferenceSession:
    """Open a model: sequential execution, all graph optimizations, no spinning threads, errors logged alone.

    Args:
        model: Path of a file, its bytes, or the model itself.
        threads: Threads within an operation and between operations, 1 or more.
        providers: Execution providers in order of preference; each must be available here.

    Raises:
        ExportError: The model cannot be read or holds what this onnxruntime cannot run.
        SettingsError: A provider is not available, or threads is not positive.
    """
    if threads < 1:
        raise SettingsError(f"Expected 1 thread or more, got {threads}")
    available = onnxruntime.get_available_providers()
    for provider in providers:
        if provider not in available:
            raise SettingsError(
                f"Expected an execution provider of {', '.join(available)}, got '{provider}'."
                f"{suggest(provider, available)}"
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = threads
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    source: str | bytes
    if isinstance(model, bytes):
        source, name = model, "these bytes are"
    elif isinstance(model, (str, os.PathLike)):
        source = os.fspath(model)
        name = f"'{source}' is"
        if not os.path.isfile(source):
            raise ExportError(f"Expected an ONNX file at '{source}', got none: check the path")
    else:
        source, name = model.SerializeToString(), "this model is"
    try:
        return onnxruntime.InferenceSession(source, options, providers=list(providers))
    except Exception as error:
        cause = " ".join(str(error).split())[:240]
        raise ExportError(f"Expected a model that onnxruntime can run, {name} none: {cause}") from error


def random_feed(
    opened: onnxruntime.InferenceSession, *, batch: int = 1, rng: np.random.Generator | None = None
) -> dict[str, np.ndarray]:
    """Return inputs of the shapes that a session asks for, standard normal (integers: 0 to 99), for timing.

    Args:
        opened: An open session.
        batch: Size of the first dimension where the model leaves it open, 1 or more.
        rng: Source of the values; seed 0 unless given, so that repeated measurements see equal inputs.

    Raises:
        SettingsError: The model fixes another batch, or leaves open a dimension other than the first.
        ExportError: An input has a type that images do not have.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    feed = {}
    for value in opened.get_inputs():
        shape = list(value.shape)
        if shape and not isinstance(shape[0], int):
            shape[0] = batch
        if shape and shape[0] != batch:
            raise SettingsError(f"Expected a batch of {shape[0]}, which the model fixes, got {batch}")
        if any(not isinstance(size, int) for size in shape):
            raise SettingsError(
                f"Expected input '{value.name}' to leave only its batch open, got shape {value.shape}: "
                "export it with fixed sizes"
            )
        if value.type not in _TYPES:
            raise ExportError(f"Expected input '{value.name}' of type {', '.join(_TYPES)}, got {value.type}")
        kind = np.dtype(_TYPES[value.type])
        values = rng.standard_normal(shape) if kind.kind == "f" else rng.integers(0, 100, shape)
        feed[value.name] = values.astype(kind)
    return feed
