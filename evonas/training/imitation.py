"""Imitation of a teacher: what a student's loss is beside the labels'.

References:
    .. [Hinton2015] Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531.
    .. [Huang2017] Huang, Wang: Like What You Like, Knowledge Distill via Neuron Selectivity Transfer, arXiv 1707.01219.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from evonas.data.resize import resize
from evonas.errors import SettingsError
from evonas.networks import Network

__all__ = ["Imitation", "selectivity_loss"]

SELECTIVITY_WEIGHT = 25.0
"""Weight of the squared discrepancy: half of [Huang2017]_'s lambda of 50 (equation 8)."""


class Imitation:
    """The loss of a student against a teacher, by outputs or by feature maps; a context while it listens to both.

    Args:
        student: Network that is trained.
        teacher: Network or model that is imitated; in evaluation mode. A network is given the images at its own
            resolution, whatever the student's is.
        what: ``"outputs"``: the task's imitation of outputs ([Hinton2015]_); ``"features"``: the selectivity of the
            channels before the last pooling ([Huang2017]_).
        imitate: The task's loss of outputs against outputs.

    Raises:
        SettingsError: Features are asked of what has none to listen to.
    """

    def __init__(
        self, student: nn.Module, teacher: nn.Module, what: str, imitate: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        self._teacher, self._imitate = teacher, imitate
        self._side = teacher.skeleton.resolution if isinstance(teacher, Network) else None
        self._heard: dict[str, Tensor] = {}
        self._networks = {"student": student, "teacher": teacher} if what == "features" else {}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        for name, network in self._networks.items():
            if not isinstance(network, Network):
                raise SettingsError(
                    f"Expected a network of a space as {name} whose features are imitated, got a "
                    f"{type(network).__name__}: imitate its outputs"
                )

    def __enter__(self) -> Imitation:
        for name, network in self._networks.items():

            def keep(module: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                self._heard[name] = inputs[0]

            self._handles.append(network.get_submodule("pool").register_forward_pre_hook(keep))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def __call__(self, images: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            images: What the student has just been given.
            outputs: What it gave.

        Raises:
            SettingsError: The teacher gives another number of outputs.
        """
        with torch.no_grad():
            taught = self._teacher(images if self._side is None else resize(images, self._side)).float()
        if taught.shape != outputs.shape:
            raise SettingsError(
                f"Expected a teacher of {outputs.shape[-1]} classes or outputs, as the data have, got one of "
                f"{taught.shape[-1]}: name one that was trained on such data"
            )
        if not self._networks:
            return self._imitate(outputs, taught)
        return SELECTIVITY_WEIGHT * selectivity_loss(self._heard.pop("student"), self._heard.pop("teacher"))


def selectivity_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return how differently the channels of two networks respond over an image, 0 where they respond alike.

    The squared maximum mean discrepancy of the channels' maps, each of unit norm, under the kernel
    ``k(x, y) = (x . y)^2``, the mean over images ([Huang2017]_ equations 5 to 8, their best kernel). The student's
    maps are brought to the teacher's size bilinearly where these differ; numbers of channels may differ.

    Args:
        student: Shape ``(n, c, h, w)``.
        teacher: Shape ``(n, d, k, l)``.
    """
    student, teacher = student.float(), teacher.float()
    if student.shape[2:] != teacher.shape[2:]:
        student = F.interpolate(student, teacher.shape[2:], mode="bilinear", align_corners=False)
    own, other = (F.normalize(maps.flatten(2), dim=2) for maps in (student, teacher))

    def kernel(left: Tensor, right: Tensor) -> Tensor:
        return (left @ right.transpose(1, 2)).square().mean(dim=(1, 2))

    return (kernel(other, other) + kernel(own, own) - 2 * kernel(own, other)).mean()
