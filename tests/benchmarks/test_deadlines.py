from __future__ import annotations

import json
import subprocess
import sys

import pytest

import evonas.version
from evonas.benchmarks import deadlines
from evonas.errors import SettingsError

MEASURED = {
    "budget": 120.0, "wall": 100.0, "processor": 90.0, "ratio": 0.8, "kept": True, "members": 3, "evaluations": 9,
    "code": 0, "said": "", "load": [0.0, 0.0],
}  # fmt: skip


def test_a_stopped_measurement_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    out, asked = tmp_path / "times.json", []

    def search(what, budget):
        asked.append((what["space"], what["data"], what["time"], budget))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return MEASURED

    # Searches of known times, instead of the clock's.
    monkeypatch.setattr(deadlines, "_timed", search)
    with pytest.raises(KeyboardInterrupt):
        deadlines.bench_deadlines(["darts", "lhd"], ["digits"], ["2m", "5m"], out)
    assert len(json.loads(out.read_text())) == 1
    rows = deadlines.bench_deadlines(["darts", "lhd"], ["digits"], ["2m", "5m"], out)
    assert [(row["space"], row["time"]) for row in rows] == [
        ("darts", "2m"), ("darts", "5m"), ("lhd", "2m"), ("lhd", "5m")
    ]  # fmt: skip
    assert asked.count(("darts", "digits", "2m", 120.0)) == 1
    assert deadlines.bench_deadlines(["darts"], ["digits"], ["2m"], out, options=["--seed", "1"])[-1]["options"]


def test_a_file_of_something_else_is_refused(tmp_path):
    out = tmp_path / "times.json"
    out.write_text('[{"space": "darts"}]')
    with pytest.raises(SettingsError, match="name another file"):
        deadlines.bench_deadlines(["darts"], ["digits"], ["2m"], out)


def test_a_deadline_may_count_processor_time_which_is_a_row_of_its_own(tmp_path, monkeypatch):
    out, begun = tmp_path / "times.json", []
    popen = subprocess.Popen

    def begin(command, **more):
        begun.append(command)
        return popen(["true"], **more)

    # No search is needed to see how one is begun.
    monkeypatch.setattr(deadlines.subprocess, "Popen", begin)
    for clock in ("wall", "processor", "processor"):
        rows = deadlines.bench_deadlines(["darts"], ["digits"], ["2m"], out, clock=clock)
    assert [row["clock"] for row in rows] == ["wall", "processor"]
    assert [command[1] for command in begun] == ["-m", "-c"]
    assert rows[1]["ratio"] == pytest.approx(rows[1]["processor"] / 120, abs=1e-3)
    monkeypatch.undo()
    done = subprocess.run([sys.executable, *begun[1][1:3], "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == evonas.version.__version__
    with pytest.raises(SettingsError, match="wall or processor, got 'sun'"):
        deadlines.bench_deadlines(["darts"], ["digits"], ["2m"], out, clock="sun")


def test_a_search_that_fails_is_a_row_too(tmp_path):
    (row,) = deadlines.bench_deadlines(["no_such_space"], ["digits"], ["2m"], tmp_path / "times.json")
    assert (row["code"], row["members"], row["evaluations"]) == (2, 0, None)
    assert row["said"]


@pytest.mark.slow
@pytest.mark.parametrize("space", ["darts", "nasbench201"])
def test_a_search_ends_within_its_time_with_a_front(space, tmp_path):
    """Counted in processor time, so that it does not depend on what else runs."""
    (row,) = deadlines.bench_deadlines(
        [space], ["digits"], ["25s"], tmp_path / "times.json", options=["--train-limit", "300"], clock="processor"
    )
    assert (row["code"], row["kept"]) == (0, True), row["said"]
    assert row["members"] >= 1
