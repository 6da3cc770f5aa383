"""Image regression: one or more continuous targets per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.tasks.head import Head
from evonas.tasks.measure import REGRESSION
from evonas.tasks.task import Task, TaskData


class Regression(Task):
    """Image regression: mean squared error on standardized targets; RMSE, MAE and R2 in the targets' own units.

    A network's outputs are standardized: the head's `readout` undoes that. Of several targets each measure is
    the mean over the targets, so that those of equal units should be joined, or scaled alike.

    Args:
        mean: Mean of each of the k targets over the train part.
        std: Standard deviation likewise, above 0.

    Raises:
        SettingsError: Not one deviation above 0 for each mean.
    """

    name = "regression"
    title = "image regression"
    dtype = torch.float32
    measures = REGRESSION
    primary = "rmse"

    def __init__(self, mean: Sequence[float] = (0.0,), std: Sequence[float] = (1.0,)) -> None:
        if not len(mean) == len(std) > 0 or min(std) <= 0:
            raise SettingsError(f"Expected one deviation above 0 for each mean of a target, got {mean} and {std}")
        self.mean, self.std = tuple(mean), tuple(std)
        self.head = Head(len(mean), readout=partial(Unstandardize, self.mean, self.std))
        self.target_shape = (len(mean),)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of (n, k) outputs against (n, k) targets, in squared deviations."""
        return F.mse_loss(outputs, self._standardize(targets).to(outputs.dtype))

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean squared error against the teacher's outputs, in squared deviations."""
        return F.mse_loss(outputs, teacher)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return each image's `loss`, shape (n,), and `error` (output less target) and `target`, shape (n, k)."""
        targets = targets.double()
        mean, std = self._statistics(outputs)
        error = outputs.double() * std + mean - targets
        return {"loss": (error / std).square().mean(-1), "error": error, "target": targets}

    def score(self, figures: Mapping[str, Tensor]) -> dict[str, float]:
        """Return `rmse`, `mae` and `r2` (means over targets), and `loss` (mean squared error, standardized).

        R2 is 1 less the errors' sum of squares over that of the targets about their own mean on the images
        measured; where these do not vary it is 0, or 1 without an error.
        """
        error, target = figures["error"], figures["target"]
        squares = error.square().sum(0)
        spread = (target - target.mean(0)).square().sum(0)
        unexplained = torch.where(spread > 0, squares / spread.clamp(min=1e-300), (squares > 0).double())
        return {
            "rmse": float(error.square().mean(0).sqrt().mean()),
            "mae": float(error.abs().mean(0).mean()),
            "r2": float((1.0 - unexplained).mean()),
            "loss": float(figures["loss"].mean()),
        }

    def quality(self, figures: Mapping[str, Tensor]) -> Tensor:
        """Return the squared error of each image, standardized and negated, shape (n,)."""
        return -figures["loss"]

    def deployed(self) -> Regression:
        """Return the task of outputs in the targets' units."""
        count = self.head.outputs
        same = Regression((0.0,) * count, (1.0,) * count)
        same.head = Head(count)
        return same

    @property
    def scale(self) -> float:
        """Largest standard deviation of a target."""
        return max(self.std)

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean = torch.tensor(self.mean, dtype=torch.float64, device=like.device)
        return mean, torch.tensor(self.std, dtype=torch.float64, device=like.device)

    def _standardize(self, targets: Tensor) -> Tensor:
        mean, std = self._statistics(targets)
        return (targets.double() - mean) / std


def make_regression(data: TaskData) -> Regression:
    """Return the task of a data set's continuous targets."""
    return Regression(data.target_mean, data.target_std)


class Unstandardize(nn.Module):
    """Outputs in the targets' units: ``outputs * std + mean``.

    Args:
        mean: Mean of each of the k targets.
        std: Standard deviation likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, outputs: Tensor) -> Tensor:
        """Return values of shape (n, k) in the targets' units."""
        return outputs * self.std + self.mean
