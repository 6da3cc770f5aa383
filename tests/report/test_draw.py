from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from evonas.errors import MissingExtraError
from evonas.pareto.objective import Objective
from evonas.report import gather, plot_front
from evonas.report.draw import CHOSEN, FRONT, _tick
from evonas.runs.run import Run


def pixels(png: bytes) -> np.ndarray:
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


def count(image: np.ndarray, color: str) -> int:
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int((image == wanted).all(axis=-1).sum())


@pytest.mark.parametrize("objectives", [("acc",), ("acc", "flops"), ("acc", "flops", "latency")])
def test_the_front_and_the_selected_member_are_drawn(make_run, objectives):
    pytest.importorskip("matplotlib")
    with Run.open(make_run(objectives=objectives)) as run:
        contents = gather(run)
    with_mark = pixels(plot_front(contents, contents.front.select("knee")))
    without = pixels(plot_front(contents))
    assert count(with_mark, FRONT) > 500
    assert count(with_mark, CHOSEN) > 200
    assert count(without, CHOSEN) == 0


def test_an_empty_run_is_drawn(make_run):
    pytest.importorskip("matplotlib")
    with Run.open(make_run(n=20, ended=False), write=True) as run:
        run.store._base.execute("DELETE FROM evaluations")
        assert pixels(plot_front(gather(run))).size


def test_no_global_state_is_touched(make_run):
    pytest.importorskip("matplotlib")
    with Run.open(make_run()) as run:
        plot_front(gather(run))
    assert "matplotlib.pyplot" not in sys.modules


def test_a_missing_library_is_one_line(make_run, monkeypatch):
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with Run.open(make_run()) as run, pytest.raises(MissingExtraError, match=r"pip install 'evonas\[report\]'"):
        plot_front(gather(run))


@pytest.mark.parametrize(
    ("values", "ends", "texts"),
    [
        ([0.945100, 0.945102], (0.945099, 0.945119), ["94.5100", "94.5102"]),  # all of the axis in the last digits
        ([0.9, 0.95], (0.88, 0.97), ["90", "95"]),
        ([1_000_001.0, 1_000_002.0], (1_000_000.0, 1_000_005.0), ["1,000,001.0", "1,000,002.0"]),
    ],
)
def test_ticks_of_an_axis_differ(values, ends, texts):
    objective = Objective("acc", "fraction of images", "max") if ends[1] < 1 else Objective("flops", "", "min")
    assert [_tick(value, objective, ends) for value in values] == texts
