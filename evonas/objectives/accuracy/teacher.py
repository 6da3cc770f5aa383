"""Teacher of short trainings: the largest network of the space, trained once, or a given model."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from evonas.data import Dataset
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives.accuracy.distillation import LARGEST
from evonas.objectives.contract import Context
from evonas.objectives.cost.cost import CostEvaluator
from evonas.runtime.onnx_module import OnnxModule
from evonas.spaces.largest import largest
from evonas.tasks import make_task
from evonas.training import TrainingRecipe
from evonas.training.train import train

__all__ = ["TEACHER_FACTOR", "make_teacher"]

TEACHER_FACTOR = 2
"""Times the epochs of the ladder's last level that this one is trained."""


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
        outputs = make_task(data).head.outputs
        if model.outputs not in (None, outputs):
            raise SettingsError(
                f"Expected a teacher of {outputs} classes or outputs, as the data '{data.name}' have, got "
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
