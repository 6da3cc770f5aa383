"""Memory that images take once decoded, estimated before they are, and what is free."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evonas.errors import DataError
from evonas.files.size import Size, height_width, size_text

__all__ = ["free_memory", "memory_in_words", "refuse_too_large"]

MEMORY = Path("/proc/meminfo")
ENDED = ("can't allocate memory", "not enough memory", "out of memory")
"""What torch's allocators say."""
ADVICE = "lower --resolution, read fewer images by --train-limit, or decode them as they are needed by --lazy"


def free_memory() -> int | None:
    """Return the bytes that this process can still take; None where the system does not say.

    The least of what the system has available and what a limit on the process's address space (``ulimit -v``) leaves.
    """
    found: list[int] = []
    try:
        fields = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        found.append(int(fields["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        pass
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        except (OSError, ValueError):
            used = 0
        found.append(max(0, limit - used))
    return min(found, default=None)


def refuse_too_large(count: int, channels: int, size: Size, name: str) -> str:
    """Return in words what `count` decoded images take; refuse more than is free.

    Args:
        count: Images that are decoded at once.
        channels: Channels of each.
        size: Size of each.
        name: Short name of the data.

    Raises:
        DataError: They take more than is free.
    """
    height, width = height_width(size)
    needed, free = count * channels * height * width, free_memory()
    if free is not None and needed > free:
        raise DataError(
            f"The {count:,} images of '{name}' take {_size(needed)} at {size_text(size)} pixels, {_size(free)} are "
            f"free: {ADVICE}"
        )
    return f"{_size(needed)} at {size_text(size)} px"


@contextmanager
def memory_in_words(name: str) -> Iterator[None]:
    """Turn whatever an allocator raises when memory ends into one sentence.

    Args:
        name: Short name of the data that are read.

    Raises:
        DataError: Memory ended.
    """
    try:
        yield
    except MemoryError as error:
        raise DataError(f"Memory ended while '{name}' was read: {ADVICE}") from error
    except RuntimeError as error:
        if not any(words in str(error).lower() for words in ENDED):
            raise
        raise DataError(f"Memory ended while '{name}' was read: {ADVICE}") from error


def _size(count: int) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e9:.2g} GB" if count >= 10**8 else f"{max(count / 1e6, 0.01):.2g} MB"
