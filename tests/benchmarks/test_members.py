from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks import Oracle, Spent, members_of
from evonas.errors import SettingsError
from evonas.tables.table import Table


def test_objectives_are_scaled_and_minimised(codes, table):
    members = members_of(codes, table, "acc:max,flops:min")
    assert len(members) == 729
    assert members.objectives == ("acc", "flops")
    assert members.directions == ("max", "min")
    np.testing.assert_array_equal(members.values.min(axis=0), [0, 0])
    np.testing.assert_array_equal(members.values.max(axis=0), [1, 1])
    assert members.values[table["acc"].argmax(), 0] == 0
    assert members.values[table["flops"].argmax(), 1] == 1
    assert members.reference_point.tolist() == [1, 1]
    assert 0 < members.true_hypervolume < 1


def test_a_column_goes_before_a_computed_objective_of_the_same_name(codes, table):
    ones = {"flops": lambda architectures: np.ones(len(architectures))}
    members = members_of(codes, table, ["acc", "flops"], computed=ones)
    np.testing.assert_array_equal(members.values, members_of(codes, table, ["acc", "flops"]).values)
    assert members.cheap.tolist() == [False, False]


def test_computed_objectives_are_cheap(codes, table):
    ones = {"latency": lambda architectures: [sum(one.genes) for one in architectures]}
    members = members_of(codes, table, ["acc", "latency"], computed=ones)
    assert members.cheap.tolist() == [False, True]
    known = Oracle(members, 1).cheap()
    assert np.isnan(known[:, 0]).all()
    np.testing.assert_allclose(known[:, 1] * 12, table["params"])


def test_rows_of_unknown_objectives_are_left_out(codes):
    table = Table(
        {"acc": [1, np.nan, 3, 4], "ms": [4, 1, np.inf, 2]},
        texts=["000000", "000001", "000002", "000010"],
        space=codes,
    )
    members = members_of(codes, table, "acc,ms", scores={"swap": [5, 6, 7, 8]})
    assert [str(one) for one in members.architectures] == ["000000", "000010"]
    assert members.values.tolist() == [[1, 1], [0, 0]]
    assert members.scores["swap"].tolist() == [5, 8]


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ("acc", "two or more different objectives, got acc"),
        ("acc,acc:min", "two or more different"),
        ("", "got none"),
        ("acc,flop:min", "No objective 'flop'.* Did you mean 'flops'"),
        ("acc,c10", "better high or low"),
        ("acc,constant:min", "'constant' has one value in all rows"),
        ("acc,empty:min", "two or more rows with acc, empty known, got 0"),
    ],
)
def test_objectives_that_cannot_be_searched(codes, objectives, message):
    table = Table(
        {"acc": [1, 2], "flops": [1, 2], "constant": [1, 1], "empty": [np.nan, np.nan]},
        texts=["000000", "000001"],
        space=codes,
    )
    with pytest.raises(SettingsError, match=message):
        members_of(codes, table, objectives)


def test_computed_values_and_scores_must_be_one_per_row(codes, table):
    with pytest.raises(SettingsError, match=r"Expected 729 values of 'ms', one per row, got shape \(1,\)"):
        members_of(codes, table, "acc,ms", computed={"ms": lambda architectures: [1.0]})
    with pytest.raises(SettingsError, match="729 values of 'swap'"):
        members_of(codes, table, "acc,flops", scores={"swap": [1.0]})


def test_rows_of_genomes(codes, table):
    members = members_of(codes, table.select(range(0, 729, 2)), "acc,flops")
    assert [members.row(genome) for genome in members.genomes] == list(range(365))
    assert members.row([0, 0, 0, 0, 0, 1]) is None
    free = np.ones(365, dtype=bool)
    nearest = members.nearest([0, 0, 0, 0, 0, 1], free)
    assert (members.genomes[nearest] != [0, 0, 0, 0, 0, 1]).sum() == 1
    free[nearest] = False
    assert members.nearest([0, 0, 0, 0, 0, 1], free) != nearest


def test_the_oracle_counts_every_member_once_and_stops(codes, table):
    members = members_of(codes, table, "acc,flops")
    oracle = Oracle(members, 3)
    np.testing.assert_array_equal(oracle.evaluate([5, 7, 5]), members.values[[5, 7, 5]])
    assert (oracle.rows, oracle.left) == ([5, 7], 1)
    with pytest.raises(Spent):
        oracle.evaluate([7, 9, 11])
    assert oracle.rows == [5, 7, 9]
    np.testing.assert_array_equal(oracle.evaluate([9]), members.values[[9]])
    assert Oracle(members, 10**6).left == 729
