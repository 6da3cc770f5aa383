"""Silence of torch's exporters: what they say of sound modules, and nothing else."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

# Said by torch 2.13 of modules that are sound.
_WARNINGS = (
    (FutureWarning, r".*isinstance\(treespec, LeafSpec\)"),  # torch.export copies its own tree specs
    (DeprecationWarning, r"You are using the legacy TorchScript-based ONNX export"),
    (DeprecationWarning, r"The feature will be removed"),  # the TorchScript one calls deprecated parts
    (UserWarning, r"Constant folding "),  # left to onnxruntime, which folds them when it opens the model
    (UserWarning, r"# The axis name: .* will not be used"),  # two inputs share the batch, as they should
)
_LOGGERS = (
    "torch.onnx._internal.exporter._registration",  # torchvision is not installed
    "torch.fx.experimental.symbolic_shapes",  # repeats what the exception says
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence torch's exporters for a moment; other warnings and loggers speak as before.

    The standard error is held back too: a failing ``torch.export`` prints its partial graph there before it
    raises.
    """
    from torch.jit._trace import TracerWarning

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()), _graph_log_off():
        for category, message in _WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        # Any test of a size warns, such as of an odd height, although every size but the batch is fixed.
        warnings.filterwarnings("ignore", category=TracerWarning)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def _graph_log_off() -> Iterator[None]:
    """Keep the quick exporter's graph dumps off the standard output.

    The exporter means to restore this log but tests a function for truth instead of calling it, so it is
    always on.
    """
    import torch

    core = torch._C
    log = getattr(core, "_jit_onnx_log", None)
    if log is None:
        yield
        return
    enabled = core._jit_is_onnx_log_enabled()
    core._jit_onnx_log = lambda *_: None
    try:
        yield
    finally:
        core._jit_onnx_log = log
        core._jit_set_onnx_log_enabled(enabled)
