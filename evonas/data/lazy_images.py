"""Images that are decoded when a batch of them is read: for data larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_map_only

from evonas.data.decode import UndecodableError
from evonas.data.memory import free_memory
from evonas.data.resize import CHUNK, resize
from evonas.data.source import Images
from evonas.files.size import Size, height_width, make_size

__all__ = ["DecodedCache", "LazyImages", "chunks_of", "usual_cache"]

MOST_KEPT = 2**30
"""Bytes of decoded images that are kept at most; a quarter of what is free where that is less."""


SHAPES = frozenset({"__len__", "size", "dim", "numel", "nelement", "element_size", "ndimension", "is_contiguous"})
"""Functions of a tensor that read no value."""


class DecodedCache:
    """Decoded images by their row, kept until a number of bytes is reached.

    What is kept stays: batches draw rows at random, so that any choice of as many images is as good as another, and one
    that never changes costs nothing.

    Args:
        most: Bytes.
    """

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self._kept: dict[int, torch.Tensor] = {}

    def read(self, rows: np.ndarray, decode: Callable[[np.ndarray], torch.Tensor]) -> torch.Tensor:
        """Return images of rows: those kept, and the others decoded in one go.

        Args:
            rows: Shape (n,).
            decode: Returns the images of rows, uint8, shape (n, c, h, w).
        """
        lacking = np.array([i for i, row in enumerate(rows.tolist()) if row not in self._kept], dtype=np.int64)
        fresh = decode(rows[lacking])
        if len(lacking) == len(rows):
            found = fresh
        else:
            found = fresh.new_empty(len(rows), *fresh.shape[1:])
            found[torch.from_numpy(lacking)] = fresh
            for i, row in enumerate(rows.tolist()):
                if (kept := self._kept.get(row)) is not None:
                    found[i] = kept
        for i, image in zip(lacking.tolist(), fresh, strict=True):
            if self.held + image.nbytes > self.most:
                break
            if int(rows[i]) not in self._kept:
                self._kept[int(rows[i])] = image.clone()
                self.held += image.nbytes
        return found


class LazyImages(torch.Tensor):
    """Images of some rows of a source: a tensor, uint8, of shape (n, c, h, w), whose values are decoded when read.

    What is indexed is decoded: ``images[rows]`` and ``images[a:b]`` are plain tensors. `torch.split`, `torch.cat` and
    ``to(device)`` give lazy ones; any other operation decodes all of them. Values are those of `Images.read`.
    """

    source: Images
    rows: np.ndarray
    cache: DecodedCache
    then: tuple[Size, ...]

    @staticmethod
    def __new__(
        cls,
        source: Images,
        rows: np.ndarray,
        shape: tuple[int, int, int],
        cache: DecodedCache,
        device: torch.device | str = "cpu",
        then: tuple[Size, ...] = (),
    ) -> LazyImages:
        """Return images of a source.

        Args:
            source: Where they are read.
            rows: Which, shape (n,).
            shape: Channels, height and width that they are decoded to.
            cache: Where decoded images of that source are kept.
            device: Where what is decoded goes.
            then: Sizes that decoded images are resized to, one after the other.
        """
        size = (len(rows), *shape) if not then else (len(rows), shape[0], *height_width(then[-1]))
        made: LazyImages = torch.Tensor._make_wrapper_subclass(
            cls, size, dtype=torch.uint8, device=torch.device(device)
        )
        made.source, made.rows, made.cache, made.then = source, rows, cache, then
        made._decoded = shape
        return made

    _decoded: tuple[int, int, int]

    def decoded(self, rows: np.ndarray) -> torch.Tensor:
        """Return the images at some positions as a plain tensor.

        Raises:
            UndecodableError: Some cannot be decoded.
        """
        channels, size = self._decoded[0], make_size(*self._decoded[1:])
        images = self.cache.read(self.rows[rows], lambda these: self.source.read(these, channels, size))
        for resolution in self.then:
            images = resize(images, resolution)
        return images.to(self.device)

    def taken(self, rows: np.ndarray) -> LazyImages:
        """Return the images at some positions, still lazy."""
        return LazyImages(self.source, self.rows[rows], self._decoded, self.cache, self.device, self.then)

    def at(self, resolution: Size) -> LazyImages:
        """Return them resized from what they are now, still lazy."""
        return LazyImages(self.source, self.rows, self._decoded, self.cache, self.device, (*self.then, resolution))

    def to(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return them on a device, still lazy; in another type, decoded."""
        if len(args) == 1 and not kwargs and isinstance(args[0], str | torch.device):
            return LazyImages(self.source, self.rows, self._decoded, self.cache, args[0], self.then)
        return self.decoded(np.arange(len(self))).to(*args, **kwargs)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]  # torch's stub has no names
        return f"LazyImages(shape={tuple(self.shape)}, device={self.device})"

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Carry out an operation: on rows alone where it can be, else on decoded images."""
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        first = args[0] if args else None
        if name == "__get__" or name in SHAPES:
            with torch._C.DisableTorchFunctionSubclass():
                return function(*args, **kwargs)
        if isinstance(first, LazyImages) and kwargs.get("dim", 0) == 0 and len(kwargs) <= ("dim" in kwargs):
            every = np.arange(len(first))
            if name == "__getitem__" and (rows := _rows_of(args[1], every)) is not None:
                return first.decoded(rows)
            if name == "split" and len(args) == 2 and isinstance(args[1], int):
                return tuple(first.taken(every[i : i + args[1]]) for i in range(0, len(first), args[1]))
        if name in ("cat", "concat") and len(args) == 1 and kwargs.get("dim", 0) == 0:
            return _joined(args[0])
        plain_args, plain_kwargs = tree_map_only(LazyImages, _all_of, (args, kwargs))
        return function(*plain_args, **plain_kwargs)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch's stub leaves out that it is a class method
        cls, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Carry out what torch's own code asks for, on decoded images."""
        plain_args, plain_kwargs = tree_map_only(LazyImages, _all_of, (args, kwargs or {}))
        return function(*plain_args, **plain_kwargs)


def _rows_of(index: Any, every: np.ndarray) -> np.ndarray | None:
    """Return the rows that an index of the first axis alone means; None: it is another index."""
    if isinstance(index, slice):
        return every[index]
    if isinstance(index, torch.Tensor) and index.ndim == 1:
        rows: np.ndarray = every[index.cpu().numpy()]
        return rows
    return None


class _Several:
    """Sources one after the other, as `LazyImages` reads one."""

    def __init__(self, parts: Sequence[LazyImages]) -> None:
        self.parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def read(self, rows: np.ndarray, channels: int, resolution: Size) -> torch.Tensor:
        """Return the images of rows, as the parts give them."""
        which = np.searchsorted(self._ends, rows, side="right")
        found = torch.empty(len(rows), *self.parts[0].shape[1:], dtype=torch.uint8)
        for k, part in enumerate(self.parts):
            own = np.flatnonzero(which == k)
            if len(own):
                start = int(self._ends[k]) - len(part)
                found[torch.from_numpy(own)] = part.decoded(rows[own] - start).cpu()
        return found


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return images one after the other: lazy where all are."""
    lazy = [part for part in parts if isinstance(part, LazyImages)]
    if len(lazy) < len(parts):
        return torch.cat([_all_of(part) if isinstance(part, LazyImages) else part for part in parts])
    shape = (lazy[0].shape[1], lazy[0].shape[2], lazy[0].shape[3])
    several: Any = _Several(lazy)  # their own caches keep what they decode
    return LazyImages(several, np.arange(sum(map(len, lazy))), shape, DecodedCache(0), lazy[0].device)


def _all_of(images: LazyImages) -> torch.Tensor:
    return images.decoded(np.arange(len(images)))


def usual_cache() -> DecodedCache:
    """Return a cache of `MOST_KEPT` bytes, or of a quarter of what is free."""
    free = free_memory()
    return DecodedCache(MOST_KEPT if free is None else min(MOST_KEPT, free // 4))


def chunks_of(parts: Sequence[torch.Tensor]) -> Iterator[tuple[int, torch.Tensor]]:
    """Go once through images of parts, in plain chunks with the number of their part.

    Raises:
        UndecodableError: Some of them cannot be decoded; all such are named, at the end.
    """
    bad: dict[str, str] = {}
    for number, part in enumerate(parts):
        for start in range(0, len(part), CHUNK):
            try:
                chunk = part[start : start + CHUNK]
            except UndecodableError as error:
                bad |= error.bad
                continue
            yield number, chunk
    if bad:
        raise UndecodableError(bad, sum(map(len, parts)))
