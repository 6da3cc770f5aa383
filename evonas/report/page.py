"""The report's page: HTML around the figures' data, everything from the run escaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from evonas.errors import EvonasError, require
from evonas.report import figures
from evonas.report.architecture import draw_architecture
from evonas.report.contents import Contents
from evonas.report.drawing import stylesheet, to_svg
from evonas.report.listing import further, heading, row
from evonas.report.origins import number
from evonas.report.words import Need, found, limits, needs
from evonas.spaces import load_space

DRAWINGS = 300
"""Drawings at most: beyond them an even part of the front has one."""
MOST_ROWS = 500
"""Rows of a table at most."""


def make_page(contents: Contents) -> str:
    """Return a run's report: one HTML document that needs nothing else.

    It runs no script but the two it was written with (a content security policy holds their hashes) and loads
    nothing from anywhere.

    Args:
        contents: The run.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    library, library_hash = _library()
    script = _resource("page.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' '{library_hash}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    wanted = needs(contents)
    data = _data(contents, wanted)
    name = contents.path.resolve().name
    refresh = "" if contents.ended else "<noscript><meta http-equiv='refresh' content='15'></noscript>"
    body = "".join(
        (
            _header(contents, name),
            "<main id='main'><p id='notice' class='card' role='status' hidden></p>",
            _summary(contents, wanted),
            _explorer(contents),
            _members(contents),
            _charts(contents, data),
            _trust(contents, data),
            _record(contents),
            "</main>",
            _footer(contents),
        )
    )
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"{refresh}<meta name='color-scheme' content='light dark'><meta name='generator' content='evonas'>"
        f"<title>{_text(name)} – evonas report</title><style>{_resource('page.css')}{stylesheet()}</style></head>"
        f"<body><a class='skip' href='#main'>Skip to the report</a>{body}"
        f"<script type='text/plain' id='data'>{_pack(_json(data).encode())}</script>"
        f"<script type='text/plain' id='library'>{library}</script>"
        f"<script>{script}</script></body></html>\n"
    )


# -------------------------------------------------------------------------------------------------- packing


@lru_cache(maxsize=1)
def _library() -> tuple[str, str]:
    """Return plotly.js packed, and its hash for the content security policy."""
    code: str = require("plotly.offline", "report").get_plotlyjs()
    return _pack(code.encode()), _hash(code)


@lru_cache(maxsize=4)
def _resource(name: str) -> str:
    return resources.files("evonas.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _pack(content: bytes) -> str:
    """Return bytes as base64 of gzip: small, and without a character that could end a script."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _text(value: object) -> str:
    return escape(str(value), quote=True)


# ----------------------------------------------------------------------------------------------------- data


def _data(contents: Contents, wanted: Sequence[Need]) -> dict[str, Any]:
    """Return all that the page's script draws."""
    points = figures.points(contents)
    knee = 0
    if len(contents.front):
        chosen = contents.front.select("knee")
        knee = [member is chosen for member in contents.front].index(True)
    return {
        "objectives": len(contents.objectives),
        "columns": figures.columns(contents),
        "points": points,
        "front": [{"breaks": list(member.breaks)} for member in contents.front],
        "knee": knee,
        "needs": [need.place for need in wanted],
        "drawings": _drawings(contents, points["front"], {knee, *(need.place for need in wanted)}),
        "progress": figures.progress(contents),
        "truths": figures.truths(contents),
        "supernet": figures.supernet(contents),
        "deploy": f"evonas deploy {shlex.quote(str(contents.path))}",
        "live": not contents.ended,
        "written": int(1000 * time.time()),
    }


def _drawings(contents: Contents, numbers: Sequence[int], always: Iterable[int]) -> dict[int, str]:
    """Return SVG of the front's members by number of point, all where they are not too many."""
    every = range(len(contents.front))
    if len(every) > DRAWINGS:
        step = -(-len(every) // DRAWINGS)
        every = sorted({*every[::step], *always})  # type: ignore[assignment]
    space = str(contents.settings.get("space", ""))
    drawn = {numbers[i]: _drawing(space, contents.front[i].architecture) for i in every}
    return {number: svg for number, svg in drawn.items() if svg}


@lru_cache(maxsize=2048)
def _drawing(space: str, text: str) -> str:
    """Return an architecture as SVG; "" where the space is gone or does not know it."""
    try:
        read = load_space(space)
        return to_svg(draw_architecture(read, read.canonical(read.parse(text))), alone=False)
    except EvonasError:
        return ""


# ------------------------------------------------------------------------------------------------- sections


def _header(contents: Contents, name: str) -> str:
    settings = contents.settings
    space, data = Path(str(settings.get("space", ""))).stem, Path(str(settings.get("data", ""))).name
    written = time.strftime("%Y-%m-%d %H:%M")
    live = ""
    if not contents.ended:
        live = (
            "<div class='live' role='status'><span id='live-text'><b>The search is under way.</b> This page loads "
            "itself anew every ten seconds until it ends.</span><label><input type='checkbox' id='pause'> pause"
            "</label></div>"
        )
    return (
        f"<header><p class='soft small'>evonas report · written {_text(written)}</p><h1>{_text(name)}</h1>"
        f"<p class='soft'>{_text(' · '.join(o.name for o in contents.objectives))} on {_text(data)}, "
        f"space {_text(space)}, {len(contents.texts):,} architectures evaluated</p>{live}</header>"
    )


def _summary(contents: Contents, wanted: Sequence[Need]) -> str:
    trust = "".join(f"<li>{_text(line)}</li>" for line in limits(contents))
    cards = "".join(
        f"<button type='button' class='need' data-place='{need.place}' aria-pressed='false'><b>{_text(need.name)}</b>"
        f"member {need.place}<span>{_text(need.why)}</span></button>"
        for need in wanted
    )
    take = f"<h3>Which member for which need</h3><div class='needs'>{cards}</div>" if cards else ""
    return (
        "<section class='card' aria-labelledby='short'><h2 id='short'>In short</h2><div class='columns'>"
        f"<div><h3>What was found</h3><p>{_text(' '.join(found(contents)))}</p>{take}</div>"
        f"<div><h3>What limits the trust in it</h3><ul>{trust}</ul></div></div></section>"
    )


def _explorer(contents: Contents) -> str:
    left_out = ""
    if len(contents.texts) > figures.POINTS:
        left_out = f" Of {len(contents.texts):,} evaluations an even part of {figures.POINTS:,} is drawn."
    failed = len(contents.causes)
    if failed:
        left_out += f" {failed:,} failed evaluations are not drawn."
    constraints = ""
    if contents.constraints:
        bounds = ", ".join(
            f"{c.objective} {'≤' if c.sign == '<=' else '≥'} {number(c.bound)}" for c in contents.constraints
        )
        constraints = f" Constraints: {bounds}."
    return (
        "<div class='explorer'><section class='card' aria-labelledby='front-title'><h2 id='front-title'>The front</h2>"
        "<div class='axes'><label>Vertical <select id='y'></select></label><label>Horizontal <select id='x'></select>"
        "</label><button type='button' id='swap'>Swap axes</button></div>"
        "<div id='front' class='chart' tabindex='0' role='application' aria-label='Chart of the front. Arrow keys go "
        "from member to member; the table of members holds the same numbers.'></div>"
        "<p class='small soft'>Click a point, or use the arrow keys, for its details. The line joins what no member "
        f"beats.{_text(constraints)}{_text(left_out)}</p></section>"
        "<section class='card' id='details' aria-labelledby='details-title'><div class='bar'>"
        "<h2 id='details-title' aria-live='polite'>Details</h2><span><button type='button' id='previous' "
        "aria-label='previous member of the front'>←</button> <button type='button' id='next' "
        "aria-label='next member of the front'>→</button></span></div><div id='details-body'></div></section>"
        "<section class='card wide' aria-labelledby='drawing-title'><h2 id='drawing-title'>Drawing</h2>"
        "<div id='drawing-body'></div></section></div>"
    )


def _members(contents: Contents) -> str:
    front = contents.front
    names = further(front)
    titles = ["", *map(heading, front.objectives), *names]
    head = "".join(f"<th scope='col'>{_text(title) or 'member'}</th>" for title in titles)
    rows = "".join(
        f"<tr data-place='{place}' aria-selected='false'><th scope='row'>{_text(cells[0])}</th>"
        f"{''.join(f'<td>{_text(cell)}</td>' for cell in cells[1:])}"
        f"<td><button type='button' aria-label='show member {place}'>Show</button></td></tr>"
        for place, member in list(enumerate(front))[:MOST_ROWS]
        for cells in [row(place, member, front.objectives, names)]
    )
    note = " ! breaks a constraint as measured." if any(member.breaks for member in front) else ""
    if len(front) > MOST_ROWS:
        note += f" The first {MOST_ROWS} of {len(front)} are listed; front.csv has all."
    return (
        "<section class='card' aria-labelledby='members'><h2 id='members'>Members of the front</h2>"
        "<div class='scroll tall' tabindex='0' role='region' aria-labelledby='members'><table class='full'>"
        f"<caption>{len(front)} members; ↑ higher is better, ↓ lower is better.{_text(note)}</caption>"
        f"<thead><tr>{head}<th scope='col'>details</th></tr></thead><tbody>{rows}</tbody></table></div>"
        "<details id='gallery'><summary>All drawings</summary><div class='gallery'></div></details></section>"
    )


def _charts(contents: Contents, data: Mapping[str, Any]) -> str:
    parts = []
    if len(contents.objectives) >= 3:
        parts.append(
            "<section class='card' aria-labelledby='parallel-title'><h2 id='parallel-title'>All objectives at once</h2>"
            "<div id='parallel' class='chart' role='img' aria-label='Parallel coordinates of the front; the table of "
            "members holds the same numbers.'></div><p class='small soft'>One line per member; up is better on every "
            "axis, ends are the front's own best and worst.</p></section>"
        )
    curve = data["progress"]
    table = ""
    if curve["evaluations"]:
        places = sorted({round(i * (len(curve["evaluations"]) - 1) / 9) for i in range(10)})
        table = _table(
            "hypervolume after evaluations",
            ("evaluations", "hypervolume"),
            [(f"{curve['evaluations'][i]:,}", f"{curve['hypervolume'][i]:.4f}") for i in places],
        )
    point = ", ".join(f"{o.name} {number(v)}" for o, v in zip(contents.objectives, contents.front.reference))
    parts.append(
        "<section class='card' aria-labelledby='progress-title'><h2 id='progress-title'>How the search went</h2>"
        "<div id='progress' class='chart low' role='img' aria-label='Hypervolume against evaluations.'></div>"
        "<p class='small soft'>Hypervolume of the front so far, each axis scaled to what was seen"
        f"{_text(f', reference point {point}') if point else ''}.</p>{_numbers(table)}</section>"
    )
    return "".join(parts)


def _trust(contents: Contents, data: Mapping[str, Any]) -> str:
    parts = []
    for i, pair in enumerate(data["truths"]):
        rows = [
            ("architectures", f"{len(pair['texts']):,}"),
            ("Kendall's τ", _signed(pair["kendall"])),
            ("Spearman's ρ", _signed(pair["spearman"])),
            ("truth less estimate, mean", number(pair["gap"])),
            ("relative error, median", "–" if pair["error"] is None else f"{pair['error']:.1%}"),
        ]
        listed = list(zip(pair["estimates"], pair["truths"]))[:MOST_ROWS]
        cells = [(number(a, pad=True), number(b, pad=True)) for a, b in listed]
        title = f"{pair['objective']} against {pair['truth']}"
        parts.append(
            f"<div><h3>{_text(title)}</h3><p class='small soft'>{_text(pair['meaning'])}</p>"
            f"<div id='truth{i}' class='chart low' role='img' aria-label='{_text(title)}'></div>"
            f"{_table('', ('figure', 'value'), rows)}"
            f"{_numbers(_table(title, (pair['objective'], pair['truth']), cells))}</div>"
        )
    latency = contents.latency
    if latency:
        device = latency.get("device")
        rows = [
            ("median error on whole networks", _percent(latency.get("error"))),
            ("noise of a measurement, ms", number(_float(latency.get("noise_ms")))),
            ("blocks", f"{len(latency.get('entries', ())):,}"),
            *((str(k), str(v)) for k, v in (device.items() if isinstance(device, Mapping) else ())),
        ]
        parts.append(f"<div><h3>Latency table</h3>{_table('', ('figure', 'value'), rows)}</div>")
    net = data["supernet"]
    if net["epochs"]:
        rows = [(str(k).replace("_", " "), number(_float(v))) for k, v in net["last"].items()]
        pairs = [(str(e), number(v, pad=True)) for e, v in zip(net["epochs"], net["losses"])]
        losses = _table("mean loss", ("epoch", "loss"), pairs)
        parts.append(
            "<div><h3>Training of the supernet</h3><div id='supernet' class='chart low' role='img' "
            "aria-label='Mean loss by epoch.'></div>"
            f"{_table('', ('last epoch', 'value'), rows)}{_numbers(losses)}</div>"
        )
    if net["forgetting"]:
        rows = [
            ("mean", _signed(net["forgetting_mean"])),
            ("standard deviation", number(net["forgetting_sd"])),
            ("architectures read", f"{len(net['forgetting']):,}"),
        ]
        parts.append(
            "<div><h3>Forgetting</h3><p class='small soft'>Accuracy at the end of an epoch less that directly after "
            "the architecture's own update; below 0: forgotten.</p><div id='forgetting' class='chart low' role='img' "
            f"aria-label='Forgetting by update.'></div>{_table('', ('figure', 'value'), rows)}</div>"
        )
    causes = figures.failures(contents)
    if causes:
        rows = [(cause, f"{count:,}") for cause, count in causes[:20]]
        parts.append(f"<div><h3>Failed evaluations</h3>{_table('', ('cause', 'how often'), rows)}</div>")
    if not parts:
        return ""
    return (
        "<section class='card' aria-labelledby='trust'><h2 id='trust'>How far to trust the numbers</h2>"
        f"<div class='pair'>{''.join(parts)}</div></section>"
    )


def _record(contents: Contents) -> str:
    manifest = contents.manifest
    settings = [(name, _plain(value)) for name, value in contents.settings.items()]
    versions = [(name, _plain(value)) for name, value in manifest.get("versions", {}).items() if value]
    machine = [(name, _plain(value)) for name, value in manifest.get("machine", {}).items()]
    more = [
        (name, _plain(value))
        for name, value in manifest.items()
        if name not in ("versions", "machine", "timings", "supernet")
    ]
    tables = [
        ("Settings", settings), ("Timings", figures.timings(contents)), ("Versions", versions),
        ("Machine", machine), ("Manifest", more),
    ]  # fmt: skip
    parts = "".join(f"<div><h3>{name}</h3>{_table('', ('name', 'value'), rows)}</div>" for name, rows in tables if rows)
    return (
        "<section class='card' aria-labelledby='record'><h2 id='record'>Settings, timings and versions</h2>"
        f"<div class='pair'>{parts}</div></section>"
    )


def _footer(contents: Contents) -> str:
    run = shlex.quote(str(contents.path))
    commands = [f"evonas deploy {run} --select knee", f"evonas train {run} --select knee", f"evonas report {run}"]
    if not contents.ended:
        commands.insert(0, f"evonas resume {run}")
    return (
        "<footer class='soft small'><p>Next commands:</p><pre tabindex='0'>"
        + _text("\n".join(commands))
        + "</pre></footer>"
    )


# ---------------------------------------------------------------------------------------------------- pieces


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text; the second one too where it holds no numbers."""
    prose = any(len(line[-1]) > 24 for line in rows)
    kind = " class='text'" if prose else ""
    head = f"<th scope='col' class='text'>{_text(headings[0])}</th>" + "".join(
        f"<th scope='col'{kind}>{_text(name)}</th>" for name in headings[1:]
    )
    body = "".join(
        f"<tr><th scope='row' class='text'>{_text(first)}</th>"
        f"{''.join(f'<td{kind}>{_text(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    title = f"<caption>{_text(caption)}</caption>" if caption else ""
    return f"<div class='scroll'><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _numbers(table: str) -> str:
    return f"<details><summary>The numbers</summary>{table}</details>" if table else ""


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _percent(value: Any) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) else "–"


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items()) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
