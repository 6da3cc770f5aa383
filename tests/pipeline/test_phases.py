from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from tests.conftest import tiny_space


class Recorder(Silent):
    """Progress that remembers what was planned and what began outside of anything else."""

    def __init__(self) -> None:
        self.planned: list[str] = []
        self.began: list[str] = []
        self.inside: list[str] = []
        self._depth = 0

    def plan(self, phases: Mapping[str, float]) -> None:
        self.planned += phases
        assert all(weight > 0 for weight in phases.values())

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Silent]:
        (self.inside if self._depth else self.began).append(name)
        self._depth += 1
        yield Silent()
        self._depth -= 1


@pytest.mark.usefixtures("few_references")
@pytest.mark.parametrize("warm_start", [0, 6])
def test_a_search_does_the_phases_that_it_planned_and_reports_the_reading_of_paths(tmp_path: Path, warm_start: int):
    progress = Recorder()
    pipeline.search(
        out=tmp_path / "run", space=str(tiny_space(tmp_path)), population=4, generations=2, warm_start=warm_start,
        epochs=1, train_limit=300, batch_size=100, sharing="uniform", baseline=("random",), progress=progress,
    ).close()  # fmt: skip
    assert progress.began == progress.planned
    assert progress.began[-1] == "Evaluating random architectures"
    assert progress.inside == ["Reading paths"]
