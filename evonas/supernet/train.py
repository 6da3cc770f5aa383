"""Training of a supernet: in each step the rule's plan on one batch, then one update."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evonas import spaces
from evonas.errors import SettingsError, TrainingError
from evonas.supernet import parallel
from evonas.supernet.activation_capture import ActivationCapture
from evonas.supernet.evaluate import ImageData, sized
from evonas.supernet.forgetting import Forgetting, ForgettingProbe
from evonas.supernet.norm_modes import fixed_norms
from evonas.supernet.norm_names import check_norms
from evonas.supernet.precision import autocast, compiled_blocks
from evonas.supernet.rules.contract import Pass, RuleContext, RuleFactory, space_of
from evonas.supernet.rules.registry import make_rule
from evonas.supernet.sampling import SpaceSampler, as_sampler
from evonas.supernet.settings import Schedule, SupernetSettings
from evonas.supernet.state import SupernetState, name_of
from evonas.tasks import Classification, Task

Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class TrainingStep:
    """Progress of a training.

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
    """History of a training.

    Attributes:
        epochs: Per epoch: `epoch` (from 1), `loss` (mean over updates), `lr` (at its end), `passes`
            (forward and backward passes so far), `seconds`, and what the rule reports; of a training that was cut
            short `cut`, the updates done.
        forgetting: Forgetting values, where they were asked for.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    forgetting: list[Forgetting] = field(default_factory=list)


def train_supernet(
    network: nn.Module,
    data: ImageData,
    rule: str | RuleFactory,
    settings: SupernetSettings,
    *,
    sample: Callable[[np.random.Generator], Any] | None = None,
    path_of: Callable[[Any], spaces.Path] | None = None,
    augment: Augmentation | None = None,
    task: Task | None = None,
    checkpoint: Path | None = None,
    progress: Callable[[TrainingStep], None] | None = None,
    probe: ForgettingProbe | None = None,
    device: torch.device | str | None = None,
    over: Callable[[], bool] | None = None,
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
        settings: Epochs, batch, optimizer, learning rate, seed and the like.
        sample: Draws an architecture, such as `make_sampler` makes; None: every choice of `network.space` uniform.
        path_of: From an architecture to its path; None: `network.space.path`.
        augment: Random changes of uint8 batches, drawn from a generator on the CPU; None: none.
        task: Loss; image classification by default.
        checkpoint: File that is written after every epoch. Where it exists the training goes on from it.
        progress: Called after every update.
        probe: Reads forgetting values.
        device: Where to train; None: where the network is. The data must be there.
        over: Asked after every update, of one process alone: once it says yes the training ends there, and so does
            every one that goes on from its checkpoint; the last epoch's figures then hold ``cut``. None: never.

    Returns:
        What the training went through, also before a resume.

    Raises:
        SettingsError: A setting is out of range, or rule, sampler and network do not fit together.
        TrainingError: The loss or a weight is no longer finite (the last good checkpoint is kept), or the
            checkpoint is damaged or of another training.
    """
    schedule = settings.schedule(len(data.train.labels), parallel.processes())
    if device is not None:
        network.to(device)
    # Twice as fast on CPUs: most of the work is depthwise.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types leave it out
    sampler = as_sampler(sample or SpaceSampler(space_of(network)))
    context = RuleContext(
        network, sampler, path_of or space_of(network).path, schedule.steps, settings.seed, settings.norms
    )
    made = make_rule(rule, context)
    if settings.norms == "protected" and not made.guards_norms:
        check_norms(settings.norms, rule if isinstance(rule, str) else name_of(rule))
        raise SettingsError("Expected a rule that protects norms for norms 'protected', such as 'disturbance-immune'")
    if settings.compiled and made.summary is not None:
        raise SettingsError("Expected a rule such as 'uniform' for compiled blocks, got one that captures inputs")
    state = SupernetState(
        network=network,
        optimizer=settings.make_optimizer(network),
        rule=made,
        sampler=sampler,
        sampling=np.random.default_rng([settings.seed, 0]),
        batches=torch.Generator().manual_seed(settings.seed),
        identity={
            "rule": rule if isinstance(rule, str) else name_of(rule),
            **settings.identity(schedule),
            "augmentation": None if augment is None else name_of(augment),
            "data": data.fingerprint,
        },
    )
    loop = _Loop(state, data, settings, schedule, task or Classification(), augment, progress, probe, over)
    with fixed_norms(network, settings.norms):
        return loop.run(None if checkpoint is None else Path(checkpoint))


@dataclass
class _Loop:
    """The epochs of a training, and the updates of an epoch."""

    state: SupernetState
    data: ImageData
    settings: SupernetSettings
    schedule: Schedule
    task: Task
    augment: Augmentation | None
    progress: Callable[[TrainingStep], None] | None
    probe: ForgettingProbe | None
    over: Callable[[], bool] | None

    def run(self, checkpoint: Path | None) -> History:
        """Train all epochs that a checkpoint has not, and return the history of all."""
        history = History()
        if checkpoint is not None and checkpoint.exists():
            log = self.state.resume(checkpoint)
            history = History(log["epochs"], [Forgetting(**value) for value in log["forgetting"]])
        network = self.state.network
        was_training = network.training
        try:
            for epoch in range(len(history.epochs) + 1, self.settings.epochs + 1):
                if history.epochs and "cut" in history.epochs[-1]:
                    break
                figures = self._epoch(epoch)
                figures["passes"] += history.epochs[-1]["passes"] if history.epochs else 0
                history.epochs.append(figures)
                if self.probe is not None:
                    history.forgetting += self.probe.after_epoch()
                self.state.refuse_broken(epoch, checkpoint)
                if checkpoint is not None and parallel.rank() == 0:
                    self.state.save(checkpoint, asdict(history))
        finally:
            self.state.optimizer.zero_grad()
            network.train(was_training)
        return history

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Train for one epoch and return its figures."""
        state, images, size = self.state, self.data.train.images, self.schedule.batch
        began, total, passes, lr = time.monotonic(), 0.0, 0, self.schedule.lr
        cut: dict[str, float] = {}
        order = torch.randperm(len(self.data.train.labels), generator=state.batches)
        # Dropout draws from torch's global generator: within an epoch that is ours, afterwards as it was.
        devices = [images.device] if images.device.type == "cuda" else []
        with (
            torch.random.fork_rng(devices),
            parallel.synchronized_norms(state.network),
            compiled_blocks(state.network, "inductor" if self.settings.compiled else None),
            ActivationCapture(state.network, state.rule.summary, state.rule.captured_layers) as capture,
        ):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=state.batches)) + parallel.rank())
            state.network.train()
            count, before = self.schedule.updates(epoch), self.schedule.before(epoch)
            for index in range(count):
                done = before + index
                lr = self.schedule.rate(done)
                rows = order[index * size : (index + 1) * size].to(images.device)
                plan, loss = self._update(rows, capture, lr, f"step {done + 1} (epoch {epoch})")
                total, passes = total + loss, passes + len(plan)
                if self.probe is not None:
                    self.probe.after_step(plan[0].architecture, index, count, done + 1, epoch)
                if self.progress is not None:
                    self.progress(TrainingStep(done + 1, self.schedule.steps, epoch, loss))
                if self.over is not None and done + 1 < self.schedule.steps and self.over():
                    count, cut = index + 1, {"cut": float(done + 1)}
                    break
        seconds = time.monotonic() - began
        figures = {"epoch": epoch, "loss": total / count, "lr": lr, "passes": passes, "seconds": seconds}
        return figures | state.rule.report() | cut

    def _update(self, rows: Tensor, capture: ActivationCapture, lr: float, where: str) -> tuple[list[Pass], float]:
        """Plan and apply one update; return its passes and its loss."""
        state = self.state
        images, labels = self._batch(rows)
        capture.clear()
        state.optimizer.zero_grad()
        plan = state.rule.plan(state.sampling)
        loss = self._backward(plan, images, labels, lr, where)
        parallel.average_gradients(state.network)
        state.optimizer.step(lr, state.rule.transform, capture.active_slices)
        state.rule.after_step(plan, capture.inputs)
        return plan, loss

    def _batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return this process's images, augmented and normalized, and its labels."""
        part = self.data.train
        batch = part.images[rows]
        if self.augment is not None:
            batch = self.augment(batch, self.state.batches)
        images = self.data.normalize(parallel.mine(batch)).to(next(self.state.network.parameters()).dtype)
        return images.contiguous(memory_format=torch.channels_last), part.labels[parallel.mine(rows)]

    def _backward(self, plan: Sequence[Pass], images: Tensor, labels: Tensor, lr: float, where: str) -> float:
        """Add up the gradients of all passes and return the sum of their losses, each by its weight."""
        teachers = {one.teacher for one in plan}
        outputs: dict[spaces.Path, Tensor] = {}
        total = 0.0
        for one in plan:
            with autocast(self.settings.precision, images.device):
                logits = self.state.network(sized(images, one.resolution), one.path)
            logits = logits.to(images.dtype)
            if one.path in teachers:
                outputs[one.path] = logits.detach()
            loss = self._loss(one, logits, labels, outputs)
            value = parallel.mean(float(loss.detach()))  # the same everywhere, so that all go on or none does
            if not math.isfinite(value):
                raise TrainingError(
                    f"Training diverged: the loss is {value} at {where} on the path {one} at learning rate {lr:.4g}; "
                    "lower the learning rate or clip gradients (the last good checkpoint is kept)"
                )
            torch.autograd.backward(loss * one.weight)
            total += value * one.weight
        return total

    def _loss(self, one: Pass, logits: Tensor, labels: Tensor, outputs: dict[spaces.Path, Tensor]) -> Tensor:
        """Return the loss of a pass: against labels, or against the outputs of an earlier pass that is its teacher."""
        if one.teacher is None:
            return self.task.loss(logits, labels)
        if one.teacher not in outputs:
            raise SettingsError(f"Expected a teacher among the plan's earlier passes, got {one.teacher}")
        return self.task.imitate(logits, outputs[one.teacher])
