"""Target by which predictors carry over between tasks: performance for its cost, standardized."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FlopsScale", "fit_flops_scale"]


@dataclass(frozen=True)
class FlopsScale:
    """Scale z = (y / (log10(FLOPs + 1) + 1) - mean) / sd, as AIO-P learns by (Mills et al., AAAI 2023).

    A predictor learns z on one task; on another one a few values, 20 in the paper, give mean and standard deviation,
    by which what it predicts is brought back.

    Attributes:
        mean, sd: Of y / (log10(FLOPs + 1) + 1) on the task.
    """

    mean: float
    sd: float

    def forward(self, values: np.ndarray, flops: np.ndarray) -> np.ndarray:
        """Return z of values y, shape ``(n,)``, of architectures with these FLOPs."""
        scaled: np.ndarray = (values / cost_divisor(flops) - self.mean) / self.sd
        return scaled

    def back(self, scaled: np.ndarray, flops: np.ndarray) -> np.ndarray:
        """Return y of z, shape ``(n,)``."""
        values: np.ndarray = (scaled * self.sd + self.mean) * cost_divisor(flops)
        return values


def cost_divisor(flops: np.ndarray) -> np.ndarray:
    """Return log10(FLOPs + 1) + 1."""
    divisor: np.ndarray = np.log10(np.asarray(flops, dtype=np.float64) + 1) + 1
    return divisor


def fit_flops_scale(values: np.ndarray, flops: np.ndarray) -> FlopsScale:
    """Return the scale of a task from some of its values, shape ``(n,)``; equal ones have a deviation of 1."""
    ratio = values / cost_divisor(flops)
    return FlopsScale(float(ratio.mean()), float(ratio.std()) or 1.0)
