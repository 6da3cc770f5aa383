"""Join of two tables on what both have: the architecture as written, else an index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import DataError
from evonas.tables.table import INDEX, Table, refuse_duplicates

__all__ = ["join_tables"]


def join_tables(left: Table, right: Table) -> Table:
    """Return the rows that both tables have, in the order of the first, with the columns of both.

    Raises:
        DataError: They have nothing to be joined on, share no row, repeat one, or contradict each other in a column.
    """
    on, keys = _shared_keys(left, right)
    rows = {key: row for row, key in enumerate(keys[1])}
    pairs = [(row, rows[key]) for row, key in enumerate(keys[0]) if key in rows]
    if not pairs:
        raise DataError(f"{left.source} and {right.source} share no {on}: are they tables of the same space?")
    a, b = left.select([row for row, _ in pairs]), right.select([row for _, row in pairs])
    _refuse_contradictions(a, b)
    return Table(
        {**a.columns, **{name: values for name, values in b.columns.items() if name not in a}},
        labels={**b.labels, **a.labels},
        texts=a.texts if a.texts is not None else b.texts,
        space=left.space,
        source=f"{left.source} + {right.source}",
    )


def _shared_keys(left: Table, right: Table) -> tuple[str, tuple[Sequence[object], Sequence[object]]]:
    """Return what two tables are joined on, in a word, and the key of every row of each."""
    if left.texts is not None and right.texts is not None:
        return "architecture", (left.keys, right.keys)
    if INDEX in left and INDEX in right:
        keys = left[INDEX].tolist(), right[INDEX].tolist()
        refuse_duplicates(keys[0], left.source, INDEX)
        refuse_duplicates(keys[1], right.source, INDEX)
        return INDEX, keys
    raise DataError(
        f"Cannot join {left.source} with {right.source}: expected an architecture in both, or an "
        f"'{INDEX}' column in both."
    )


def _refuse_contradictions(left: Table, right: Table) -> None:
    """Refuse tables of the same rows that differ in a column of the same name."""
    for name in {*left.columns, *left.labels} & {*right.columns, *right.labels} - {INDEX}:
        same = name in left and name in right and np.array_equal(left[name], right[name], equal_nan=True)
        if not same and not (name in left.labels and left.labels[name] == right.labels.get(name)):
            raise DataError(
                f"Column '{name}' differs between {left.source} and {right.source}: rename it in one of them."
            )
