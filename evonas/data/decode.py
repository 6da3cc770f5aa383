"""Encoded images (PNG, JPEG, …), in memory or in files; needs Pillow, of the extra `data`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.data.photo import DEEP, opened, read_photo
from evonas.errors import DataError, require
from evonas.files.size import Size, height_width

PROBE = 256  # images, evenly spaced, that are read to learn channels and size
KEPT = 256
"""Longer side up to which images of one size that are no squares keep it."""
PHOTO_RESOLUTION = 64  # where images differ in size and no resolution is asked for
THREADS_FROM = 128  # pixels of the shorter side; smaller images decode too quickly for threads to pay
SHOWN = 5
"""Images that an error names."""
GRAY = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")


class UndecodableError(DataError):
    """Images that cannot be decoded.

    Attributes:
        bad: Their names, and why each cannot be.
    """

    def __init__(self, bad: Mapping[str, str], of: int):
        names = list(bad)
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        super().__init__(
            f"{len(names)} of {of} images cannot be decoded: {shown} ({bad[names[0]]}); repair or remove them"
        )
        self.bad = dict(bad)


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """Images as files of some image format.

    Attributes:
        items: Each the bytes of a file, or a path to it.
        labels: int64, shape (n,).
        names: What to call each in an error.
        white: Value that means white in images of more than 8 bits; None: they are not known to be such.
        groups: Name of the group of each, shape (n,); None: not asked for.
        fit: How images that are no squares become such: ``crop``, ``pad`` or ``stretch``.
    """

    items: Sequence[bytes | Path]
    labels: np.ndarray
    names: Sequence[str]
    white: float | None = None
    groups: np.ndarray | None = None
    fit: str = "crop"

    def __len__(self) -> int:
        return len(self.items)

    def native(self) -> tuple[int, int]:
        """Return the channels and the resolution that suit these images.

        Channels: 1 where all images are gray, else 3. Resolution: their side where all are squares of one size, their
        longer side where all are of one size up to 256 pixels and shown whole; else 64, or their median shorter side
        where that is less. Estimated from up to 256 of them, evenly spaced.
        """
        gray, sizes = self._probe
        if len(set(sizes)) == 1 and (sizes[0][0] == sizes[0][1] or (self.fit != "crop" and max(sizes[0]) <= KEPT)):
            return 1 if gray else 3, max(sizes[0])
        return 1 if gray else 3, min(PHOTO_RESOLUTION, sorted(map(min, sizes))[len(sizes) // 2])

    def shape(self) -> tuple[int, int, int]:
        """Return channels, height and width that suit these images."""
        channels, side = self.native()
        return channels, side, side

    @cached_property
    def _probe(self) -> tuple[bool, list[tuple[int, int]]]:
        rows = np.unique(np.linspace(0, len(self) - 1, PROBE).astype(int))
        try:
            seen = self._each(_header, rows)
        except UndecodableError:
            if bad := self.unreadable():  # names every culprit, not those among the probed alone
                raise UndecodableError({self.names[row]: why for row, why in bad.items()}, len(self)) from None
            raise
        modes = {mode for mode, _ in seen}
        return modes <= set(GRAY), [size for _, size in seen]

    def extents(self) -> list[tuple[str, float, float]]:
        """Return type, least and largest value of each image of more than 8 bits.

        Raises:
            DataError: Some cannot be decoded.
        """
        modes = ["" if isinstance(head, str) else head[0] for head in self.headers()]
        return self._each(_extent, [row for row, mode in enumerate(modes) if mode.startswith(DEEP)])

    def deep(self, white: float) -> EncodedImages:
        """Return the same images, that value meaning white in those of more than 8 bits."""
        return self._with_headers(replace(self, white=white), range(len(self)))

    def read(self, rows: np.ndarray, channels: int, resolution: Size) -> torch.Tensor:
        """Decode the images of `rows` to uint8, shape (len(rows), channels, height, width).

        Raises:
            DataError: Some of them cannot be decoded; they are named.
        """
        pixels = np.empty((len(rows), channels, *height_width(resolution)), dtype=np.uint8)
        self._each(
            lambda item: decode(item, channels, resolution, self.white, self.fit),
            rows,
            threads=min(map(min, self._probe[1])) >= THREADS_FROM,
            into=pixels,
        )
        return torch.from_numpy(pixels)

    def unreadable(self) -> dict[int, str]:
        """Return the rows of images whose header cannot be read, and why, in order."""
        return {row: found for row, found in enumerate(self.headers()) if isinstance(found, str)}

    def headers(self) -> list[tuple[str, tuple[int, int]] | str]:
        """Return Pillow's mode and the width and height of every image; why, where it cannot be read."""
        return self._headers

    @cached_property
    def _headers(self) -> list[tuple[str, tuple[int, int]] | str]:
        results, bad = self._try(_header, list(range(len(self))))
        return [bad.get(row, found) for row, found in enumerate(results)]

    def digests(self) -> np.ndarray:
        """Return one hash per image, of its encoded bytes, uint8, shape (n, 16)."""
        joined = b"".join(self._each(_digest, np.arange(len(self))))
        return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)

    def take(self, rows: np.ndarray) -> EncodedImages:
        """Return the images of `rows` alone."""
        kept = EncodedImages(
            [self.items[i] for i in rows],
            self.labels[rows],
            [self.names[i] for i in rows],
            self.white,
            None if self.groups is None else self.groups[rows],
            self.fit,
        )
        return self._with_headers(kept, rows)

    def _with_headers(self, images: EncodedImages, rows: Iterable[int]) -> EncodedImages:
        """Return images that are rows of these, with the headers that were read of these."""
        if "_headers" in vars(self):
            vars(images)["_headers"] = [self._headers[row] for row in rows]
        return images

    def _each(
        self,
        function: Callable[[bytes | Path], Any],
        rows: Iterable[int],
        *,
        threads: bool = False,
        into: np.ndarray | None = None,
    ) -> list[Any]:
        """Apply `function` to the items of `rows`; name all that fail, not the first alone."""
        rows = list(rows)
        results, bad = self._try(function, rows, threads=threads, into=into)
        if bad:
            raise UndecodableError({self.names[row]: bad[row] for row in sorted(bad)}, len(rows))
        return results

    def _try(
        self,
        function: Callable[[bytes | Path], Any],
        rows: Sequence[int],
        *,
        threads: bool = False,
        into: np.ndarray | None = None,
    ) -> tuple[list[Any], dict[int, str]]:
        """Apply `function` to the items of `rows`; return results, and why rows failed."""
        require("PIL.Image", "data")
        bad: dict[int, str] = {}

        def run(index: int) -> Any:
            try:
                result = function(self.items[rows[index]])
            except MemoryError:
                raise
            except Exception as error:  # a decoder fed with garbage raises anything
                bad[int(rows[index])] = " ".join(str(error).partition(" <_io")[0].split()) or type(error).__name__
                return None
            if into is None:
                return result
            into[index] = result

        if threads:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                results = list(pool.map(run, range(len(rows))))
        else:
            results = [run(index) for index in range(len(rows))]
        return results, bad


def decode(
    item: bytes | Path, channels: int, resolution: Size, white: float | None = None, fit: str = "crop"
) -> np.ndarray:
    """Decode one image, turn it upright, and bring it to a size.

    Args:
        item: Bytes of an image file, or a path to it; the first frame of an animation is used.
        channels: 1 (gray) or 3 (RGB). What is transparent is shown on white.
        resolution: The size.
        white: Value that means white in an image of more than 8 bits; None: 65535 of integers, 1 of floats.
        fit: See `read_photo`.

    Returns:
        uint8, shape (channels, height, width).
    """
    require("PIL.Image", "data")
    draft = 2 * max(height_width(resolution))  # twice what is needed leaves the resampling to Pillow
    return read_photo(item, "L" if channels == 1 else "RGB", resolution, white, draft=draft, fit=fit)


def _extent(item: bytes | Path) -> tuple[str, float, float] | None:
    """Return type, least and largest value of an image of more than 8 bits; None: it has 8."""
    with opened(item) as file:
        if not file.mode.startswith(DEEP):
            return None
        values = np.asarray(file)
    return values.dtype.name, float(values.min()), float(values.max())


def _header(item: bytes | Path) -> tuple[str, tuple[int, int]]:
    with opened(item) as file:
        return file.mode, file.size


def _digest(item: bytes | Path) -> bytes:
    content = item if isinstance(item, bytes) else item.read_bytes()
    return hashlib.blake2b(content, digest_size=16).digest()
