"""Costs measured side by side: turns taken in one process, processor seconds, peak memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile


def take_turns(parts: Mapping[str, Callable[[], Any]], rounds: int, *, warm: int = 1) -> dict[str, np.ndarray]:
    """Return the processor seconds of every part in every round.

    Parts take turns within a round, another one first each time, so that what else the machine does falls on
    all of them alike; processor seconds leave out what it does meanwhile.

    Args:
        parts: What to run, by name.
        rounds: Rounds that count, at least 1.
        warm: Rounds before these that do not.

    Returns:
        Seconds by name, shape ``(rounds,)``.
    """
    names = list(parts)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(warm + rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.process_time()
            parts[name]()
            seconds[name].append(time.process_time() - start)
    return {name: np.array(values[warm:]) for name, values in seconds.items()}


def peak_bytes(work: Callable[[], Any]) -> int:
    """Return the most bytes of tensors on the CPU that were live at once while `work` ran, beyond those before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return int(max(np.cumsum(changes), default=0))


class _Stopped(Exception):
    """Raised inside work that is not to be finished."""


class Stepwise:
    """Work that runs one step at a time, so that several of them can take turns.

    It runs in a thread of its own, which waits whenever it is not its turn; never two at once.

    Args:
        work: Called with a function that it calls after every step; what that is given is left alone.
    """

    def __init__(self, work: Callable[[Callable[[Any], None]], Any]) -> None:
        self._work = work
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._result: Any = None
        self._error: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._go.acquire()
        torch.set_num_threads(1)  # a setting of each thread
        try:
            if not self._closed:
                self._result = self._work(self._after_step)
        except _Stopped:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self._done.release()

    def _after_step(self, _: Any) -> None:
        self._done.release()
        self._go.acquire()
        if self._closed:
            raise _Stopped

    def step(self) -> None:
        """Go on until the next step has ended, or the work has; errors of the work are raised here."""
        self._go.release()
        self._done.acquire()
        if self._error is not None:
            raise self._error

    def finish(self) -> Any:
        """Go on after the last step and return what the work returns."""
        self.step()
        self._thread.join()
        return self._result

    def close(self) -> None:
        """End the work where it stands; nothing happens where it has ended."""
        if self._thread.is_alive():
            self._closed = True
            self._go.release()
            self._thread.join()
