"""Records: rows with equal keys, shown as a table in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

from evonas.errors import require
from evonas.pareto.short_id import short_id

__all__ = ["Records"]

TEXT = "architecture"
"""Key of a text that is too long for a table; its short id stands for it there."""


class Records(list[dict[str, Any]]):
    """Rows with equal keys, as ``pandas.DataFrame`` takes them; a short table in a notebook."""

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
        ids = [short_id(row[TEXT]) for row in self] if TEXT in self[0] else [""] * len(self)
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *(["id"] if TEXT in self[0] else []), *names])
        body = "".join(
            f"<tr><th>{index}</th>{f'<td><code>{one}</code></td>' if one else ''}"
            f"{''.join(f'<td>{_cell(row[name])}</td>' for name in names)}</tr>"
            for index, (one, row) in enumerate(zip(ids, self, strict=True))
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else escape(str(value))
