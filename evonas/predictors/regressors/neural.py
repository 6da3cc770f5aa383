"""Regression by neural networks: an ensemble over folds, whatever the networks read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.predictors.encoders.encoder import Described
from evonas.predictors.ranking_loss import pairwise_margin_loss, random_pairs
from evonas.runtime.threads import torch_threads

__all__ = ["NeuralRegressor"]

F = TypeVar("F", bound=Described)
NeuralLoss = Literal["squares", "ranking"]


class NeuralRegressor(Generic[F]):
    """Networks of several folds vote, each trained on what the others are tested on.

    Trained on one thread from seeds alone: equal data give an equal predictor, bit for bit on one machine.

    Args:
        make: Returns a network with fresh or pretrained weights for a seed; it maps what `tensors` returns to one
            score per item, shape ``(n,)``.
        tensors: Returns what networks read of features.
        loss: ``"squares"``, the mean squared error, or ``"ranking"``, pairs with a margin; scores of the latter are put
            on the scale of values by a straight line.
        epochs: Passes over the data.
        rate: Of Adam's learning, brought down to nothing along a cosine.
        batch: Items per step.
        folds: Number of networks, at least 2: each is tested on what it has not seen.

    Raises:
        SettingsError: Fewer than 2 folds.
    """

    max_values = 5000

    def __init__(
        self,
        make: Callable[[int], nn.Module],
        tensors: Callable[[F], Any],
        *,
        loss: NeuralLoss = "squares",
        epochs: int = 100,
        rate: float = 3e-3,
        batch: int = 32,
        folds: int = 3,
    ) -> None:
        if folds < 2:
            raise SettingsError(f"Expected 2 folds or more, each tested on what the others learn from, got {folds}")
        self._make, self._tensors, self._loss = make, tensors, loss
        self._epochs, self._rate, self._batch, self._folds = epochs, rate, batch, folds
        self._networks: list[tuple[nn.Module, float, float]] = []
        self._scale = 1.0
        self._left_out_error = 0.0

    def fit(self, features: F, values: np.ndarray) -> np.ndarray:
        """Learn; a left-out prediction is that of the fold that an item was left out of."""
        self._scale = float(np.std(values)) or 1.0
        scaled = np.asarray(values, dtype=np.float64) / self._scale
        fold, left_out = np.arange(len(values)) % self._folds, np.zeros(len(values))
        self._networks = []
        with torch_threads(1):
            for k in range(min(self._folds, len(values))):
                rest = np.flatnonzero(fold != k) if len(values) > 1 else np.arange(1)
                self._networks.append(self._trained(features[rest], scaled[rest], k))
                held = np.flatnonzero(fold == k)
                left_out[held] = self._scores(self._networks[-1], features[held]) * self._scale
        self._left_out_error = float(np.sqrt(np.mean((values - left_out) ** 2)))
        return left_out

    def predict(self, features: F) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations over the folds."""
        with torch_threads(1):
            votes = np.stack([self._scores(network, features) for network in self._networks]) * self._scale
        return votes.mean(axis=0), np.hypot(votes.std(axis=0), self._left_out_error) + 1e-6

    def _trained(self, features: F, values: np.ndarray, seed: int) -> tuple[nn.Module, float, float]:
        """Return a network, and slope and offset from its scores to values."""
        network, rng = self._make(seed).train(), np.random.default_rng(seed)
        target = torch.from_numpy(values).float()
        optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=self._rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self._epochs)
        batches = max(1, round(len(values) / self._batch))
        for _ in range(self._epochs):
            for rows in np.array_split(rng.permutation(len(values)), batches):
                scores = network(self._tensors(features[rows]))
                if self._loss == "squares":
                    loss = nn.functional.mse_loss(scores, target[rows])
                else:
                    loss = pairwise_margin_loss(scores, target[rows], random_pairs(len(rows), rng))
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
            schedule.step()
        network.eval()
        if self._loss == "squares":
            return network, 1.0, 0.0
        scores = self._scores((network, 1.0, 0.0), features)
        spread = float(np.var(scores))
        slope = float(np.mean((scores - scores.mean()) * (values - values.mean()))) / spread if spread > 1e-12 else 0.0
        return network, slope, float(values.mean() - slope * scores.mean())

    @torch.no_grad()
    def _scores(self, fitted: tuple[nn.Module, float, float], features: F) -> np.ndarray:
        network, slope, offset = fitted
        parts = [
            network(self._tensors(features[rows])).double().numpy()
            for rows in np.array_split(np.arange(len(features)), max(1, -(-len(features) // 256)))
        ]
        scores: np.ndarray = np.concatenate(parts) * slope + offset
        return scores
