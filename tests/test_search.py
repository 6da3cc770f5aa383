"""A search from Python: the public doors write the report that the command line writes."""

from __future__ import annotations

import inspect

import pytest

import evonas
from evonas.config import WHERE
from evonas.pipeline import run as pipeline

SMALL = {"objectives": "flops,params", "population": 4, "warm_start": 0, "seed": 1}


def test_resume_names_every_setting_of_where_evaluations_run():
    parameters = inspect.signature(evonas.resume).parameters
    below = [
        name for name, one in inspect.signature(pipeline.resume).parameters.items() if one.kind is not one.VAR_KEYWORD
    ]
    assert sorted(parameters) == sorted([*below, *WHERE])


def test_a_search_writes_its_report_after_generations_and_at_the_end(tmp_path):
    pytest.importorskip("plotly")
    reports = []

    def read(run):
        reports.append((run.path / "report.html").read_text())

    with evonas.search(out=tmp_path / "run", generations=2, after_generation=read, **SMALL) as run:
        reports.append((run.path / "report.html").read_text())
    assert len(reports) == 3
    # A page of a search under way loads itself anew.
    assert ["http-equiv='refresh'" in page for page in reports] == [True, True, False]
    with evonas.resume(tmp_path / "run", generations=3, after_generation=read) as run:
        assert (run.path / "report.html").read_text() != reports[2]
