"""Records: rows with equal keys, shown as a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from evonas.errors import require
from evonas.pareto.short_id import short_id

__all__ = ["Records"]

TEXT = "architecture"
"""Key of a text that is too long for a table; its short id stands for it there."""


class Records(list[dict[str, Any]]):
    """Rows with equal keys, as ``pandas.DataFrame`` takes them; a short table in a notebook.

    Args:
        rows: The rows.
        equal_by: Keys of a row that say what it is worth: those alike in all of them are one row of the table.
    """

    def __init__(self, rows: Iterable[dict[str, Any]] = (), equal_by: Sequence[str] = ()) -> None:
        super().__init__(rows)
        self._equal_by = tuple(equal_by)

    def to_pandas(self) -> Any:
        """Return a table of pandas; rows with architectures have their short ids as labels.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = require("pandas", "export")
        table = pandas.DataFrame(list(self))
        if TEXT in table.columns:
            table.index = pandas.Index([short_id(text) for text in table[TEXT]], name="id")
        return table

    def _repr_html_(self) -> str:
        """Return a table, everything in it escaped: short ids instead of architectures, no column that is empty."""
        if not self:
            return "<p>no members</p>"
        names = [name for name in self[0] if name != TEXT and any(row[name] not in (None, "") for row in self)]
        has_ids = TEXT in self[0]
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *(["id"] if has_ids else []), *names, ""])
        body = "".join(
            f"<tr><th>{index}</th>{f'<td><code>{short_id(self[index][TEXT])}</code></td>' if has_ids else ''}"
            f"{''.join(f'<td>{_cell(self[index][name])}</td>' for name in names)}"
            f"<td>{f'and {more} more of equal value' if more else ''}</td></tr>"
            for index, more in self._distinct()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _distinct(self) -> list[tuple[int, int]]:
        """Return the indices of the rows shown, and how many more are equal to each."""
        found: dict[Any, tuple[int, int]] = {}
        for index, row in enumerate(self):
            key = tuple(row[name] for name in self._equal_by) or index
            first, more = found.get(key, (index, -1))
            found[key] = first, more + 1
        return list(found.values())


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return "" if value is None else escape(str(value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
