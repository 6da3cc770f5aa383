"""Training members of a front to the end, into the run's folder ``models/``."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from evonas.config import UNBOUNDED
from evonas.data import count_batches
from evonas.data.skipped import Skipped, skipped_sentence, skipped_table
from evonas.deployment.access_log import log_access
from evonas.deployment.model import model_files, to_json
from evonas.deployment.trained import Trained, as_trained, note_accuracy
from evonas.deployment.transfer import transfer_points, wants_transfer
from evonas.errors import RunError, SettingsError, suggest
from evonas.files.csv import to_csv
from evonas.files.duration import duration
from evonas.files.progress import Progress, Silent
from evonas.networks import Network, build
from evonas.objectives import Context, make_evaluator
from evonas.pipeline.adapted import published_context
from evonas.pipeline.context import anchor_network, problem_of, run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.runs.training_record import FORMAT, RECORD, read_record
from evonas.runtime.threads import torch_threads
from evonas.spaces import Architecture, Candidate, load_space
from evonas.spaces.largest import largest
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.tasks import make_task
from evonas.training import Training, TrainingRecipe, load_recipe, read_test
from evonas.training.held_out import training_parts
from evonas.training.recipe import FINETUNE, QUICK, change_recipe, usual_epochs, usual_recipe
from evonas.training.throughput import seconds_per_epoch
from evonas.training.train import train

SKIPPED = "skipped.csv"
CHECKPOINT = "checkpoint.safetensors"
HELD_OUT = 0.1
"""Share of the training images that a training on the command line is measured by where nothing says otherwise."""

Weights = Literal["inherited", "fresh", "anchor"]
_WEIGHTS = ("inherited", "fresh", "anchor")


def train_members(
    run: Run | str | Path,
    select: str | Sequence[str] = "knee",
    recipe: TrainingRecipe | str | Path | None = None,
    *,
    seeds: Sequence[int] = (0,),
    weights: Weights = "inherited",
    pretrained: str = "auto",
    teacher: Literal["largest"] | None = None,
    data: str | None = None,
    table: Sequence[str] = (),
    transfer: bool = True,
    progress: Progress | None = None,
) -> list[Trained]:
    """Train members of a run and note their test accuracy as ``acc_trained`` (mean over seeds) in run and front.

    Where the run asked for the baseline ``transfer``, published weights are transferred at the same cost, too, into its
    ``transfer.json``; `evonas.deployment.transfer.transfer_lines` says what came of it.

    What was trained before with the same settings is read, not trained again; what was killed goes on from its
    last epoch and ends with the same weights.

    Args:
        run: A run that ended, by path, or open; where it is open for writing it must be given open.
        select: As `choose` takes it, or ``front``: every member; or several selections.
        recipe: A recipe, or what `load_recipe` takes; None: `default_recipe`.
        seeds: One training each.
        weights: First weights: the supernet's, batch-norm statistics estimated for the path, fresh ones, or
            those that its training as an anchor had when it paused last.
        pretrained: ``"auto"``: as `weights` says; ``"none"``: fresh weights; or published weights of the run's space,
            by name or TOML file, whose slice the member begins with.
        teacher: ``"largest"``: the supernet's path with the most FLOPs is imitated too.
        data: Where the run's data are now, which must be the same; None: where they were.
        table: Where the run's table is now; empty: where it was.
        transfer: Whether plain transfer is trained where the run asked for it.
        progress: Shows how far the training is.

    Returns:
        One per member and seed, members in the order of the front.

    Raises:
        EvonasError: No such member, no front, no supernet to inherit from, a recipe that does not fit, training
            that diverged, or a full disk.
    """
    _check(weights, seeds, pretrained)
    weights = "fresh" if pretrained == "none" else weights
    progress = progress or Silent()
    if not isinstance(run, Run) or not run.writable:  # what a search returns is open for reading
        with Run.open(run.path if isinstance(run, Run) else run, write=True) as opened:
            return train_members(
                opened, select, recipe, seeds=seeds, weights=weights, pretrained=pretrained, teacher=teacher,
                data=data, table=table, transfer=transfer, progress=progress,
            )  # fmt: skip
    run.relocate(data, table)
    if not isinstance(recipe, TrainingRecipe):
        recipe = default_recipe(run) if recipe is None else load_recipe(recipe)
    front = read_front(run)
    space = load_space(run.settings["space"])
    several = [f"index:{i}" for i in range(len(front))] if select == "front" else select
    selections = [several] if isinstance(several, str) else list(several)
    choices = [choose(front, space, selection) for selection in selections]
    if data is not None and pretrained not in ("auto", "none"):
        problem_of(run)  # from other weights they are normalized otherwise, and have another fingerprint
    context = _context(run, weights, pretrained, teacher)
    work = _Work(run, context, recipe, weights, teacher, progress)
    trained = []
    for index, choice in enumerate(choices):
        for seed in seeds:
            name = f"Training {choice.key}" + (f" ({index + 1} of {len(choices)})" if len(choices) > 1 else "")
            trained.append(work.train(choice, seed, name))
            note_accuracy(run, trained[-1])
    if transfer and wants_transfer(run):
        transfer_points(run, run_context(run), trained, work.progress)
    return trained


def default_recipe(run: Run) -> TrainingRecipe:
    """Return the recipe of a run's members where none is given: `usual_recipe`, of more epochs where images are few.

    Args:
        run: The run, whose ``inventory.json`` says how many training images there are; without one the recipe is as
            it stands.
    """
    recipe = load_recipe(usual_recipe(run.settings))
    if recipe.name != QUICK:  # what fine-tunes published weights needs few updates
        return recipe
    try:
        counts = json.loads((run.path / "inventory.json").read_text(encoding="utf-8"))["counts"]["train"]
        images = min(sum(counts), run.settings.get("train_limit") or UNBOUNDED)
    except (OSError, ValueError, KeyError, TypeError):
        return recipe
    return change_recipe(recipe, epochs=usual_epochs(images, recipe.batch_size, recipe.epochs))


def with_hold_out(recipe: TrainingRecipe, share: float | None, patience: int | None) -> TrainingRecipe:
    """Return a recipe that holds out images and stops early as asked for.

    Args:
        recipe: What is trained by.
        share: Of the training images; None: the recipe's, else a tenth, but none of `finetune`, by which few images are
            learnt from and whose epochs need no choice.
        patience: Epochs without gain after which it ends; 0 or None: the recipe's, which goes with its images.

    Raises:
        SettingsError: It would end early without held-out images.
    """
    if share is None:
        share = recipe.held_out or (0.0 if recipe.name == FINETUNE and not patience else HELD_OUT)
    return change_recipe(recipe, held_out=share, patience=patience or (recipe.patience if share else 0))


def _check(weights: str, seeds: Sequence[int], pretrained: str) -> None:
    """Refuse weights and seeds that make no sense, alone or together."""
    if weights not in _WEIGHTS:
        known = f"{', '.join(_WEIGHTS[:-1])} or {_WEIGHTS[-1]}"
        raise SettingsError(f"Expected weights {known}, got '{weights}'.{suggest(weights, _WEIGHTS)}")
    fitting = {"auto": _WEIGHTS, "none": ("inherited", "fresh")}.get(pretrained, ("inherited",))
    if weights not in fitting:
        raise SettingsError(
            f"The first weights are either {weights} or what --pretrained {pretrained} says: leave one of the two out"
        )
    if not seeds or min(seeds) < 0:
        raise SettingsError(f"Expected at least one seed, of 0 or more, got {', '.join(map(str, seeds)) or 'none'}")


def _context(run: Run, weights: str, pretrained: str, teacher: str | None) -> Context:
    """Return the run's context, with its own supernet or one of published weights where the training needs one.

    Raises:
        EvonasError: The run has none to inherit from, or the weights do not fit it.
    """
    if pretrained not in ("auto", "none"):
        return published_context(run, pretrained)
    shared = weights == "inherited" or teacher is not None
    if shared and not has_supernet(run):
        lack = "inherit weights from" if teacher is None else "learn from"
        raise RunError(
            f"{run.path} has no supernet to {lack}: run  evonas train {shlex.quote(str(run.path))} --weights fresh"
        )
    return run_context(run, with_supernet=shared)


def note_skipped(run: Run, skipped: Sequence[Skipped]) -> None:
    """Add test images that could not be decoded to a run's ``skipped.csv``; those that stand there stay as they are.

    Args:
        run: Open for writing.
        skipped: They are known once the test part is read.
    """
    file = run.path / SKIPPED
    before = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    lines = to_csv(skipped_table(skipped)).splitlines()
    content = [*(before or lines[:1]), *(line for line in lines[1:] if line not in before)]
    run.write(SKIPPED, ("\n".join(content) + "\n").encode("utf-8", "backslashreplace"))


def has_supernet(run: Run) -> bool:
    """Return whether a run has shared weights."""
    return (run.path / "supernet.safetensors").is_file()


def inherit(context: Context, architecture: Architecture) -> Network:
    """Return a stand-alone network with the supernet's weights, its statistics those its path was read with."""
    assert context.supernet is not None
    assert context.data is not None
    evaluator = PathEvaluator(context.supernet, context.data, context.data.search, norm_images=NORM_IMAGES)
    with torch_threads(context.threads):
        network = evaluator.prepare(architecture)
    assert isinstance(network, Network)
    return network


@dataclass
class _Work:
    """Trainings of one command, as far as they share their context."""

    run: Run
    context: Context
    recipe: TrainingRecipe
    weights: Weights
    teacher: str | None
    progress: Progress

    def train(self, choice: Selection, seed: int, name: str) -> Trained:
        """Train one member, or read what was trained."""
        settings = self._settings(choice, seed)
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:6]
        label = re.sub(r"[^A-Za-z0-9_.]+", "_", self.recipe.name)
        folder = Path("models") / f"{choice.key}-{label}-{digest}"
        path = self.run.path / folder
        if (path / RECORD).is_file():
            return as_trained(path, read_record(path / RECORD), choice, stored=True)
        context = self.context
        assert context.data is not None
        data = context.data.at(choice.architecture.resolution or context.data.resolution)
        network = (
            build(context.space, context.skeleton, choice.architecture, seed=seed)
            if self.weights == "fresh"
            else anchor_network(self.run, choice.architecture)
            if self.weights == "anchor"
            else inherit(context, choice.architecture)
        )
        part, _ = training_parts(data, self.recipe)
        size = len(part)
        steps = count_batches(size, min(self.recipe.batch_size, size), drop_last=True)
        if not isinstance(self.progress, Silent):
            with torch_threads(context.threads):
                seconds = self.recipe.epochs * seconds_per_epoch(network, data, self.recipe, device=context.device)
            self.progress.say(f"{self.recipe.epochs} epochs of {size:,} images take about {duration(seconds)}")
        with torch_threads(context.threads), self.progress.task(name, self.recipe.epochs * steps) as task:
            done = 0

            def show(updates: int, _: int, figures: Any) -> None:
                nonlocal done
                held = f", held-out {figures['held_out']:.3f}" if "held_out" in figures else ""
                task.advance(updates - done, f"epoch {figures['epoch']}, loss {figures['loss']:.3f}{held}")
                done = updates

            training = train(
                network,
                data,
                self.recipe,
                seed=seed,
                device=context.device,
                progress=show,
                checkpoint=path / CHECKPOINT,
                teacher=self._teacher(),
            )
            log_access(self.run, "train", choice.text)
            accuracy, classes = read_test(network, data)
        if data.test_skipped:
            self.progress.say(skipped_sentence(data.test_skipped, "test images"))
            note_skipped(self.run, data.test_skipped)
        # The record comes last: it says that all else is there.
        for file, content in model_files(network, data).items():
            self.run.write(str(folder / file), content)
        record = {**settings, **self._outcome(training, accuracy, classes)}
        self.run.write(str(folder / RECORD), to_json(record))
        (path / CHECKPOINT).unlink(missing_ok=True)
        return as_trained(path, record, choice)

    def _settings(self, choice: Selection, seed: int) -> dict[str, Any]:
        """Return what decides the outcome."""
        context = self.context
        assert context.data is not None
        teacher = None
        if self.teacher is not None:
            teacher = {"architecture": str(self._largest), "supernet": context.supernet_fingerprint}
        return {
            "format": FORMAT,
            "architecture": choice.text,
            "recipe": self.recipe.model_dump(mode="json"),
            "seed": seed,
            "weights": self.weights,
            "supernet": context.supernet_fingerprint if self.weights == "inherited" else None,
            "teacher": teacher,
            "data": {"name": context.data.name, "fingerprint": context.data.fingerprint},
        }

    def _outcome(self, training: Training, accuracy: float, classes: Mapping[str, Any] | None) -> dict[str, Any]:
        assert self.context.data is not None
        images, task = len(self.context.data.test), make_task(self.context.data)
        plain = (task.primary, task.objective) == ("accuracy", "acc")
        own = {} if plain else {"measure": task.primary, "objective": task.objective}
        return {
            "accuracy": {"value": accuracy, "by": "torch, test part", "images": images} | own,
            "accuracy_report": training.accuracy,
            **({} if classes is None else {"classes": classes}),
            "trained_on": training.trained_on,
            "images": training.images,
            **({"held_out": training.held_out, "best_epoch": training.best} if training.held_out else {}),
            "seconds": training.seconds,
            "device": self.context.device,
            "threads": self.context.threads,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": self.run.manifest.get("versions", {}),
            "history": [dict(epoch) for epoch in training.history],
        }

    @cached_property
    def _largest(self) -> Architecture:
        costs = make_evaluator("flops", self.context)
        return largest(self.context.space, lambda form: costs.evaluate([Candidate(form)])[0]["flops"].value or 0.0)

    def _teacher(self) -> Network | None:
        return None if self.teacher is None else inherit(self.context, self._largest)
