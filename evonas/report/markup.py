"""Pieces of HTML; whatever comes from a run is escaped here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def text(value: object) -> str:
    """Return a value as HTML text, which may stand in an attribute too."""
    return escape(str(value), quote=True)


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text; the second one too where it holds no numbers."""
    prose = any(len(line[-1]) > 24 for line in rows)
    kind = " class='text'" if prose else ""
    head = f"<th scope='col' class='text'>{text(headings[0])}</th>" + "".join(
        f"<th scope='col'{kind}>{text(name)}</th>" for name in headings[1:]
    )
    body = "".join(
        f"<tr><th scope='row' class='text'>{text(first)}</th>"
        f"{''.join(f'<td{kind}>{text(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return f"<div class='scroll'><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def numbers(content: str) -> str:
    """Return a table folded away; nothing where there is none."""
    return f"<details><summary>The numbers</summary>{content}</details>" if content else ""


def signed(value: float | None) -> str:
    """Return a number with its sign, or a dash."""
    return "–" if value is None else f"{value:+.3f}"


def percent(value: Any) -> str:
    """Return a fraction in per cent, or a dash where it is no number."""
    return f"{value:.1%}" if isinstance(value, int | float) else "–"


def as_float(value: Any) -> float | None:
    """Return a number, or None where it is none."""
    return float(value) if isinstance(value, int | float) else None


def as_text(value: Any) -> str:
    """Return a value of TOML or JSON as people write it."""
    if isinstance(value, list):
        return ", ".join(map(as_text, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {as_text(item)}" for key, item in value.items()) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
