"""A model loaded again where nothing is left of what made it: a fresh process with onnxruntime alone."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonas.errors import ExportError

_SCRIPT = Path(__file__).with_name("isolated_run.py")


@dataclass(frozen=True, eq=False)
class Fresh:
    """Findings of a fresh process.

    Attributes:
        logits: Shape (n, classes).
        peak_memory: Largest resident memory, bytes, with single images and one thread, libraries included; 0
            where the system does not say.
        own_memory: What of it came with loading and running the model, bytes.
    """

    logits: np.ndarray
    peak_memory: int
    own_memory: int


def run_fresh(model: Path, images: np.ndarray, *, scale: float) -> Fresh:
    """Run a model in a fresh process of this Python, with onnxruntime and nothing of evonas or torch.

    Args:
        model: ONNX file with a fixed batch of 1 or an open one.
        images: uint8, shape (n, c, h, w), n ≥ 1.
        scale: Value of a pixel that means 1.0.

    Raises:
        ExportError: The process failed; the message holds its last words.
    """
    with tempfile.TemporaryDirectory(prefix="evonas-") as folder:
        file, out = Path(folder) / "images.npy", Path(folder) / "logits.npy"
        try:
            np.save(file, images)
        except OSError as error:
            raise ExportError(
                f"Cannot write {file}: {error.strerror or error}; free some space or set TMPDIR"
            ) from error
        # -P: the script's folder must not be searched for modules.
        command = [sys.executable, "-P", *map(str, (_SCRIPT, model.resolve(), file, float(scale), out))]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode:
            words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ExportError(f"A fresh process could not run {model.name} with onnxruntime: {words[-1][:240]}")
        reported = json.loads(done.stdout.splitlines()[-1])
        if reported["foreign"]:
            raise ExportError(
                f"Expected a fresh process with onnxruntime alone, but it loaded {', '.join(reported['foreign'])}: "
                "check for a sitecustomize module"
            )
        return Fresh(np.load(out, allow_pickle=False), reported["single"], reported["single"] - reported["before"])
