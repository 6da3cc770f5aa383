"""Records: rows with equal keys, shown as a table in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["Records"]


class Records(list[dict[str, Any]]):
    """Rows with equal keys, as ``pandas.DataFrame`` takes them; a table in a notebook."""

    def _repr_html_(self) -> str:
        """Return a table, everything in it escaped."""
        names = list(self[0]) if self else []
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *names])
        body = "".join(
            f"<tr><th>{index}</th>{''.join(f'<td>{_cell(row[name])}</td>' for name in names)}</tr>"
            for index, row in enumerate(self)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self else "<p>no members</p>"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else escape(str(value))
