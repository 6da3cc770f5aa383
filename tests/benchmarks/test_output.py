from __future__ import annotations

import json
import math

import numpy as np
import pytest

from evonas.benchmarks import write_results
from evonas.errors import MissingExtraError, RunError, SettingsError


def test_json_csv_and_png_beside_each_other(tmp_path):
    results = {"a": np.float64(1.5), "b": [math.nan, math.inf, np.int64(2)], "c": np.array([True])}
    rows = [{"name": "x, y", "value": 0.1}, {"name": "z", "value": math.nan}]
    written = write_results(tmp_path / "deep" / "out.json", results, rows, figure=lambda: b"png")
    assert [path.name for path in written] == ["out.json", "out.csv", "out.png"]
    assert json.loads(written[0].read_text()) == {"a": 1.5, "b": [None, None, 2], "c": [True]}
    assert written[1].read_text() == 'name,value\n"x, y",0.1\nz,\n'
    assert written[2].read_bytes() == b"png"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["out.csv", "out.json", "out.png"]


def test_no_rows_and_no_figure(tmp_path):
    written = write_results(tmp_path / "out.json", [], [])
    assert [path.read_text() for path in written] == ["[]\n", ""]


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-x", "@a", "\tx", "\rx"])
def test_formulas_are_inert(tmp_path, text):
    written = write_results(tmp_path / "out.json", {}, [{"name": text}])
    assert written[1].read_bytes().decode().splitlines()[1].lstrip('"').startswith("'")


def test_other_names_are_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"ends in \.json, got .*out\.csv"):
        write_results(tmp_path / "out.csv", {}, [])


def test_a_missing_drawing_library_costs_no_numbers(tmp_path):
    def figure() -> bytes:
        raise MissingExtraError("no matplotlib")

    with pytest.raises(MissingExtraError):
        write_results(tmp_path / "out.json", {}, [{"a": 1}], figure=figure)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.json"]


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, full_disk):
    write_results(tmp_path / "out.json", {"old": 1}, [])
    with full_disk(), pytest.raises(RunError, match="File too large"):
        write_results(tmp_path / "out.json", {"new": 1}, [])
    assert json.loads((tmp_path / "out.json").read_text()) == {"old": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.json"]
