from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.files.csv import to_csv


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-x", "'-x"),
        ("@sum", "'@sum"),
        ("-1.5", "-1.5"),
        ("+3e4", "+3e4"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (0.1, "0.1"),
        (1e-300, "1e-300"),
        (7, "7"),
    ],
)
def test_cells_are_no_formulas_and_numbers_stay(cell, written):
    assert to_csv([("name", "x"), (cell, "last")]) == f"name,x\n{written},last\n"


# A lone carriage return is not quoted by Python's own writer.
texts = st.text(st.characters(exclude_characters="\r"))


@given(st.lists(st.tuples(texts, st.floats(allow_nan=False)), max_size=5))
def test_rows_read_back(rows):
    read = list(csv.reader(io.StringIO(to_csv(rows), newline="")))
    assert [float(value) for _, value in read] == [value for _, value in rows]
    assert all(text in (written, written.removeprefix("'")) for (written, _), (text, _) in zip(read, rows, strict=True))
