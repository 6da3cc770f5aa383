"""Columns of a table against each other."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks.columns import bench_columns, draw_columns
from evonas.errors import SettingsError
from evonas.spaces import load_space
from evonas.tables.table import Table


@pytest.fixture(scope="module")
def results() -> dict:
    """120 cells of NAS-Bench-201: a column that one edge's operation decides, its reverse, and one that is noise."""
    space = load_space("nasbench201")
    rng = np.random.default_rng(0)
    genomes = np.unique(space.sample(120, rng), axis=0)
    own = np.array([0.0, 1.0, 4.0, 2.0, 3.0])[genomes[:, 2]]
    table = Table(
        {"own": own, "reverse": -2 * own, "noise": rng.normal(size=len(own)), "flat": np.zeros(len(own))},
        texts=[str(space.decode(genome)) for genome in genomes],
        space=space,
        source="made.csv",
    )
    return bench_columns(space, table)


def test_agreement_and_ties_are_those_of_the_columns(results: dict) -> None:
    """A column and its reverse disagree in all; of a constant no ranking is known; ties are counted."""
    taus = {(row["a"], row["b"]): row["tau"] for row in results["agreement"]}
    assert len(taus) == 6
    assert taus["own", "reverse"] == pytest.approx(-1)
    assert abs(taus["own", "noise"]) < 0.3
    assert np.isnan(taus["own", "flat"])
    assert {row["column"]: row["ties"] for row in results["columns"]}["flat"] == 1


def test_the_choice_that_decides_a_column_is_found(results: dict) -> None:
    """Its share is nearly all, best and worst option are those made so; noise has no importances."""
    space = load_space("nasbench201")
    own = next(row for row in results["importance"] if row["column"] == "own")
    assert own["choice"] == space.choices[2]
    assert own["share"] > 0.9
    assert own["best"] == space.option_names[2][2]
    assert not [row for row in results["importance"] if row["column"] in ("noise", "flat")]
    pytest.importorskip("matplotlib")
    assert draw_columns(results)[:4] == b"\x89PNG"


def test_one_column_is_none_to_compare(codes: object, table: Table) -> None:
    """Two or more are asked for, and known ones."""
    with pytest.raises(SettingsError, match="two columns or more"):
        bench_columns(codes, table, ["acc"])
    with pytest.raises(SettingsError, match="No column 'nll'"):
        bench_columns(codes, table, ["acc", "nll"])
