"""Ends of a command by a signal: SIGTERM stops work as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

__all__ = ["INTERRUPTED", "check_stopped", "exit_code", "signals_stop", "words_when_stopped"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 128 + signal.SIGINT
"""Exit code of a command that Ctrl-C ended."""

_came: list[int] = []  # signals are the process's own, so what came stands here once


@contextmanager
def signals_stop() -> Iterator[None]:
    """Raise `KeyboardInterrupt` inside on SIGINT and SIGTERM; the handlers that there were come back at the end.

    Python loses an exception that a handler raises while a destructor or a callback of a library runs, and some
    libraries turn it into one of their own. So what came is remembered: `check_stopped` raises again, and
    `exit_code` recognizes an interruption whatever exception it ended with.

    Only the main thread of a process can handle signals; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _came.clear()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup and shells' background jobs ask
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _came.clear()


def _stop(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt


def check_stopped() -> None:
    """Raise `KeyboardInterrupt` where a signal to stop came before and the exception for it was lost."""
    if _came:
        raise KeyboardInterrupt


def exit_code(error: BaseException) -> int | None:
    """128 and the number of the signal that ended the work; None where the error is one in its own right."""
    if _came:
        return 128 + _came[0]
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else None


@contextmanager
def words_when_stopped(words: Callable[[], str]) -> Iterator[None]:
    """End the command with a line on standard error where a signal stopped the work inside.

    Args:
        words: Gives the line, asked for when it is needed.

    Raises:
        typer.Exit: The work was stopped; the code is `exit_code`'s.
    """
    try:
        yield
    except BaseException as error:
        code = exit_code(error)
        if code is None:
            raise
        typer.echo(f"\n{words()}", err=True)
        raise typer.Exit(code) from None
