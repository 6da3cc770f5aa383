"""Sections of the report's page, in their order."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.report import figures
from evonas.report.amounts import is_accuracy, reference_text, shown
from evonas.report.cards import no_knee
from evonas.report.contents import Contents
from evonas.report.markup import as_float, as_text, numbers, percent, signed, table, text
from evonas.report.origins import number
from evonas.report.summary import found, limits, quality
from evonas.report.trust import trust_rows

MOST_ROWS = 500
"""Rows of a table at most."""
NAMES = {"trace_over_d": "trace(P) / d, share of directions left free"}
"""What a supernet's figures are called where their own names do not tell."""


def header(contents: Contents, name: str) -> str:
    """Return name, data and size of the run, and whether it is still under way."""
    settings = contents.settings
    space, data = Path(str(settings.get("space", ""))).stem, Path(str(settings.get("data", "digits"))).name
    written = time.strftime("%Y-%m-%d %H:%M")
    live = ""
    if not contents.ended:
        live = (
            "<div class='live' role='status'><span id='live-text'><b>The search is under way.</b> This page loads "
            "itself again every ten seconds until it ends.</span><label><input type='checkbox' id='pause'> pause"
            "</label></div>"
        )
    return (
        f"<header><p class='soft small'>evonas report · written {text(written)}</p><h1>{text(name)}</h1>"
        f"<p class='soft'>{text(' · '.join(o.name for o in contents.objectives))} on {text(data)}, "
        f"space {text(space)}, {len(contents.texts):,} architectures evaluated</p>{live}</header>"
    )


def explorer() -> str:
    """Return the room for a member's details and drawing, beside each other where there is width."""
    return (
        "<div class='explorer'><section class='card' id='details' aria-labelledby='details-title'><div class='bar'>"
        "<h2 id='details-title' aria-live='polite'>Details</h2><span><button type='button' id='previous' "
        "aria-label='previous member of the front'>←</button> <button type='button' id='next' "
        "aria-label='next member of the front'>→</button></span></div><div id='details-body'></div></section>"
        "<section class='card' aria-labelledby='drawing-title'><h2 id='drawing-title'>Drawing</h2>"
        "<div id='drawing-body'></div></section></div>"
    )


def summary(contents: Contents) -> str:
    """Return what was found and what limits the trust in it, in sentences."""
    trust = "".join(f"<li>{text(line)}</li>" for line in limits(contents))
    return (
        "<section class='card' aria-labelledby='short'><h2 id='short'>In words</h2><div class='columns'>"
        f"<div><h3>What was found</h3><p>{text(' '.join(found(contents)))}</p></div>"
        f"<div><h3>What limits the trust in it</h3><ul>{trust}</ul></div></div></section>"
    )


def charts(contents: Contents, data: Mapping[str, Any]) -> str:
    """Return the charts of all objectives at once and of the search's progress."""
    parts = []
    if len(contents.objectives) >= 3:
        parts.append(
            "<section class='card' aria-labelledby='parallel-title'><h2 id='parallel-title'>All objectives at once</h2>"
            "<div id='parallel' class='chart' role='img' aria-label='Parallel coordinates of the front; the table of "
            "members holds the same numbers.'></div><p class='small soft'>One line per member; up is better on every "
            "axis, ends are the front's own best and worst.</p></section>"
        )
    curve = data["progress"]
    shown = ""
    if curve["evaluations"]:
        shown_rows = sorted({round(i * (len(curve["evaluations"]) - 1) / 9) for i in range(10)})
        shown = table(
            "hypervolume after evaluations",
            ("evaluations", "hypervolume"),
            [(f"{curve['evaluations'][i]:,}", f"{curve['hypervolume'][i]:.4f}") for i in shown_rows],
        )
    reference = curve.get("reference_point", contents.front.reference)
    point = reference_text(contents.objectives, reference)
    seen = "what it and random sampling saw" if "others" in curve else "what was seen"
    parts.append(
        "<section class='card' aria-labelledby='progress-title'><h2 id='progress-title'>How the search went</h2>"
        "<div id='progress' class='chart low' role='img' aria-label='Hypervolume against evaluations.'></div>"
        "<p class='small soft'>Hypervolume of the front so far, each axis scaled to "
        f"{seen}{text(f', reference point {point}') if point else ''}.</p>{numbers(shown)}</section>"
    )
    return "".join(parts)


def trust(contents: Contents, data: Mapping[str, Any]) -> str:
    """Return what tells how far to trust estimates: truths, latency table, supernet, predictors, failures."""
    parts = [
        *_signals(contents.manifest),
        *_truths(data["truths"]),
        *_latency_table(contents.latency),
        *_supernet(data["supernet"], quality(contents)),
        *_predictors(contents),
        *_failures(contents),
    ]
    if not parts:
        return ""
    return (
        "<section class='card' aria-labelledby='trust'><h2 id='trust'>How far to trust the numbers</h2>"
        f"<div class='pair'>{''.join(parts)}</div></section>"
    )


def _signals(manifest: Mapping[str, Any]) -> list[str]:
    """Return how well `acc` and each signal order the anchors."""
    rows = trust_rows(manifest)
    if not rows:
        return []
    return [
        "<div><h3>Order of the trained anchors</h3><p class='small soft'>Kendall's τ with what short trainings gave, "
        "acc predicting each without itself; an interval that holds 0 does not differ from chance.</p>"
        f"{table('', ('signal', 'τ', '95 % interval', 'anchors'), rows)}</div>"
    ]


def _truths(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one chart and its tables for each pair of an estimate and what is known better."""
    parts = []
    for i, pair in enumerate(pairs):
        rows = [
            ("architectures", f"{len(pair['texts']):,}"),
            ("Kendall's τ", signed(pair["kendall"])),
            ("Spearman's ρ", signed(pair["spearman"])),
            (f"{pair['truth']} less {pair['less']}, mean", _gap(pair)),
            ("relative error, median", "–" if pair["error"] is None else f"{pair['error']:.1%}"),
        ]
        listed = list(zip(pair["estimates"], pair["truths"], strict=True))[:MOST_ROWS]
        names = (pair["estimate"], pair["truth"])
        cells = [tuple(shown(v, n, pair["unit"], pad=True) for v, n in zip(row, names, strict=True)) for row in listed]
        heads = [f"{name} {unit}".strip() for name, unit in zip(names, pair["units"], strict=True)]
        title = f"{pair['estimate']} against {pair['truth']}"
        parts.append(
            f"<div><h3>{text(title)}</h3><p class='small soft'>{text(pair['meaning'])}</p>"
            f"<div id='truth{i}' class='chart low' role='img' aria-label='{text(title)}'></div>"
            f"{table('', ('figure', 'value'), rows)}"
            f"{numbers(table(title, heads, cells))}</div>"
        )
    return parts


def _gap(pair: Mapping[str, Any]) -> str:
    """Return the mean difference of a pair, of accuracies in points."""
    return f"{100 * pair['gap']:+.2f} points" if is_accuracy(pair["truth"], pair["unit"]) else number(pair["gap"])


def _latency_table(latency: Mapping[str, Any]) -> list[str]:
    """Return how good the latency table is."""
    parts: list[str] = []
    if latency:
        device = latency.get("device")
        rows = [
            ("median error on whole networks", percent(latency.get("error"))),
            ("noise of a measurement, ms", number(as_float(latency.get("noise_ms")))),
            ("blocks", f"{len(latency.get('blocks', ())):,}"),
            *((str(k), str(v)) for k, v in (device.items() if isinstance(device, Mapping) else ())),
        ]
        parts.append(f"<div><h3>Latency table</h3>{table('', ('figure', 'value'), rows)}</div>")
    return parts


def _supernet(net: Mapping[str, Any], measure: str) -> list[str]:
    """Return the course of the supernet's training and what it forgot."""
    parts: list[str] = []
    if net["epochs"]:
        rows = [(NAMES.get(str(k), str(k).replace("_", " ")), number(as_float(v))) for k, v in net["last"].items()]
        pairs = [(str(e), number(v, pad=True)) for e, v in zip(net["epochs"], net["losses"], strict=True)]
        losses = table("mean loss", ("epoch", "loss"), pairs)
        parts.append(
            "<div><h3>Training of the supernet</h3><div id='supernet' class='chart low' role='img' "
            "aria-label='Mean loss by epoch.'></div>"
            f"{table('', ('last epoch', 'value'), rows)}{numbers(losses)}</div>"
        )
    if net["forgetting"]:
        rows = [
            ("mean", signed(net["forgetting_mean"])),
            ("standard deviation", number(net["forgetting_sd"])),
            ("architectures read", f"{len(net['forgetting']):,}"),
        ]
        parts.append(
            f"<div><h3>Forgetting</h3><p class='small soft'>{text(measure.capitalize())} at the end of an "
            "epoch less that directly after the architecture's own update; below 0: forgotten.</p>"
            "<div id='forgetting' class='chart low' role='img' "
            f"aria-label='Forgetting by update.'></div>{table('', ('figure', 'value'), rows)}</div>"
        )
    return parts


def _predictors(contents: Contents) -> list[str]:
    """Return which predictors a surrogate chose."""
    parts: list[str] = []
    chosen = figures.predictors(contents)
    if chosen:
        counts = Counter((row["objective"], row["predictor"]) for row in chosen)
        last = {(row["objective"], row["predictor"]): row["spearman"] for row in chosen}
        ranked = [(*key, f"{count:,}", signed(last[key])) for key, count in counts.most_common()]
        each = [(f"{r['round']}", r["objective"], r["predictor"], signed(r["spearman"])) for r in chosen[-MOST_ROWS:]]
        parts.append(
            "<div><h3>Predictors</h3><p class='small soft'>What the surrogate's rounds trusted; ρ: rank correlation "
            "in cross-validation, on architectures that the predictor had not seen.</p>"
            f"{table('', ('objective', 'predictor', 'rounds', 'last ρ'), ranked)}"
            f"{numbers(table('round by round', ('round', 'objective', 'predictor', 'ρ'), each))}</div>"
        )
    return parts


def _failures(contents: Contents) -> list[str]:
    """Return the causes of failed evaluations."""
    parts: list[str] = []
    causes = figures.failures(contents)
    if causes:
        rows = [(cause, f"{count:,}") for cause, count in causes[:20]]
        parts.append(f"<div><h3>Failed evaluations</h3>{table('', ('cause', 'how often'), rows)}</div>")
    return parts


def record(contents: Contents) -> str:
    """Return settings, timings, versions and machine."""
    manifest = contents.manifest
    settings = [(name, as_text(value)) for name, value in contents.settings.items()]
    versions = [(name, as_text(value)) for name, value in manifest.get("versions", {}).items() if value]
    machine = [(name, as_text(value)) for name, value in manifest.get("machine", {}).items()]
    more = [
        (name, as_text(value))
        for name, value in manifest.items()
        if name not in ("versions", "machine", "timings", "supernet")
    ]
    tables = [
        ("Settings", settings), ("Timings", figures.timings(contents)), ("Versions", versions),
        ("Machine", machine), ("Manifest", more),
    ]  # fmt: skip
    parts = "".join(f"<div><h3>{name}</h3>{table('', ('name', 'value'), rows)}</div>" for name, rows in tables if rows)
    return (
        "<section class='card' aria-labelledby='record'><h2 id='record'>Settings, timings and versions</h2>"
        f"<div class='pair'>{parts}</div></section>"
    )


def footer(contents: Contents) -> str:
    """Return the commands to type next."""
    run = shlex.quote(str(contents.path))
    best = shlex.quote(f"best:{contents.objectives[0].name}")
    select = "knee" if no_knee(contents.manifest) is None else best
    commands = [f"evonas {verb} {run} --select {select}" for verb in ("deploy", "train")] + [f"evonas report {run}"]
    if not contents.ended:
        commands.insert(0, f"evonas resume {run}")
    return (
        "<footer class='soft small'><p>Next commands:</p><pre tabindex='0'>"
        + text("\n".join(commands))
        + "</pre></footer>"
    )
