"""An ONNX model as a module of torch, for evaluation alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from evonas.errors import ExportError, SettingsError
from evonas.runtime.parity import logits
from evonas.runtime.session import session

__all__ = ["OnnxModule"]


class OnnxModule(nn.Module):
    """A model file run by onnxruntime: images in, its first output out; no gradient passes.

    Its state is a hash of the file, so that two files never pass for one another.

    Args:
        path: The file; one input of images and, first, one row of outputs per image.
        threads: Threads within an operation.

    Attributes:
        outputs: Length of a row where the model fixes it, else None.

    Raises:
        ExportError: The file cannot be run, or has several inputs.
    """

    content: Tensor

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        super().__init__()
        self._path = Path(path)
        self._session = session(str(path), threads=threads)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ExportError(f"Expected a model of one input, images, in {path}, got one of {len(inputs)}")
        self._input = inputs[0]
        width = self._session.get_outputs()[0].shape[-1:]
        self.outputs: int | None = width[0] if width and isinstance(width[0], int) else None
        digest = hashlib.sha256(self._path.read_bytes()).digest()
        self.register_buffer("content", torch.frombuffer(bytearray(digest), dtype=torch.uint8))

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, shape ``(n, outputs)``, on the images' device.

        Args:
            images: Normalized as in training, shape ``(n, c, h, w)``.

        Raises:
            SettingsError: The model takes images of another shape.
        """
        given = images.detach().cpu().contiguous().float().numpy()
        asked = self._input.shape
        fixed = zip(asked[1:], given.shape[1:], strict=False)
        if len(asked) != given.ndim or any(isinstance(size, int) and size != own for size, own in fixed):
            raise SettingsError(
                f"Expected a model for images of shape {tuple(given.shape[1:])}, got one for {tuple(asked[1:])} in "
                f"{self._path}: export it at this size"
            )
        return torch.from_numpy(logits(self._session, given, batch=len(given))).to(images.device)
