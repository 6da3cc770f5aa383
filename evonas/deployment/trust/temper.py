"""Temperature of a deployed classifier: fitted on images that were not trained on, and shown to change no answer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from evonas.data import Dataset, Part
from evonas.deployment.check import CHUNK
from evonas.deployment.trained import Trained
from evonas.errors import ExportError
from evonas.runtime import Model, logits, session
from evonas.runtime.parity import outputs
from evonas.tasks.temperature import fit_temperature

__all__ = ["FittedTemperature", "fit_on_unseen", "refuse_other_answers", "unseen_images"]


class FittedTemperature(float):
    """Temperature above 0.

    Attributes:
        images: How many images it was fitted on.
    """

    images: int

    def __new__(cls, value: float, images: int) -> FittedTemperature:
        """Return the number with what it was fitted on."""
        made = super().__new__(cls, value)
        made.images = images
        return made


def unseen_images(data: Dataset, trained: Trained | None) -> Part | None:
    """Return the validation images that weights were not trained on; None: there are none.

    Images that are decoded when read stay so: `torch.cat` and `torch.split` decode none.

    Args:
        data: The run's data.
        trained: The training; None: weights are the supernet's, which sees the training part alone.
    """
    if trained is not None and trained.record["trained_on"] == "all":
        held = int(trained.record.get("held_out", 0))
        if not held:
            return None
        return Part(torch.split(data.report.images, held)[0], data.report.labels[:held])
    parts = [data.search, data.report]
    return Part(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))


def fit_on_unseen(module: nn.Module, data: Dataset, part: Part | None) -> FittedTemperature | None:
    """Return the temperature of a classifier's logits on images that it was not trained on; None: there are none.

    Args:
        module: Takes images in [0, 1]; on the CPU.
        data: The run's data.
        part: These images.

    Raises:
        EvaluationError: Logits are not finite.
    """
    if part is None:
        return None
    chunks = torch.split(part.images, CHUNK)
    found = torch.cat([torch.from_numpy(outputs(module, x.cpu().float() / data.scale, torch.float32)) for x in chunks])
    return FittedTemperature(fit_temperature(found.numpy(), part.labels.cpu().numpy()), len(part))


def refuse_other_answers(plain: Model, tempered: Model, parts: Sequence[Part], scale: float) -> None:
    """Refuse a model with a temperature unless it answers as it would without, image for image.

    Rounded division by a positive number keeps the order of logits, but may make two equal that differ in their last
    bit: of these the first would then be the answer.

    Args:
        plain: Without the temperature; takes images in [0, 1].
        tempered: With it.
        parts: Images to answer.
        scale: Value of a pixel that means 1.0.

    Raises:
        ExportError: An answer differs.
    """
    opened = [session(one) for one in (plain, tempered)]
    for images in (chunk for part in parts for chunk in torch.split(part.images, CHUNK)):
        before, after = (logits(one, images, scale=scale).argmax(1) for one in opened)
        if differ := int((before != after).sum()):
            raise ExportError(
                f"Expected all answers to stay as they are at a temperature, got {differ} others, of images whose two "
                "largest logits differ in the last bit: deploy without --calibrate"
            )
