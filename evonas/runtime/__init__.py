"""ONNX and onnxruntime: export a module, check it against torch, run it, time it.

This room knows modules, ONNX files and sessions; it knows nothing of spaces or of a search. Importing it does
not import torch, so that a fresh process can run and time a file with onnxruntime alone.

Export and check:
    `export` turns a module into one self-contained ONNX model, `save` writes a model whole, `parity` compares
    a model with the module it came from, `logits` and `accuracy` run a model over images.

Run and time:
    `session` opens a model with fixed, recorded options; `measure` times sessions in turns; `measure_models`
    and `measure_modules` do both for many models at once; `launch_floor` is the module whose time is a call's
    own cost; `noise_floor` says how far two measurements of the same model lie apart.

Say where it was measured:
    `device_fingerprint`, `describe` and `differences` of the device.
"""

from __future__ import annotations

from evonas.runtime.device import describe, device_fingerprint, differences
from evonas.runtime.export import export, save
from evonas.runtime.latency import launch_floor, measure_models, measure_modules
from evonas.runtime.parity import Parity, accuracy, logits, parity
from evonas.runtime.session import Model, random_feed, session, session_settings
from evonas.runtime.timing import Noise, Timing, measure, noise_floor

__all__ = [
    "Model",
    "Noise",
    "Parity",
    "Timing",
    "accuracy",
    "describe",
    "device_fingerprint",
    "differences",
    "export",
    "launch_floor",
    "logits",
    "measure",
    "measure_models",
    "measure_modules",
    "noise_floor",
    "parity",
    "random_feed",
    "save",
    "session",
    "session_settings",
]
