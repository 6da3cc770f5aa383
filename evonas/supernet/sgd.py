"""Stochastic gradient descent of the entries that a step has used, and of no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError, TrainingError
from evonas.supernet.layers import Slices


class Updates(dict[str, Tensor]):
    """Parameter -> its final update per unit of learning rate: `weight <- weight - lr * update`.

    Attributes:
        active_slices: Parameter -> part of it that the update is for, where that is less than the whole; the update
            then has that part's shape.
    """

    def __init__(self, updates: Mapping[str, Tensor], active_slices: Mapping[str, Slices]) -> None:
        super().__init__(updates)
        self.active_slices = active_slices


Transform = Callable[[Updates], Mapping[str, Tensor]]


class SGD:
    """Gradient descent with momentum, whose final update a rule may transform before it is applied.

    A parameter without a gradient (off the path) keeps its value and its momentum, and so do the entries of
    an elastic weight outside the part in use. Without a transform it is `torch.optim.SGD` bit for bit.

    Args:
        parameters: Name -> parameter.
        momentum: In [0, 1).
        weight_decay: Added to the gradient as `weight_decay * weight`, >= 0.
        nesterov: Nesterov's momentum.
        clip: Largest norm of the whole gradient; None: no limit.

    Raises:
        SettingsError: A setting is out of range.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        *,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        clip: float | None = None,
    ) -> None:
        if not 0.0 <= momentum < 1.0 or weight_decay < 0.0 or (nesterov and momentum == 0.0):
            raise SettingsError(
                "Expected momentum in [0, 1) (above 0 with nesterov) and weight decay >= 0, "
                f"got {momentum} and {weight_decay}"
            )
        if clip is not None and not clip > 0.0:
            raise SettingsError(f"Expected a gradient norm above 0 to clip at, got {clip}; None turns clipping off")
        self.parameters = dict(parameters)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self.clip = clip
        self.buffers: dict[str, Tensor] = {}

    def zero_grad(self) -> None:
        """Drop every gradient."""
        for parameter in self.parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(
        self,
        lr: float,
        transform: Transform | None = None,
        active_slices: Mapping[str, Sequence[Slices | None]] | None = None,
    ) -> None:
        """Apply one update; the gradients are clipped in place and otherwise left as they are.

        Args:
            lr: Learning rate.
            transform: From the final updates to those that are applied; must not write into its argument.
                None: as they are.
            active_slices: Parameter -> parts in use, one per call of its layer (None: the whole). Absent: the
                whole.
        """
        moved = {name: parameter for name, parameter in self.parameters.items() if parameter.grad is not None}
        if not moved:
            return
        if self.clip is not None:
            nn.utils.clip_grad_norm_(moved.values(), self.clip)
        slices, masks = _in_use(active_slices or {}, moved)
        weights = [_sliced(parameter.data, slices.get(name)) for name, parameter in moved.items()]
        gradients = [_sliced(p.grad, slices.get(name)) for name, p in moved.items() if p.grad is not None]
        finals = dict(zip(moved, self._finals(moved, weights, gradients, slices, masks), strict=True))
        for name, mask in masks.items():
            finals[name] = finals[name] * mask
        applied: Mapping[str, Tensor] = finals
        if transform is not None:
            applied = transform(Updates(finals, slices))
        updates = [applied[name] * masks[name] if name in masks else applied[name] for name in moved]
        torch._foreach_add_(weights, updates, alpha=-lr)

    def _finals(
        self,
        moved: Mapping[str, nn.Parameter],
        weights: list[Tensor],
        gradients: list[Tensor],
        slices: Mapping[str, Slices],
        masks: Mapping[str, Tensor],
    ) -> list[Tensor]:
        """Return the final updates, and keep what later ones need; entries outside masks keep their state."""
        if self.weight_decay:
            gradients = list(torch._foreach_add(gradients, weights, alpha=self.weight_decay))
        if not self.momentum:
            return gradients
        buffers, old = self._momentum_of(moved, gradients, slices)
        kept = {name: buffers[index].clone() for index, name in enumerate(moved) if name in masks}
        if old:
            torch._foreach_mul_([buffers[index] for index in old], self.momentum)
            torch._foreach_add_([buffers[index] for index in old], [gradients[index] for index in old])
        for index, name in enumerate(moved):
            if name in masks:
                buffers[index].copy_(torch.where(masks[name], buffers[index], kept[name]))
        if self.nesterov:
            return list(torch._foreach_add(gradients, buffers, alpha=self.momentum))
        return buffers

    def _momentum_of(
        self, moved: Mapping[str, nn.Parameter], gradients: Sequence[Tensor], slices: Mapping[str, Slices]
    ) -> tuple[list[Tensor], list[int]]:
        """Return the momentum in use of each parameter, and the indices of those whose momentum is to be updated.

        What moves as a whole for the first time begins with its gradient, as in torch.
        """
        buffers: list[Tensor] = []
        old: list[int] = []
        for index, (name, parameter) in enumerate(moved.items()):
            buffer = self.buffers.get(name)
            if buffer is None and name not in slices:
                self.buffers[name] = buffer = gradients[index].clone()
            else:
                if buffer is None:
                    self.buffers[name] = buffer = torch.zeros_like(parameter)
                old.append(index)
            buffers.append(_sliced(buffer, slices.get(name)))
        return buffers, old

    def state_dict(self) -> dict[str, Tensor]:
        """Return the momentum by parameter, for those that have moved."""
        return dict(self.buffers)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over momentum.

        Raises:
            TrainingError: A name or a shape is not of this network.
        """
        for name, buffer in state.items():
            parameter = self.parameters.get(name)
            if parameter is None or parameter.shape != buffer.shape:
                expected = "no such parameter" if parameter is None else f"shape {tuple(parameter.shape)}"
                raise TrainingError(
                    f"The momentum of '{name}' has shape {tuple(buffer.shape)} but the network has {expected}"
                )
        self.buffers = {
            name: buffer.detach().to(self.parameters[name].data, copy=True) for name, buffer in state.items()
        }


def _in_use(
    active_slices: Mapping[str, Sequence[Slices | None]], moved: Mapping[str, nn.Parameter]
) -> tuple[dict[str, Slices], dict[str, Tensor]]:
    """Return the slices around what calls used of each parameter, and masks of it where these hold more than that.

    A parameter that some call used whole has neither.
    """
    slices: dict[str, Slices] = {}
    masks: dict[str, Tensor] = {}
    for name, calls in active_slices.items():
        parts = [part for part in calls if part is not None]
        if name in moved and len(parts) == len(calls):
            slices[name], mask = _bounding_slices(parts, moved[name])
            if mask is not None:
                masks[name] = mask
    return slices, masks


def _sliced(tensor: Tensor, slices: Slices | None) -> Tensor:
    return tensor if slices is None else tensor[slices]


def _bounding_slices(calls: Sequence[Slices], parameter: Tensor) -> tuple[Slices, Tensor | None]:
    """Return the box around some parts, and within it a mask of what they cover unless they fill it."""
    # Slices may leave out the last dimensions, which are then used whole.
    spans = [[part.indices(size)[:2] for part, size in zip(call, parameter.shape, strict=False)] for call in calls]
    box = tuple(slice(min(s for s, _ in axis), max(e for _, e in axis)) for axis in zip(*spans, strict=True))
    if any(all((part.start, part.stop) == span for part, span in zip(box, call, strict=True)) for call in spans):
        return box, None
    mask = torch.zeros_like(parameter, dtype=torch.bool)
    for call in calls:
        mask[call] = True
    mask = mask[box]
    return box, None if bool(mask.all()) else mask
