"""Named problems: what is shipped, columns of a user's table, and fronts that are those of the table."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.benchmarks.named_problem import chosen_problem, describe_problems, load_problem, named_problems
from evonas.cli import app
from evonas.errors import SettingsError
from evonas.spaces import load_space

EDGE = ["edgegpu_latency", "edgegpu_energy"]
EYERISS = ["eyeriss_latency", "eyeriss_energy", "eyeriss_arithmetic_intensity"]
COSTS = ["err", "params", "flops"]
# Objectives of C-10/MOP and IN-1K/MOP as EvoXBench's suites define them.
PUBLISHED = {
    "c10mop5": ("nasbench201", [*COSTS, *EDGE]),
    "c10mop6": ("nasbench201", [*COSTS, *EYERISS]),
    "c10mop7": ("nasbench201", [*COSTS, *EDGE, *EYERISS]),
    "c10mop8": ("darts_open", ["err", "params"]),
    "c10mop9": ("darts_open", COSTS),
    "in1kmop7": ("mobilenet_v3", ["err", "params"]),
    "in1kmop8": ("mobilenet_v3", COSTS),
    "in1kmop9": ("mobilenet_v3", [*COSTS, "latency"]),
}


def dominated(values: np.ndarray) -> np.ndarray:
    """Which rows of minimized values another dominates, pair by pair."""
    less = (values[None] <= values[:, None]).all(axis=2) & (values[None] < values[:, None]).any(axis=2)
    return less.any(axis=1)


@pytest.fixture(scope="module")
def hardware(tmp_path_factory):
    """A synthetic table of the shape of HW-NAS-Bench joined with NAS-Bench-201, 60 cells."""
    space, rng = load_space("nasbench201"), np.random.default_rng(0)
    cells = {str(space.decode(genome)) for genome in space.sample(60, rng)}
    columns = ["top1", "params", "flops", *EDGE, *EYERISS]
    values = rng.integers(1, 40, size=(len(cells), len(columns)))
    path = tmp_path_factory.mktemp("tables") / "hardware.csv"
    lines = [
        ",".join(["arch", *columns]),
        *(f"{c},{','.join(map(str, v))}" for c, v in zip(cells, values, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path, columns, values


def test_published_problems_have_their_published_objectives_and_the_others_other_names():
    assert {name for name in named_problems() if "mop" in name} == set(PUBLISHED)
    for name, (space, objectives) in PUBLISHED.items():
        problem = load_problem(name)
        assert (problem.space, list(problem.objectives)) == (space, objectives)
        assert name.replace("c10mop", "C-10/MOP").replace("in1kmop", "IN-1K/MOP") in problem.source
    for name in set(named_problems()) - set(PUBLISHED):
        assert "no problem of EvoXBench" in load_problem(name).differs
        assert "/MOP" not in load_problem(name).source
    assert [row["problem"] for row in describe_problems()] == list(named_problems())


@pytest.mark.parametrize("name", ["c10mop5", "c10mop6", "c10mop7"])
def test_a_problem_is_searched_on_a_users_table_and_its_front_is_the_tables(name, hardware, tmp_path):
    path, columns, values = hardware
    out, reference = tmp_path / "out.json", tmp_path / "front.csv"
    done = CliRunner().invoke(
        app,
        ["bench", "search", "--problem", name, "--table", str(path), "--column", "err=top1", "--evaluations", "30",
         "--seeds", "1", "--reference", str(reference), "--out", str(out)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    chosen = ["top1", *PUBLISHED[name][1][1:]]
    minimized = values[:, [columns.index(column) for column in chosen]] * [-1, *([1] * (len(chosen) - 1))]
    rows = list(csv.DictReader(reference.read_text().splitlines()))
    expected = np.unique(minimized[~dominated(minimized)], axis=0)
    found = np.array([[float(row[column]) for column in chosen] for row in rows]) * [-1, *([1] * (len(chosen) - 1))]
    np.testing.assert_array_equal(np.unique(found, axis=0), expected)
    assert f"The true front has {len(expected)} of" in done.output
    results = json.loads(out.read_text())
    assert [objective["direction"] for objective in results["objectives"]] == ["max", *["min"] * (len(chosen) - 1)]


def test_what_a_table_lacks_is_named(hardware):
    path, _, _ = hardware
    done = CliRunner().invoke(app, ["bench", "search", "--problem", "c10mop5", "--table", str(path)])
    assert done.exit_code != 0
    assert "No objective 'c10_test_200'" in str(done.exception)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "c10mop4"}, r"problem of c10mop5, .* got 'c10mop4'. Did you mean"),
        ({"name": "c10mop5", "space": "darts"}, "leave these out"),
        ({"name": "c10mop5", "columns": ["top1"]}, "OBJECTIVE=COLUMN"),
        ({"name": "c10mop5", "columns": ["acc=top1"]}, "objectives err, params"),
        ({"name": None, "space": "darts", "objectives": "a,b"}, "a space, tables and objectives"),
        ({"name": None, "columns": ["err=top1"]}, "--problem"),
    ],
)
def test_what_makes_no_problem_is_refused(given, message):
    everything = {"space": None, "objectives": None, "tables": (), "columns": ()} | given
    with pytest.raises(SettingsError, match=message):
        chosen_problem(everything.pop("name"), **everything)


def test_a_file_of_ones_own_is_a_problem(tmp_path):
    head = 'source = "me"\ndiffers = ""\nspace = "darts"\ntables = ["t.csv"]\n'
    text = f'{head}[objectives]\nerr = "a:max"\nsize = "b:min"\n'
    path = tmp_path / "mine.toml"
    path.write_text(text)
    problem = chosen_problem(str(path), space=None, objectives=None, tables=(), columns=["size=c"])
    assert problem.objectives == {"err": "a:max", "size": "c:min"}
    path.write_text(text.replace('space = "darts"\n', ""))
    with pytest.raises(SettingsError, match="space: is missing"):
        load_problem(str(path))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("help-devices-1", 72), ("help-devices-2", 77), ("help-devices-4", 205)])
def test_reference_fronts_of_help_are_those_of_the_table(name, size, tmp_path, monkeypatch, truth):
    monkeypatch.setenv("EVONAS_DATA", str(truth))
    reference = tmp_path / "front.csv"
    done = CliRunner().invoke(
        app,
        ["bench", "search", "--problem", name, "--evaluations", "50", "--seeds", "1", "--reference", str(reference)],
    )
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(reference.read_text().splitlines()))
    assert len(rows) == size
    values = np.array([[float(v) for k, v in row.items() if k != "architecture"] for row in rows])
    assert not dominated(values * [-1, *([1] * (values.shape[1] - 1))]).any()
