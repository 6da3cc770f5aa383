"""Ends of a command by a signal: SIGTERM stops work as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Terminated", "stopped_by_sigterm"]


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends work in the same way as Ctrl-C."""


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Raise `Terminated` inside on SIGTERM; the handler that there was comes back at the end.

    Only the main thread of a process can handle signals; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
