"""Evaluation of paths on stand-alone copies, without touching the supernet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from evonas.data.lazy_images import LazyImages
from evonas.data.resize import resize
from evonas.errors import EvaluationError, SettingsError
from evonas.files.size import Size
from evonas.supernet.norms import reestimate_norms
from evonas.tasks import Classification, Task

KEPT = 2**27
"""Bytes of activations that later paths may begin from, in a search."""
NORM_IMAGES = 512
"""Images that norms of a path are estimated on, in a search and where a member inherits its weights."""


class Extractable(Protocol):
    """A supernet, as far as an evaluation needs it; inherit it, and what is optional has its default."""

    def keeps_statistics(self, architecture: Any) -> bool:
        """Return whether a path keeps the statistics of norms that the supernet holds; else they are estimated."""
        return False

    def extract(self, architecture: Any, own: Mapping[str, Tensor] | None = None) -> nn.Module:
        """Return a stand-alone copy with inherited weights."""
        ...

    def values(self) -> Mapping[str, Tensor]:
        """Return parameters and buffers by name."""
        ...


class ImagePart(Protocol):
    """A part of a data set."""

    @property
    def images(self) -> Tensor:
        """Images, uint8, shape (n, c, h, w)."""
        ...

    @property
    def labels(self) -> Tensor:
        """Targets, of the task's shape and type, n of them."""
        ...


class ImageData(Protocol):
    """A data set, as far as training and evaluation need it."""

    @property
    def train(self) -> ImagePart:
        """Part that weights are trained on."""
        ...

    @property
    def fingerprint(self) -> str:
        """Digest of what the data set holds."""
        ...

    def normalize(self, images: Tensor) -> Tensor:
        """Return uint8 images as the network reads them."""
        ...


class PathEvaluator:
    """Reads a path's score on a stand-alone copy whose batch norms are estimated for it, or kept as they are.

    The copy makes the result independent of what was evaluated before, and leaves the supernet as it is bit
    for bit.

    Args:
        network: The supernet.
        data: Data set; norms are estimated on its part `train`, not augmented.
        part: Images to read the score on: `data.search` in a search, `data.report` in its report.
        norm_images: Images that norms are estimated on, all in one batch; fewer only where there are fewer.
        batch_size: Images per forward pass otherwise.
        norm_batch: Images per pass where all `norm_images` at once need too much memory; None: at once.
        memory: Bytes of activations to keep, so that a path is computed only from where it leaves those read
            before. The score is the same bit for bit; but the supernet must not be trained meanwhile.
        task: What is measured; classification by default.

    Raises:
        SettingsError: A number is below 1, or the part is empty.
    """

    def __init__(
        self,
        network: Extractable,
        data: ImageData,
        part: ImagePart,
        *,
        norm_images: int = 320,
        batch_size: int = 200,
        norm_batch: int | None = None,
        memory: int = 0,
        task: Task | None = None,
    ) -> None:
        if norm_images < 1 or batch_size < 1 or (norm_batch is not None and norm_batch < 1):
            raise SettingsError(
                f"Expected at least one image per pass, got {norm_images}, {batch_size} and {norm_batch}"
            )
        if len(part.labels) == 0:
            raise SettingsError("Expected images to read a score on, got an empty part")
        self._network = network
        self._values = network.values()
        self._task = task or Classification()
        # Any prefix of a part is nearly stratified.
        norms = _channels_last(data.normalize(data.train.images[:norm_images]))
        self._norms = torch.split(norms, norm_batch or len(norms))
        self._lazy = isinstance(part.images, LazyImages)
        self._part, self._normalize, self._batch_size = part, data.normalize, batch_size
        self._images = () if self._lazy else torch.split(_channels_last(data.normalize(part.images)), batch_size)
        self._labels = torch.split(part.labels, batch_size)
        self._kept = Kept(memory)

    def prepare(self, architecture: Any) -> nn.Module:
        """Return the path's stand-alone copy, its norms estimated or kept, ready to evaluate."""
        network = self._copy(architecture)
        if not self._network.keeps_statistics(architecture):
            reestimate_norms(network, self._sized(self._norms, architecture, network))
        return network.eval()

    def __call__(self, architecture: Any) -> Mapping[str, float]:
        """Return the named means of an architecture's path: what the task makes of its figures.

        Raises:
            EvaluationError: The outputs are not finite.
        """
        return self._task.score(self.each(architecture))

    def each(self, architecture: Any) -> Mapping[str, Tensor]:
        """Return what the score is made of: the task's figures of every image, each of shape (n, ...).

        Raises:
            EvaluationError: The outputs are not finite.
        """
        if self._lazy:
            return _each(self._outputs(architecture), self._labels, self._task)
        network = self._copy(architecture).eval()
        kept = self._network.keeps_statistics(architecture)
        segments = network.segments() if isinstance(network, Segmented) else [("", network)]
        names = [f"{architecture.resolution} {kept}", *(name for name, _ in segments)]
        done, state = self._kept.longest(names)
        if state is None:
            done = 1
            state = (
                self._sized(self._norms, architecture, network),
                self._sized(self._images, architecture, network),
            )
        for run, (_, segment) in enumerate(segments[done - 1 :], start=done + 1):
            state = _run(segment, *state, kept)
            self._kept.put(names[:run], state)
        return _each(state[1], self._labels, self._task)

    @torch.inference_mode()
    def _outputs(self, architecture: Any) -> list[Tensor]:
        """Return the outputs of images that are decoded batch by batch, the values those of images in memory."""
        network = self.prepare(architecture)
        found = []
        for start in range(0, len(self._part.labels), self._batch_size):
            images = _channels_last(self._normalize(self._part.images[start : start + self._batch_size]))
            found.append(network(*self._sized([images], architecture, network)))
        return found

    def _copy(self, architecture: Any) -> nn.Module:
        copy = self._network.extract(architecture, self._values)
        copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types leave it out
        return copy

    def _sized(self, batches: Sequence[Tensor], architecture: Any, network: nn.Module) -> list[Tensor]:
        dtype = next((p.dtype for p in network.parameters()), torch.float32)
        return [sized(batch, architecture.resolution).to(dtype) for batch in batches]


@runtime_checkable
class Segmented(Protocol):
    """A stand-alone network that runs in parts one after the other."""

    def segments(self) -> list[tuple[str, nn.Module]]:
        """Return the parts with their names."""
        ...


@torch.inference_mode()
def _run(segment: nn.Module, norms: list[Tensor], images: list[Tensor], kept: bool) -> State:
    """Estimate a part's norms, and return what it makes of the images for that and of those to be read.

    Where statistics are kept the images for the estimate are left alone: nothing reads what comes of them.
    """
    after = norms if kept else reestimate_norms(segment, norms)
    segment.eval()
    return after, [segment(batch) for batch in images]


State = tuple[list[Tensor], list[Tensor]]
"""Activations of the images that norms are estimated on, and of those that are read."""


class Kept:
    """Activations by the names of what has run, those least recently used given up first.

    Args:
        memory: Most bytes to keep.
    """

    def __init__(self, memory: int) -> None:
        self._memory, self._bytes = memory, 0
        self._states: OrderedDict[tuple[str, ...], State] = OrderedDict()

    def longest(self, names: Sequence[str]) -> tuple[int, State | None]:
        """Return how many of the names have run already, and their activations; 0 and None: nothing has."""
        for done in range(len(names) - 1, 1, -1):  # the outputs of whole networks are not kept
            key = tuple(names[:done])
            if key in self._states:
                self._states.move_to_end(key)
                return done, self._states[key]
        return 0, None

    def put(self, names: Sequence[str], state: State) -> None:
        """Keep activations, where there is room for four of the size."""
        size = sum(tensor.nbytes for side in state for tensor in side)
        key = tuple(names)
        if 4 * size > self._memory or key in self._states:
            return
        self._states[key] = state
        self._bytes += size
        while self._bytes > self._memory:
            _, gone = self._states.popitem(last=False)
            self._bytes -= sum(tensor.nbytes for side in gone for tensor in side)


def sized(images: Tensor, resolution: Size | None) -> Tensor:
    """Return images at the resolution that an architecture chooses; as they are where it chooses none."""
    return images if resolution is None else _channels_last(resize(images, resolution))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def score_network(
    network: nn.Module, images: Sequence[Tensor], labels: Sequence[Tensor], *, task: Task | None = None
) -> Mapping[str, float]:
    """Return a network's named means on batches of normalized images.

    Args:
        network: Stand-alone, in evaluation mode.
        images: Batches (n, c, h, w).
        labels: Batches (n, ...).
        task: What is measured; classification by default.

    Raises:
        EvaluationError: The outputs are not finite.
    """
    dtype = next((p.dtype for p in network.parameters()), torch.float32)
    task = task or Classification()
    return task.score(_each([network(batch.to(dtype)) for batch in images], labels, task))


def _each(outputs: Sequence[Tensor], labels: Sequence[Tensor], task: Task) -> Mapping[str, Tensor]:
    parts = [task.measure(*pair) for pair in zip(outputs, labels, strict=True)]
    found = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    for name, values in found.items():
        if not bool(torch.isfinite(values).all()):
            raise EvaluationError(f"The network's {name} is {float(values.mean())} with its inherited weights")
    return found
