"""Capture of what a forward pass uses: which part of each weight, and a summary of each layer's inputs."""

from __future__ import annotations

from collections.abc import Collection
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.networks.elastic import ElasticLayer
from evonas.supernet.layers import Inputs, Slices, Summary, embed, is_shared, is_whole, read_call


class ActivationCapture:
    """Forward hooks on a network's layers, a context manager: slices in use and summaries of inputs are kept.

    Args:
        network: The network.
        summary: What to keep of a layer's inputs; None keeps nothing.
        captured_layers: Layers whose inputs are kept; None: all with shared weights.

    Attributes:
        active_slices: Parameter -> the parts in use since `clear`, where a call used less than the whole.
        inputs: Layer -> what its calls since `clear` have read.
    """

    def __init__(
        self, network: nn.Module, summary: Summary | None, captured_layers: Collection[str] | None = None
    ) -> None:
        self._network = network
        self._summary = summary
        self._captured_layers = captured_layers
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self.active_slices: dict[str, list[Slices | None]] = {}
        self.inputs: dict[str, list[Inputs]] = {}

    def __enter__(self) -> ActivationCapture:
        modules = dict(self._network.named_modules())
        narrows = any(isinstance(layer, ElasticLayer) for layer in modules.values())  # else norms are used whole
        for name, layer in modules.items():
            elastic = isinstance(layer, ElasticLayer) or (narrows and isinstance(layer, _BatchNorm))
            chosen = self._captured_layers is None or name in self._captured_layers
            captured = chosen and is_shared(layer) and self._summary is not None
            if elastic or captured:
                hook = self._hook(name, elastic, captured)
                self._handles.append(layer.register_forward_hook(hook, with_kwargs=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def clear(self) -> None:
        """Drop what the last step has left."""
        self.active_slices = {}
        self.inputs = {}

    def _hook(self, name: str, elastic: bool, captured: bool) -> object:
        def hook(layer: nn.Module, args: tuple[Tensor, ...], options: dict[str, Any], output: Tensor) -> None:
            if not torch.is_grad_enabled():
                return
            kernel: int | None = options.get("kernel", args[2] if len(args) > 2 else None)
            call = read_call(layer, args[0], output, kernel)
            if elastic:
                self._note(name, layer, call.active_slices)
            if captured and self._summary is not None:
                with torch.no_grad():
                    self.inputs.setdefault(name, []).append(embed(call, self._summary(call)))

        return hook

    def _note(self, name: str, layer: nn.Module, slices: Slices | None) -> None:
        for own, parameter in layer.named_parameters(recurse=False):
            if own not in ("weight", "bias"):
                continue
            part = slices[:1] if slices is not None and own == "bias" else slices
            if part is not None and is_whole(part, parameter):
                part = None
            self.active_slices.setdefault(f"{name}.{own}" if name else own, []).append(part)
