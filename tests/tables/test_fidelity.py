from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.tables.fidelity import FidelityColumn, check_order, parse_reading, read_values
from evonas.tables.table import Table

NAMES = st.sampled_from(("acc", "c10_val_12", "top-1", "acc:x", "a b"))


@pytest.fixture
def table() -> Table:
    columns = {"acc:1": [1.0, 2.0], "acc:2": [3.0, 4.0], "a": [1.0, np.nan], "b": [3.0, 5.0]}
    return Table({name: np.array(values) for name, values in columns.items()}, labels={"t": ("x", "y")})


@given(st.lists(NAMES, min_size=1, max_size=3), st.none() | st.integers(1, 10**6))
def test_a_reading_is_read_back_from_its_text(names, epochs):
    reading = FidelityColumn(tuple(names), epochs)
    assert parse_reading(str(reading)) == reading


@pytest.mark.parametrize("text", ["", ":", ":5", "a:0", "mean()", "mean(a,)"])
def test_what_is_no_reading_is_refused(text):
    with pytest.raises(SettingsError, match="Expected"):
        parse_reading(text)


def test_epochs_pick_the_point_of_a_curve_and_are_the_cost_of_a_column(table):
    assert read_values(table, parse_reading("acc:2")).tolist() == [3.0, 4.0]
    assert read_values(table, parse_reading("b:200")).tolist() == [3.0, 5.0]


def test_a_mean_is_missing_where_a_part_of_it_is(table):
    assert np.array_equal(read_values(table, parse_reading("mean(a,b)")), [2.0, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acc:3", "epoch from 1 to 2 of 'acc'.*got 3"),
        ("acc", "epoch from 1 to 2 of 'acc'.*got none"),
        ("acx:1", "No column 'acx'.*it has acc, a, b"),
        ("t", "Expected numbers in column 't'"),
    ],
)
def test_a_column_that_is_not_there_is_an_error_of_one_line(table, text, message):
    with pytest.raises(SettingsError, match=message):
        read_values(table, parse_reading(text))


def test_fidelities_out_of_order_are_refused():
    check_order(parse_reading("a:50"), parse_reading("b:50"))
    check_order(parse_reading("a"), parse_reading("b:50"))
    with pytest.raises(SettingsError, match="exchange them"):
        check_order(parse_reading("a:200"), parse_reading("b:50"))
