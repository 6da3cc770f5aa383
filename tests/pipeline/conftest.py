"""A search small enough for tests, which many of them copy, and progress that hears or ends it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evonas.config import make_settings
from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from evonas.runs.store import Store
from evonas.spaces import shipped
from tests.pipeline.published import settings, write_published

SERVER = multiprocessing.get_context("forkserver")
# A search in a process of its own then starts at once, not after seconds of imports.
SERVER.set_forkserver_preload(["evonas.pipeline.run", "evonas.evolution.surrogate", "sklearn.datasets"])


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """DARTS cells in a network of two cells with four channels."""
    text = shipped()["darts"].read_text()
    small = "[skeletons.small]\nchannels = 8\ncells = 3\n"
    assert small in text
    path = tmp_path_factory.mktemp("space") / "tiny.toml"
    path.write_text(text.replace(small, "[skeletons.small]\nchannels = 4\ncells = 2\n"))
    return str(path)


@pytest.fixture(scope="session")
def quick(tiny: str) -> Mapping[str, Any]:
    """Settings of a search of seconds; the default estimator would read over a hundred paths first."""
    return {
        "space": tiny, "train_limit": 300, "epochs": 1, "population": 6, "generations": 3, "warm_start": 12,
        "estimator": "supernet:loss",
    }  # fmt: skip


@pytest.fixture(scope="session")
def finished(quick: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ended; never changed."""
    path = tmp_path_factory.mktemp("runs") / "done"
    pipeline.search(make_settings(**quick), path).close()
    return path


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "copied"))


class Spoken(Silent):
    """Progress that remembers every line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def spoken() -> Spoken:
    return Spoken()


class Killer(Silent):
    """Progress that counts its events, and ends its process without warning at one of them.

    Args:
        count: How many there were, which another process may read.
        last: The number of the one at which the process ends; None: none.
    """

    def __init__(self, count: Any, last: int | None = None) -> None:
        self.count, self.last = count, last

    def event(self) -> None:
        with self.count.get_lock():
            self.count.value += 1
        if self.count.value == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Silent]:
        self.event()
        yield self
        self.event()

    def advance(self, n: int = 1, note: str = "") -> None:
        self.event()

    def say(self, text: str) -> None:
        self.event()


@pytest.fixture(scope="session")
def search_apart() -> Callable[..., tuple[int, int]]:
    """A function that searches in a process of its own, which ends at an event of its progress where that is given.

    It returns the exit code and how many events there were.
    """

    def search(settings: Mapping[str, Any], path: Path, last: int | None = None) -> tuple[int, int]:
        count = SERVER.Value("i", 0)
        given = {"settings": make_settings(**settings), "out": path, "progress": Killer(count, last)}
        process = SERVER.Process(target=pipeline.search, kwargs=given)
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode, count.value

    return search


@pytest.fixture(scope="session")
def results() -> Callable[[Path], dict[tuple[str, str, str], float | None]]:
    """A function that reads what a run has stored."""

    def read(path: Path) -> dict[tuple[str, str, str], float | None]:
        with Store(path / "evaluations.sqlite", write=False) as store:
            return {(e.architecture, e.objective, e.fingerprint): e.value for e in store.evaluations()}

    return read


@pytest.fixture(scope="session")
def outcome(results: Callable[[Path], Any]) -> Callable[[Path], tuple[bytes, bytes, Any]]:
    """A function that reads all that a search ended with."""

    def read(path: Path) -> tuple[bytes, bytes, Any]:
        return (path / "front.csv").read_bytes(), (path / "front.json").read_bytes(), results(path)

    return read


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny space, published weights on it, and photos."""
    folder = tmp_path_factory.mktemp("made")
    write_published(folder)
    return folder


@pytest.fixture(scope="session")
def published_run(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from published weights that ended."""
    out = tmp_path_factory.mktemp("runs") / "published"
    wanted = settings(made, epochs=2, population=4, generations=2, resolution=24, train_limit=90)
    pipeline.search(wanted, out).close()
    return out
