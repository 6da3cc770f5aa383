"""Options of deploying a member, refused before any work where they make no sense."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onnx.defs import onnx_opset_version

from evonas.deployment.compression.compress import ENDS, QUANTIZE, Ends, Quantize
from evonas.deployment.compression.qdq import check_opset
from evonas.deployment.target import TARGET, TARGETS, Target, TargetName
from evonas.deployment.trust.withstood import CALIBRATION, read_trust
from evonas.errors import ExportError, SettingsError, suggest
from evonas.runtime.export import OLDEST_OPSET

__all__ = ["DeployOptions"]

PREPROCESSING = ("outside", "inside")
"""Where a photo is resized, cropped and scaled: before the model, or in it."""


@dataclass(frozen=True)
class DeployOptions:
    """Options of a deployment; see `evonas.deployment.deploy.deploy`.

    Attributes:
        quantize, edges, qat, opset, target, dynamic_batch, max_drop, threads, tolerance: As there.
        inside: Whether resizing, cropping and scaling of photos are in the model.
        trust: What the table of trust holds: see `evonas.deployment.trust.withstood.read_trust`; ``none``: no table.
        calibrate: Whether the model divides its logits by a temperature.
    """

    quantize: Quantize
    edges: Ends
    qat: int
    opset: int
    target: TargetName
    dynamic_batch: bool | None
    max_drop: float
    threads: int
    tolerance: float | None
    inside: bool
    trust: str = CALIBRATION
    calibrate: bool = False

    @property
    def aim(self) -> Target:
        """What the target asks of a model."""
        return TARGET[self.target]

    @property
    def open_batch(self) -> bool:
        """Whether the batch is open; else it is 1."""
        return self.aim.dynamic_batch if self.dynamic_batch is None else self.dynamic_batch

    def check(self, preprocessing: str) -> None:
        """Refuse what makes no sense.

        Args:
            preprocessing: Where it was asked for, by name.

        Raises:
            SettingsError: The first thing that is wrong.
            MissingExtraError: An attack of the table of trust needs what is not installed.
            ExportError: The target does not take the precision, an open batch, or preprocessing inside.
        """
        for name, value, allowed in (("--quantize", self.quantize, QUANTIZE), ("--edges", self.edges, ENDS)):
            if value not in allowed:
                raise SettingsError(f"Expected {name} {', '.join(allowed)}, got '{value}'.{suggest(value, allowed)}")
        if self.qat < 0 or (self.qat and self.quantize not in ("auto", "int8")):
            raise SettingsError(
                f"Expected --qat of 0 epochs or more, and --quantize int8 or auto with it, got {self.qat} epochs and "
                f"--quantize {self.quantize}"
            )
        if not self.max_drop >= 0:
            raise SettingsError(f"Expected --max-drop of 0 percentage points or more, got {self.max_drop:g}")
        if self.target not in TARGETS:
            raise SettingsError(
                f"Expected --target {', '.join(TARGETS)}, got '{self.target}'.{suggest(self.target, TARGETS)}"
            )
        aim = self.aim
        if self.quantize not in ("none", "auto"):
            aim.refuse_precision(self.quantize)
        if self.inside:
            aim.refuse_preprocessing()
        if self.open_batch and not aim.dynamic_batch:
            raise ExportError(f"{aim.name} takes models of one image: leave dynamic_batch out")
        newest = min(onnx_opset_version(), aim.newest_opset or onnx_opset_version())
        if not OLDEST_OPSET <= self.opset <= newest:
            raise SettingsError(
                f"Expected --opset of {OLDEST_OPSET}, the oldest that is written, to {newest}, the newest that the "
                f"installed onnx knows{'' if aim.newest_opset is None else f' and {aim.name} reads'}, got {self.opset}"
            )
        if self.quantize == "int8":
            check_opset(self.opset)
        if preprocessing not in PREPROCESSING:
            raise SettingsError(
                f"Expected --preprocessing {' or '.join(PREPROCESSING)}, got '{preprocessing}'."
                f"{suggest(preprocessing, PREPROCESSING)}"
            )
        if self.tolerance is not None and not 0 < self.tolerance < math.inf:
            raise SettingsError(f"Expected --tolerance above 0, got {self.tolerance:g}")
        read_trust(self.trust)
        if self.threads < 1:
            raise SettingsError(f"Expected 1 thread or more, got {self.threads}")
