"""Processes on this machine, each of which computes one job at a time."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from evonas.engine.job import Job
from evonas.engine.spec import WorkerSpec
from evonas.engine.workers import Worker, Workers

__all__ = ["ProcessPool"]

_SOURCES = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]


class _Process(Worker):
    """A worker process."""

    def __init__(self, first: str, threads: int) -> None:
        super().__init__()
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evonas.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(_SOURCES)},
            start_new_session=True,  # an interrupt is the search's to deal with
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.out = self._process.stdout
        self.ended = False
        self._rest = b""
        self._write(first)

    def give(self, jobs: Sequence[Job]) -> None:
        """Send jobs, a line each."""
        self._write("".join(json.dumps(job) + "\n" for job in jobs))

    def read(self) -> list[dict[str, Any]]:
        """Return the messages that have come whole."""
        chunk = os.read(self.out.fileno(), 1 << 16)
        self.ended = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def cause_of_death(self) -> str:
        """Return what a worker that ended died of."""
        status = self._process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if status == -signal.SIGKILL:
            how += ", as the kernel does when memory runs out"
        self._stderr.seek(0)
        lines = self._stderr.read()[-2000:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{how}: {last[:200]}" if last else how

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self.out, self._stderr):
            if file is not None:
                with suppress(OSError):  # what was written was not read
                    file.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended, as the end of its output shows
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


class ProcessPool(Workers[_Process]):
    """Worker processes.

    Args:
        spec: How they make their evaluators.
        size: How many.
        timeout: Seconds after which an evaluation counts as timed out.
    """

    def __init__(self, spec: WorkerSpec, size: int, *, timeout: float | None = None) -> None:
        super().__init__(size, timeout)
        self._first, self._threads = json.dumps(asdict(spec)) + "\n", spec.threads

    def _start(self) -> _Process:
        return _Process(self._first, self._threads)

    def _receive(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            for worker in self._workers:
                selector.register(worker.out, selectors.EVENT_READ, worker)
            talking = [key.data for key, _ in selector.select(seconds)]
        for worker in talking:
            for message in worker.read():
                if "row" in message:
                    self._finished(worker, message["number"], message["row"])
                else:
                    self._prepared(worker, message.get("error"))
            if worker.ended:
                self._drop(worker, worker.cause_of_death())
