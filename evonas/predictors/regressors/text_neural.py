"""Regression on texts: a small transformer, trained from fresh weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from evonas.predictors.encoders.text_tokens import VOCABULARY
from evonas.predictors.regressors.neural import NeuralLoss, NeuralRegressor

__all__ = ["text_regressor"]

WIDTH, LAYERS, HEADS = 32, 2, 4


def text_regressor(
    *, loss: NeuralLoss = "ranking", epochs: int = 30, folds: int = 3, width: int = WIDTH, layers: int = LAYERS
) -> NeuralRegressor[np.ndarray]:
    """Return a regressor that reads what `TextEncoder` gives.

    ONNX-Net fine-tunes a language model on the same text and loss; this one knows no language.

    Args:
        loss: See `NeuralRegressor`.
        epochs: Passes over the data.
        folds: Number of networks, at least 2.
        width: Of tokens.
        layers: Of attention.
    """
    return NeuralRegressor(
        lambda seed: _Transformer(seed, width, layers),
        _cropped,
        loss=loss,
        epochs=epochs,
        rate=1e-3,
        batch=16,
        folds=folds,
    )


def _cropped(tokens: np.ndarray) -> Tensor:
    """Return tokens up to the longest text's end."""
    longest = int((tokens > 0).sum(axis=1).max())
    return torch.from_numpy(np.ascontiguousarray(tokens[:, : max(longest, 1)]))


class _Transformer(nn.Module):
    """Tokens and sines of their positions, attention, and the average over tokens to one number."""

    def __init__(self, seed: int, width: int, layers: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.tokens = nn.Embedding(VOCABULARY, width, padding_idx=0)
            layer = nn.TransformerEncoderLayer(
                width, HEADS, 2 * width, dropout=0.0, batch_first=True, norm_first=True, activation="gelu"
            )
            self.layers = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
            self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return one number per text, shape ``(n,)``, of tokens ``(n, length)``."""
        padding = tokens == 0
        padding[:, 0] = False  # an empty text has one token, of nothing
        x = self.tokens(tokens) + _positions(tokens.shape[1], self.tokens.embedding_dim)
        x = self.layers(x, src_key_padding_mask=padding)
        x = x.masked_fill(padding[:, :, None], 0.0).sum(dim=1) / (~padding).sum(dim=1, keepdim=True)
        scores: Tensor = self.head(x).squeeze(1)
        return scores


def _positions(length: int, width: int) -> Tensor:
    """Return sines and cosines of positions, shape ``(length, width)`` (Vaswani et al., NeurIPS 2017)."""
    angles = torch.arange(length)[:, None] / 10_000 ** (torch.arange(0, width, 2) / width)
    return 0.1 * torch.stack([angles.sin(), angles.cos()], dim=2).reshape(length, width)
