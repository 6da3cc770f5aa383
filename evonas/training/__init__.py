"""Training a stand-alone network: recipes as data, inherited or fresh weights.

`train` trains a network, in place, by a `TrainingRecipe`, a TOML file that is named or given as a path; it writes
nothing but the checkpoint it is given. `test_accuracy` alone touches the test part::

    network = evonas.build(space, skeleton, architecture)    # or supernet.extract(architecture)
    training = train(network, data, "quick", seed=0)
    accuracy = test_accuracy(network, data)

Recipes that ship: `quick` (small images in seconds), `anchor` (short trainings that rank),
`darts_cifar`, `pcdarts_imagenet` and `mobile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.training.checkpoint import digest, read_checkpoint, write_checkpoint
    from evonas.training.device import mixed_precision, resolve_device, to_device
    from evonas.training.epochs import Progress
    from evonas.training.evaluate import read_test, test_accuracy
    from evonas.training.recipe import TrainingRecipe, load_recipe, recipe_names, recipe_source
    from evonas.training.schedule import learning_rate
    from evonas.training.train import Training

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "checkpoint": (
            "digest",
            "read_checkpoint",
            "write_checkpoint",
        ),
        "device": (
            "mixed_precision",
            "resolve_device",
            "to_device",
        ),
        "epochs": ("Progress",),
        "evaluate": ("read_test", "test_accuracy"),
        "recipe": (
            "TrainingRecipe",
            "load_recipe",
            "recipe_names",
            "recipe_source",
        ),
        "schedule": ("learning_rate",),
        "train": ("Training",),
    },
)

__all__ = [
    "Progress",
    "Training",
    "TrainingRecipe",
    "digest",
    "learning_rate",
    "load_recipe",
    "mixed_precision",
    "read_checkpoint",
    "read_test",
    "recipe_names",
    "recipe_source",
    "resolve_device",
    "test_accuracy",
    "to_device",
    "write_checkpoint",
]
