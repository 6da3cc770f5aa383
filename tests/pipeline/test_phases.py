from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from evonas.config import make_settings
from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from evonas.pipeline.phases import phases_of, planned_seconds
from evonas.pipeline.problem import SearchProblem
from tests.conftest import tiny_space


class Recorder(Silent):
    """Progress that remembers what was planned and what began outside of anything else."""

    def __init__(self) -> None:
        self.planned: list[str] = []
        self.began: list[str] = []
        self.inside: list[str] = []
        self._depth = 0

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
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
    assert progress.began == [name for name in progress.planned if name not in progress.inside]
    assert progress.began[-1] == "Evaluating random architectures"
    assert progress.inside == ["Reading paths", "Scoring the paths read"]
    assert set(progress.inside) <= set(progress.planned)


def test_weights_are_the_seconds_of_a_plan_where_there_is_one(tmp_path: Path):
    problem = SearchProblem(make_settings(space=str(tiny_space(tmp_path)), objectives=("acc", "flops"), warm_start=6))
    rough = phases_of(problem, {"random"})
    steps = [{"name": name, "seconds": s} for name, s in (("supernet", 30.0), ("paths", 12.0), ("evolution", 8.0))]
    found = phases_of(problem, {"random"}, planned_seconds({"plan": {"steps": steps}}))
    assert list(found) == list(rough)
    assert (found["Training the supernet"], found["Reading paths"], found["Searching"]) == (30.0, 12.0, 8.0)
    assert found["Scoring the paths read"] == 3.0
    late = list(phases_of(problem, {"random"}, bounded=True))
    assert sorted(late) == sorted(rough)
    assert late.index("Reading paths") < late.index("Training anchors")
    # What the plan does not know keeps its proportion to what it does.
    known = ("Training the supernet", "Reading paths", "Searching")
    unit = 50.0 / sum(rough[name] for name in known)
    assert found["Measuring the front"] == pytest.approx(unit * rough["Measuring the front"])
    assert phases_of(problem, {"random"}, planned_seconds({})) == rough
    timed = SearchProblem(make_settings(space=str(tiny_space(tmp_path)), objectives=("latency", "flops"), warm_start=0))
    assert phases_of(timed, set(), {"latency table": 21.0, "evolution": 8.0})["Exporting blocks"] == 21.0
