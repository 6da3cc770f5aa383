"""Training a stand-alone network by a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from evonas.data import Dataset
from evonas.errors import SettingsError
from evonas.networks import Network
from evonas.tasks import Task, make_task
from evonas.tasks.classification import Classification
from evonas.training.adversarial import Adversary
from evonas.training.adversary_text import read_adversary
from evonas.training.augmentation import recipe_augmentation
from evonas.training.auxiliary import Tap, auxiliary_head
from evonas.training.average import WeightAverage
from evonas.training.checkpoint import digest
from evonas.training.device import resolve_device, to_device
from evonas.training.drop_path import DropPath
from evonas.training.epochs import EpochLoop, Progress
from evonas.training.evaluate import evaluate
from evonas.training.held_out import HeldOut, not_held_out, training_parts
from evonas.training.imitation import Imitation
from evonas.training.recipe import TrainingRecipe, load_recipe
from evonas.training.state import State


@dataclass(frozen=True)
class Training:
    """Outcome of a training.

    Attributes:
        history: Per epoch `epoch` (from 1), `loss` and `metric` (means over its batches, in training mode),
            `lr` (of its last update) and `seconds`; with held-out images `held_out`, the measure on them.
        trained_on: "all": every training image, the validation parts too; "train": the part `train` alone.
        images: Number of images trained on.
        accuracy: Metric on the part `report`, without images that were held out; None where that was trained on.
        seconds: Duration, also of what was done before a resume.
        held_out: Images that were held out; 0: none.
        best: Epoch whose weights the network has, the best on held-out images; None: the last one's, or averaged ones.
    """

    history: tuple[Mapping[str, float], ...]
    trained_on: Literal["all", "train"]
    images: int
    accuracy: float | None
    seconds: float
    held_out: int = 0
    best: int | None = None


def train(
    network: nn.Module,
    data: Dataset,
    recipe: TrainingRecipe | str | Path,
    *,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    teacher: nn.Module | None = None,
    task: Task | None = None,
    until: int | None = None,
) -> Training:
    """Train a network in place, from the weights it has, fresh or inherited.

    On the CPU with a fixed number of threads the weights depend on the arguments alone, bit for bit, also
    where the training was killed and started again from its checkpoint any number of times. The network is
    left on the device, in evaluation mode, with averaged weights where the recipe averages.

    Args:
        network: Stand-alone network.
        data: Data set; its test part is not touched.
        recipe: A recipe, or what `load_recipe` takes.
        seed: Of the order of images, their augmentation, dropped paths and the auxiliary head.
        device: See `resolve_device`.
        progress: Called after every update with updates done, updates in all, and `epoch`, `loss` and `lr`,
            and `held_out`, the measure on held-out images after the epoch before.
        checkpoint: File written after every epoch. Where it exists the training goes on from it; the network
            must hold the weights that the training began with.
        teacher: Network or model that is imitated as well, with the recipe's weight `distillation`. It is
            put into evaluation mode on the device.
        task: Loss and metric; by default that of the data, with the recipe's label smoothing.
        until: Epoch after which the training pauses: with a checkpoint it goes on from there another time, as if it
            had not paused. By default the recipe's last.

    Raises:
        SettingsError: Recipe, network, data and teacher do not fit together; or the checkpoint is of a later epoch
            than the training is to pause at.
        TrainingError: The loss or a weight is no longer finite; or the checkpoint is damaged, of another
            training, or cannot be written.
    """
    recipe = recipe if isinstance(recipe, TrainingRecipe) else load_recipe(recipe)
    of_data = task or make_task(data)
    _check(network, data, recipe, teacher, of_data)
    where = resolve_device(device)
    settings = {
        "recipe": recipe.model_dump(mode="json"),
        "seed": seed,
        "data": data.fingerprint,
        "first weights": digest(network),
        "teacher": None if teacher is None else digest(teacher),
        "task": of_data.title,
    }
    data = data.to(where)
    part, held = training_parts(data, recipe)
    to_device(network, where)
    if teacher is not None:
        to_device(teacher, where).eval()
    with ExitStack() as stack:
        generators = [torch.Generator().manual_seed(seed * 4 + i) for i in range(3)]
        dropping = stack.enter_context(DropPath(network, generators[1]))
        tap = head = None
        if recipe.auxiliary:
            tap = Tap(network)
            stack.callback(tap.remove)
            head = auxiliary_head(network, tap, generators[2])
        state = State(
            network=network,
            auxiliary=head,
            optimizer=_optimizer([network] if head is None else [network, head], recipe),
            average=WeightAverage(network, recipe.ema) if recipe.ema else None,
            batches=generators[0],
            paths=generators[1],
            settings=settings,
        )
        if checkpoint is not None and Path(checkpoint).exists():
            state.resume(Path(checkpoint))
        last = _last_epoch(recipe, until, len(state.history), checkpoint)
        own_task = task or make_task(data).alone(recipe.label_smoothing)
        if recipe.focal and isinstance(own_task, Classification):
            own_task = own_task.focused(recipe.focal)
        imitation = None
        if teacher is not None:
            imitation = stack.enter_context(Imitation(network, teacher, recipe.imitate, own_task.imitate))
        loop = EpochLoop(
            state=state,
            recipe=recipe,
            data=data,
            part=part,
            task=own_task,
            augment=recipe_augmentation(recipe, data.resolution, data.augment),
            imitation=imitation,
            dropping=dropping,
            tap=tap,
            progress=progress,
            adversary=_adversary(recipe, data),
        )
        held_out = None if held is None else HeldOut(held, data, own_task, recipe.patience)
        stack.callback(state.optimizer.zero_grad)
        _train_epochs(loop, last, held_out, checkpoint)
    best = _leave_weights(network, state, held_out)
    network.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]  # torch types leave it out
    return Training(
        history=tuple(state.history),
        trained_on="all" if recipe.all_data else "train",
        images=len(part),
        accuracy=None if recipe.all_data else evaluate(network, not_held_out(data, held), data, task=task)[0],
        seconds=sum(figures["seconds"] for figures in state.history),
        held_out=0 if held is None else len(held),
        best=best,
    )


def _train_epochs(loop: EpochLoop, last: int, held_out: HeldOut | None, checkpoint: Path | None) -> None:
    """Train up to an epoch, or until held-out images say that it is over; the checkpoint is written after each."""
    state = loop.state
    for epoch in range(len(state.history) + 1, last + 1):
        if held_out is not None and held_out.over(state.history):
            break
        state.history.append(loop.epoch(epoch))
        state.refuse_broken(epoch, state.history[-1]["lr"])
        if held_out is not None:
            held_out.read(state)
        if checkpoint is not None:
            state.save(Path(checkpoint))


def _leave_weights(network: nn.Module, state: State, held_out: HeldOut | None) -> int | None:
    """Give a network its best weights by held-out images, else the averaged ones; return the epoch of the best."""
    if held_out is not None and state.best is not None:
        network.load_state_dict(state.best)
        return held_out.best(state.history)
    if state.average is not None:
        network.load_state_dict(state.average.values)
    return None


def _check(network: nn.Module, data: Dataset, recipe: TrainingRecipe, teacher: nn.Module | None, task: Task) -> None:
    if isinstance(network, Network):
        skeleton, outputs = network.skeleton, task.head.outputs
        if network.architecture is None:
            raise SettingsError("Expected a stand-alone network, got a supernet: extract an architecture first")
        if not skeleton.head:
            raise SettingsError("Expected a network with a classifier, got one without: use a skeleton with a head")
        if (skeleton.classes, skeleton.in_channels) != (outputs, data.in_channels):
            raise SettingsError(
                f"Expected a network of {outputs} outputs and {data.in_channels} input channels for the data "
                f"'{data.name}', got {skeleton.classes} and {skeleton.in_channels}: change its skeleton"
            )
    if (recipe.focal or recipe.adversarial or recipe.consistency) and not isinstance(task, Classification):
        raise SettingsError(
            f"The recipe '{recipe.name}' has focal, adversarial or consistency, which are for classes, but "
            f"'{data.name}' is for {task.title}: use another recipe"
        )
    if teacher is not None and not recipe.distillation:
        raise SettingsError(
            f"Expected a recipe with a weight for the teacher, got distillation = 0 in '{recipe.name}': "
            "set it, or train without a teacher"
        )


def _adversary(recipe: TrainingRecipe, data: Dataset) -> Adversary | None:
    if not recipe.adversarial:
        return None
    return Adversary(read_adversary(recipe.adversarial), recipe.adversarial_warm_up, data.mean, data.std)


def _last_epoch(recipe: TrainingRecipe, until: int | None, done: int, checkpoint: Path | None) -> int:
    """Return the epoch after which a training of so many epochs ends or pauses.

    Raises:
        SettingsError: It has gone beyond that epoch already.
    """
    last = recipe.epochs if until is None else min(until, recipe.epochs)
    if done > last:
        raise SettingsError(
            f"Expected a checkpoint of epoch {last} or before to pause there, got one of epoch {done} in {checkpoint}: "
            "name another file"
        )
    return last


def _optimizer(modules: list[nn.Module], recipe: TrainingRecipe) -> torch.optim.Optimizer:
    parameters = [parameter for module in modules for parameter in module.parameters()]
    spared = [p for p in parameters if p.ndim < 2] if recipe.no_decay_on_norms else []
    decayed = [p for p in parameters if p.ndim > 1 or not recipe.no_decay_on_norms]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        groups,
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
