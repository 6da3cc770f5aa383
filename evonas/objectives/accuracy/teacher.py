"""Teacher of short trainings: the largest network of the space, trained once, or a given model."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from evonas.data import Dataset
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives.contract import Context
from evonas.objectives.cost.cost import CostEvaluator
from evonas.runtime.onnx_module import OnnxModule
from evonas.spaces.largest import largest
from evonas.training import TrainingRecipe
from evonas.training.train import train

__all__ = ["LARGEST", "TEACHER_FACTOR", "make_teacher", "read_distillation"]

LARGEST = "largest"
"""Name of the teacher that is trained here."""
TEACHER_FACTOR = 2
"""Times the epochs of the ladder's last level that this one is trained."""
KINDS = {"logits": "outputs", "nst": "features"}
"""What is distilled, and what of a teacher is imitated then."""
SHARE = 0.5
"""Weight of the teacher where none is given; the labels have the rest."""


def read_distillation(text: str) -> tuple[str, float] | None:
    """Return what of a teacher is imitated and with which weight; None: nothing is.

    Args:
        text: ``none``, ``logits`` or ``nst``, the last two with an optional weight behind a colon, such as
            ``logits:0.7``; a weight of 0 is none.

    Raises:
        SettingsError: None of these.
    """
    kind, _, number = text.partition(":")
    if text == "none":
        return None
    try:
        share = float(number) if number else SHARE
    except ValueError:
        share = -1.0
    if kind not in KINDS or not 0 <= share <= 1:
        raise SettingsError(
            "Expected a distillation none, logits or nst, perhaps with the teacher's weight in 0 to 1 such as "
            f"logits:0.7, got '{text}'"
        )
    return (KINDS[kind], share) if share else None


def make_teacher(
    context: Context, data: Dataset, name: str, recipe: TrainingRecipe, checkpoint: Path | None
) -> nn.Module:
    """Return the network that short trainings imitate, in evaluation mode.

    Args:
        context: Space, skeleton and seed of what is trained here.
        data: What it is trained on, by the part `train`.
        name: `LARGEST`, or the path of an ONNX model, which is given images normalized as in training.
        recipe: Of the short trainings; `TEACHER_FACTOR` times its epochs are trained.
        checkpoint: Where the training is kept, whole or not; None: nowhere.

    Raises:
        SettingsError: The model is for other classes.
        ExportError: It is no model.
    """
    if name != LARGEST:
        model = OnnxModule(name, threads=context.threads)
        if model.outputs not in (None, len(data.classes)):
            raise SettingsError(
                f"Expected a teacher of {len(data.classes)} classes or outputs, as the data '{data.name}' have, got "
                f"one of {model.outputs} in {name}: name one that was trained on such data"
            )
        return model.eval()
    costs = CostEvaluator(context)
    architecture = largest(context.space, lambda form: costs.cost(form)[0])
    network = build(context.space, context.skeleton, architecture, seed=context.seed)
    longer = recipe.model_copy(update={"epochs": TEACHER_FACTOR * recipe.epochs})
    train(network, data.at(network.skeleton.resolution), longer, seed=context.seed, device=context.device,
          checkpoint=checkpoint)  # fmt: skip
    return network.eval()
