"""Training a supernet: in each step the rule's plan on one batch, then one update."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evonas import spaces
from evonas.errors import SettingsError, TrainingError, suggest
from evonas.supernet import parallel, state
from evonas.supernet.activation_capture import ActivationCapture
from evonas.supernet.adam import Adam
from evonas.supernet.evaluate import Source, sized
from evonas.supernet.forgetting import Forgetting, ForgettingProbe
from evonas.supernet.precision import autocast, compiled_blocks
from evonas.supernet.rules.contract import RuleContext, RuleFactory, UpdateRule, draw_from, space_of
from evonas.supernet.rules.registry import find_rule
from evonas.supernet.sgd import SGD
from evonas.tasks import Classification, Task

OPTIMIZERS: dict[str, type[SGD]] = {"sgd": SGD, "adam": Adam}
Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: Updates done.
        steps: Updates of the whole training.
        epoch: Epoch under way, from 1.
        loss: Loss of the last update.
    """

    step: int
    steps: int
    epoch: int
    loss: float


@dataclass
class History:
    """What a training went through.

    Attributes:
        epochs: Per epoch: `epoch` (from 1), `loss` (mean over updates), `lr` (at its end), `passes`
            (forward and backward passes so far), `seconds`, and what the rule reports.
        forgetting: Forgetting values, where they were asked for.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    forgetting: list[Forgetting] = field(default_factory=list)


def train_supernet(
    network: nn.Module,
    data: Source,
    rule: str | RuleFactory = "disturbance-immune",
    *,
    epochs: int,
    updates: int | None = None,
    sample: Callable[[np.random.Generator], Any] | None = None,
    path_of: Callable[[Any], spaces.Path] | None = None,
    batch_size: int = 64,
    optimizer: str = "adam",
    lr: float = 0.01,
    lr_end: float = 0.0,
    momentum: float = 0.9,
    weight_decay: float = 3e-4,
    clip: float | None = 5.0,
    augment: Augmentation | None = None,
    task: Task | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    probe: ForgettingProbe | None = None,
    device: torch.device | str | None = None,
    precision: str = "float32",
    compiled: bool = False,
) -> History:
    """Train a supernet's shared weights in place.

    Within `data_parallel` every process trains the same paths on its share of each batch, and all end with the same
    weights.

    On the CPU with a fixed number of threads the weights depend on the arguments alone, bit for bit, also
    where the training was killed and started again any number of times.

    Args:
        network: Supernet, called as `network(images, path)`.
        data: Data set; its part `train` is trained on.
        rule: Name in `RULES`, or a factory (`functools.partial(DisturbanceImmune, alpha=2.0)`).
        epochs: Passes over the part `train`, at least 1.
        updates: Stop after that many, the last of the epochs cut short; None: all updates of the epochs.
        sample: Draws an architecture, such as `make_sampler` makes; None: every choice of `network.space` uniform.
        path_of: From an architecture to its path; None: `network.space.path`.
        batch_size: Images per update and process; the last, incomplete batch of an epoch is left out.
        optimizer: `adam` or `sgd`.
        lr: Learning rate at the start, > 0; it falls to `lr_end` by a cosine over all updates.
        lr_end: Learning rate at the end, >= 0.
        momentum: In [0, 1).
        weight_decay: >= 0.
        clip: Largest norm of an update's whole gradient; None: no limit.
        augment: Random changes of uint8 batches, drawn from a generator on the CPU; None: none.
        task: Loss; image classification by default.
        seed: Of every draw.
        checkpoint: File that is written after every epoch. Where it exists the training goes on from it.
        progress: Called after every update.
        probe: Reads forgetting values.
        device: Where to train; None: where the network is. The data must be there.
        precision: `float32`, or `bfloat16` for convolutions and linear layers.
        compiled: Whether candidates run compiled; for rules that capture no layer's inputs.

    Returns:
        What the training went through, also before a resume.

    Raises:
        SettingsError: A setting is out of range.
        TrainingError: The loss or a weight is no longer finite (the last good checkpoint is kept), or the
            checkpoint is damaged or of another training.
    """
    if epochs < 1 or batch_size < 1 or not lr > 0 or not 0 <= lr_end <= lr:
        raise SettingsError(
            "Expected epochs >= 1, batch size >= 1 and 0 <= lr_end <= lr with lr > 0, "
            f"got {epochs}, {batch_size}, {lr_end} and {lr}"
        )
    labels = data.train.labels
    if len(labels) < parallel.processes():
        few = f"{len(labels)} for {parallel.processes()}" if len(labels) else "an empty training part"
        raise SettingsError(f"Expected at least one image per process to train on, got {few}")
    if device is not None:
        network.to(device)
    # Twice as fast on CPUs: most of the work is depthwise.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types leave it out
    batch_size = min(batch_size * parallel.processes(), len(labels) // parallel.processes() * parallel.processes())
    per_epoch = len(labels) // batch_size
    steps = epochs * per_epoch if updates is None else updates
    if not (epochs - 1) * per_epoch < steps <= epochs * per_epoch:
        raise SettingsError(
            f"Expected updates that end in the last of {epochs} epochs of {per_epoch} updates, got {updates}"
        )
    context = RuleContext(
        network=network,
        sample=sample or draw_from(space_of(network)),
        path_of=path_of or space_of(network).path,
        steps=steps,
        seed=seed,
    )
    made: UpdateRule = (find_rule(rule) if isinstance(rule, str) else rule)(context)
    if optimizer not in OPTIMIZERS:
        raise SettingsError(
            f"Expected an optimizer of {', '.join(OPTIMIZERS)}, got '{optimizer}'.{suggest(optimizer, OPTIMIZERS)}"
        )
    descent = OPTIMIZERS[optimizer](
        dict(network.named_parameters()), momentum=momentum, weight_decay=weight_decay, clip=clip
    )
    training = state.Training(
        network=network,
        optimizer=descent,
        rule=made,
        sampling=np.random.default_rng([seed, 0]),
        batches=torch.Generator().manual_seed(seed),
        sampler=context.sample,
        settings={
            "rule": rule if isinstance(rule, str) else state.name_of(rule),
            "epochs": epochs,
            **({} if updates is None else {"updates": updates}),
            "batch size": batch_size,
            "lr": [lr, lr_end],
            "optimizer": optimizer,
            **({} if precision == "float32" else {"precision": precision}),
            **({} if not compiled else {"compiled": True}),
            "momentum": momentum,
            "weight decay": weight_decay,
            "clip": clip,
            "augmentation": None if augment is None else state.name_of(augment),
            "seed": seed,
            "data": data.fingerprint,
        },
    )
    if compiled and made.summary is not None:
        raise SettingsError("Expected a rule such as 'uniform' for compiled blocks, got one that captures inputs")
    autocast(precision, next(network.parameters()).device)  # refuses an unknown one before anything begins
    history = History()
    if checkpoint is not None and Path(checkpoint).exists():
        log = state.resume(training, Path(checkpoint))
        history = History(log["epochs"], [Forgetting(**value) for value in log["forgetting"]])
    loop = _Loop(training, data, task or Classification(), augment, lr, lr_end, steps, batch_size, precision, compiled)
    was_training = network.training
    try:
        for epoch in range(len(history.epochs) + 1, epochs + 1):
            figures = loop.epoch(epoch, per_epoch, progress, probe)
            figures["passes"] += history.epochs[-1]["passes"] if history.epochs else 0
            history.epochs.append(figures)
            if probe is not None:
                history.forgetting += probe.after_epoch()
            state.refuse_broken(training, epoch, checkpoint)
            if checkpoint is not None and parallel.rank() == 0:
                state.save(training, Path(checkpoint), asdict(history))
    finally:
        descent.zero_grad()
        network.train(was_training)
    return history


@dataclass
class _Loop:
    """The steps of a training."""

    training: state.Training
    data: Source
    task: Task
    augment: Augmentation | None
    lr: float
    lr_end: float
    steps: int
    batch_size: int
    precision: str
    compiled: bool

    def epoch(
        self,
        epoch: int,
        per_epoch: int,
        progress: Callable[[Progress], None] | None,
        probe: ForgettingProbe | None,
    ) -> dict[str, float]:
        """Train for one epoch and return its figures."""
        own, part = self.training, self.data.train
        began, total, passes, lr = time.monotonic(), 0.0, 0, self.lr
        order = torch.randperm(len(part.labels), generator=own.batches)
        # Dropout draws from torch's global generator: within an epoch that is ours, afterwards as it was.
        devices = [part.images.device] if part.images.device.type == "cuda" else []
        with (
            torch.random.fork_rng(devices),
            parallel.synchronized_norms(own.network),
            compiled_blocks(own.network, "inductor" if self.compiled else None),
            ActivationCapture(own.network, own.rule.summary, getattr(own.rule, "captured_layers", None)) as capture,
        ):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=own.batches)) + parallel.rank())
            own.network.train()
            count = min(per_epoch, self.steps - (epoch - 1) * per_epoch)
            for step in range(count):
                done = (epoch - 1) * per_epoch + step
                lr = self.lr_end + 0.5 * (self.lr - self.lr_end) * (1.0 + math.cos(math.pi * done / self.steps))
                rows = order[step * self.batch_size : (step + 1) * self.batch_size].to(part.images.device)
                plan, loss = self._step(rows, capture, done, epoch, lr)
                total, passes = total + loss, passes + len(plan)
                if probe is not None:
                    probe.after_step(plan[0].architecture, step, count, done + 1, epoch)
                if progress is not None:
                    progress(Progress(done + 1, self.steps, epoch, loss))
        seconds = time.monotonic() - began
        figures = {"epoch": epoch, "loss": total / count, "lr": lr, "passes": passes, "seconds": seconds}
        return figures | own.rule.report()

    def _step(
        self, rows: Tensor, capture: ActivationCapture, done: int, epoch: int, lr: float
    ) -> tuple[list[Any], float]:
        own, part = self.training, self.data.train
        batch = part.images[rows]
        if self.augment is not None:
            batch = self.augment(batch, own.batches)
        images = self.data.normalize(parallel.mine(batch)).to(next(own.network.parameters()).dtype)
        images = images.contiguous(memory_format=torch.channels_last)
        labels = part.labels[parallel.mine(rows)]
        capture.clear()
        own.optimizer.zero_grad()
        plan = own.rule.plan(own.sampling)
        taught = {one.teacher for one in plan}
        outputs: dict[spaces.Path, Tensor] = {}
        total = 0.0
        for one in plan:
            with autocast(self.precision, images.device):
                logits = own.network(sized(images, one.architecture), one.path)
            logits = logits.to(images.dtype)
            if one.path in taught:
                outputs[one.path] = logits.detach()
            if one.teacher is None:
                loss = self.task.loss(logits, labels)
            elif one.teacher in outputs:
                loss = self.task.imitate(logits, outputs[one.teacher])
            else:
                raise SettingsError(f"Expected a teacher among the plan's earlier passes, got {one.teacher}")
            value = parallel.mean(float(loss.detach()))  # the same everywhere, so that all go on or none does
            if not math.isfinite(value):
                raise TrainingError(
                    f"Training diverged: the loss is {value} at step {done + 1} (epoch {epoch}) on the "
                    f"path {one} at learning rate {lr:.4g}; lower the learning rate or clip gradients "
                    "(the last good checkpoint is kept)"
                )
            torch.autograd.backward(loss * one.weight)
            total += value * one.weight
        parallel.average_gradients(own.network)
        own.optimizer.step(lr, own.rule.transform, capture.active_slices)
        own.rule.after_step(plan, capture.inputs)
        return plan, total
