"""The cost of sharing weights beside stand-alone networks, and of disturbance-immune updates beside plain ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.benchmarks.stopwatch import Stepwise, peak_bytes, take_turns
from evonas.data import Part
from evonas.files.size import make_size
from evonas.networks import Network, build
from evonas.spaces import Architecture, Skeleton, Space
from evonas.supernet import PathEvaluator, SupernetSettings, train_supernet
from evonas.supernet.evaluate import score_network
from evonas.supernet.sampling import SpaceSampler

RULES = {"uniform": "uniform", "immune": "disturbance-immune"}
WARM = 3
"""Updates before those that count."""
PROFILED = 4
"""Updates whose memory is traced."""
NORM_IMAGES = 320
"""Images that a path's batch norms are estimated on."""


class SupernetAmount(Protocol):
    """Amount that is measured; see `evonas.benchmarks.overhead.Amount`."""

    @property
    def channels(self) -> int:
        """Channels of the supernet."""

    @property
    def cells(self) -> int:
        """Cells of the supernet."""

    @property
    def batch(self) -> int:
        """Images of a batch."""

    @property
    def steps(self) -> int:
        """Paired updates."""

    @property
    def paths(self) -> int:
        """Paths whose accuracy is read."""

    @property
    def images(self) -> int:
        """Images that accuracy is read on."""


@dataclass(frozen=True)
class _Images:
    """Images that a training reads, whose content changes no cost."""

    train: Part
    fingerprint: str = "overhead"

    def normalize(self, images: Tensor) -> Tensor:
        return images.float().div_(255.0).sub_(0.5).div_(0.25)


def supernet_overhead(
    space: Space, images: Tensor, labels: Tensor, classes: int, amount: SupernetAmount, seed: int
) -> dict[str, Any]:
    """Measure paired updates and readings of accuracy; every rule runs at its defaults.

    Both rules and the stand-alone networks train the same paths on batches of the same size, in turns.

    Args:
        space: The space.
        images: uint8, shape (n, 3, side, side); repeated where more are needed.
        labels: Shape (n,).
        classes: Number of classes.
        amount: Sizes, updates and paths.
        seed: Of weights, paths and batches.

    Returns:
        ``disturbance_immune_over_uniform``, ``uniform_over_standalone`` (updates), ``accuracy_over_standalone``
        (reading a path's accuracy, copy and batch norms included, over measuring the finished copy),
        ``peak_bytes_over_uniform`` (weights and the rule's state included), ``trace_over_d`` after the
        updates, and quartiles of the ratios.
    """
    skeleton = space.skeleton(
        "search",
        channels=amount.channels,
        cells=amount.cells,
        classes=classes,
        resolution=make_size(images.shape[-2], images.shape[-1]),
    )
    steps = WARM + amount.steps
    data = _Images(_take(images, labels, steps * amount.batch))
    with ExitStack() as stack:
        rules = {name: _Training(space, skeleton, data, name, amount.batch, seed) for name in RULES}
        for training in rules.values():
            stack.callback(training.steps.close)
        alone = _Alone(rules["uniform"], data, amount.batch)
        parts = {name: training.steps.step for name, training in rules.items()}
        seconds: dict[str, list[float]] = {"uniform": [], "immune": [], "alone": []}
        for _ in range(steps):
            turn = take_turns(parts, 1, warm=0)
            parts = dict(reversed(parts.items()))
            alone.prepare()
            turn |= take_turns({"alone": alone.step}, 1, warm=0)
            for name, values in turn.items():
                seconds[name].append(float(values[0]))
        history = rules["immune"].steps.finish()
    cost = {name: np.array(values[WARM:]) for name, values in seconds.items()}
    peaks = {name: _peak(space, skeleton, data, name, amount.batch, seed) for name in RULES}
    reading = _reading(rules["uniform"], data, _take(images, labels, amount.images), amount.paths)
    ratios = {
        "disturbance_immune_over_uniform": cost["immune"] / cost["uniform"],
        "uniform_over_standalone": cost["uniform"] / cost["alone"],
        "accuracy_over_standalone": reading,
    }
    return {
        **{name: float(np.median(values)) for name, values in ratios.items()},
        **{f"{name}_quartiles": np.quantile(values, [0.25, 0.75]).tolist() for name, values in ratios.items()},
        "peak_bytes_over_uniform": peaks["immune"] / peaks["uniform"],
        "trace_over_d": history.epochs[-1]["trace_over_d"],
    }


class _Training:
    """The training of a supernet by a rule, one update at a time."""

    def __init__(self, space: Space, skeleton: Skeleton, data: _Images, rule: str, batch: int, seed: int) -> None:
        self.network: Network = build(space, skeleton, seed=seed)
        self.drawn: list[Architecture] = []
        draw = SpaceSampler(space)

        def sample(rng: np.random.Generator) -> Architecture:
            self.drawn.append(draw(rng))
            return self.drawn[-1]

        self.train: Callable[[Any], Any] = lambda progress: train_supernet(
            self.network,
            data,
            RULES[rule],
            SupernetSettings(epochs=1, batch_size=batch, seed=seed),
            sample=sample,
            progress=progress,
        )
        self.steps = Stepwise(self.train)


class _Alone:
    """An update of the path that a supernet has just updated, as a stand-alone network."""

    def __init__(self, training: _Training, data: _Images, batch: int) -> None:
        self._training, self._data, self._batch = training, data, batch

    def prepare(self) -> None:
        """Take the path's copy, and train it once, so that the optimizer has its moments."""
        network = self._training.network.extract(self._training.drawn[-1])
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types leave it out
        self._network = network.train()
        self._optimizer = torch.optim.AdamW(self._network.parameters(), lr=0.01, weight_decay=3e-4)
        self.step()

    def step(self) -> None:
        """Update the weights as the supernet's training does."""
        part = self._data.train
        rows = torch.randperm(len(part))[: self._batch]
        images = self._data.normalize(part.images[rows]).contiguous(memory_format=torch.channels_last)
        self._optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(self._network(images), part.labels[rows]))
        nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimizer.step()


def _peak(space: Space, skeleton: Skeleton, data: _Images, rule: str, batch: int, seed: int) -> int:
    """Return the most bytes that a few updates hold, weights included."""
    few = _Images(_take(data.train.images, data.train.labels, PROFILED * batch))
    training = _Training(space, skeleton, few, rule, batch, seed)
    training.steps.close()
    weights = sum(value.numel() * value.element_size() for value in training.network.values().values())
    return weights + peak_bytes(lambda: training.train(None))


def _reading(training: _Training, data: _Images, part: Part, paths: int) -> np.ndarray:
    """Return the cost of reading a path's accuracy over that of measuring its finished copy, path by path."""
    evaluator = PathEvaluator(training.network, data, part, norm_images=NORM_IMAGES)
    images = torch.split(data.normalize(part.images).contiguous(memory_format=torch.channels_last), 500)
    labels = torch.split(part.labels, 500)
    ratios = []
    for number, architecture in enumerate(training.drawn[:paths]):
        finished = evaluator.prepare(architecture)
        seconds = take_turns(
            {
                "path": partial(evaluator, architecture),
                "alone": partial(score_network, finished, images, labels),
            },
            rounds=1,
            warm=int(number == 0),
        )
        ratios.append(seconds["path"] / seconds["alone"])
    return np.concatenate(ratios)


def _take(images: Tensor, labels: Tensor, n: int) -> Part:
    rows = torch.arange(n) % len(labels)
    return Part(images[rows], labels[rows])
