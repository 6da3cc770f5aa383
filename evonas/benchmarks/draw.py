"""Figures of the benchmarks, from their results: the numbers are made elsewhere."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.benchmarks.anchors import means
from evonas.errors import require

COLORS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c")


def draw_anytime(results: Mapping[str, Any]) -> bytes:
    """Draw hypervolume against evaluations: median and quartiles over the seeds.

    Args:
        results: What `bench_search` returned.

    Returns:
        A PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure, axes = new_figure()
    truth = results["true_hypervolume"]
    for curve, color in zip(results["anytime"], _cycle(results["anytime"]), strict=True):
        percent = {key: 100 * np.array(curve[key]) / truth for key in ("q25", "median", "q75")}
        axes.plot(curve["evaluations"], percent["median"], color=color, label=curve["algorithm"])
        axes.fill_between(curve["evaluations"], percent["q25"], percent["q75"], color=color, alpha=0.2, lw=0)
    axes.axhline(100, color="black", lw=0.8, ls=":")
    # The first few evaluations would press all that matters into a line at the top.
    settled = [
        100 * value / truth
        for curve in results["anytime"]
        for count, value in zip(curve["evaluations"], curve["q25"], strict=True)
        if count >= 0.04 * curve["evaluations"][-1]
    ]
    low = min(settled, default=0.0)
    axes.set_ylim(low - 0.05 * (100 - low) - 1e-3, 100 + 0.05 * (100 - low) + 1e-3)
    names = " against ".join(objective["name"] for objective in results["objectives"])
    axes.set_title(f"{results['space']}: {names}")
    axes.set_xlabel("evaluations")
    axes.set_ylabel(f"hypervolume, % of the true front's\n(median, quartiles, {len(results['seeds'])} seeds)")
    axes.legend(loc="lower right")
    return figure_bytes(figure)


def draw_proxies(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw Spearman's rho, and Kendall's tau inside the true top 30 %, of every proxy: mean and range.

    Args:
        rows: What `bench_proxies` returned.
    """
    figure, axes = new_figure()
    names = list(dict.fromkeys(row["proxy"] for row in rows))
    for offset, key, label, color in (
        (-0.2, "spearman", "Spearman", COLORS[0]),
        (0.2, "kendall_top30", "Kendall, top 30 %", COLORS[1]),
    ):
        # No bar where a correlation is not known for any seed.
        known = [row for row in rows if not np.isnan(row[key])]
        values = [[row[key] for row in known if row["proxy"] == name] for name in names]
        means = np.array([np.mean(one) if one else 0.0 for one in values])
        ends = np.array([(min(one), max(one)) if one else (0.0, 0.0) for one in values]).T
        center = np.arange(len(names)) + offset
        axes.bar(center, means, 0.36, yerr=np.abs(ends - means), color=color, label=label, error_kw={"lw": 0.8})
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_ylabel("rank correlation with the target")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return figure_bytes(figure)


def draw_anchors(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw Kendall's tau of every signal against the number of anchors: mean and standard error over the seeds.

    Args:
        rows: What `bench_anchors` returned.
    """
    figure, axes = new_figure()
    found = means(rows)
    signals = list(dict.fromkeys(signal for signal, _ in found))
    for signal, color in zip(signals, _cycle(signals), strict=True):
        counts = sorted(count for name, count in found if name == signal)
        middle, error = np.array([found[signal, count]["tau"] for count in counts]).T
        learned = signal in ("acc", "forest")
        axes.plot(counts, middle, color=color, label=signal, lw=2 if learned else 1, ls="-" if learned else "--")
        axes.fill_between(counts, middle - error, middle + error, color=color, alpha=0.2, lw=0)
    axes.set_xlabel("anchors")
    axes.set_ylabel("Kendall's tau on networks that are no anchors")
    axes.legend(fontsize="small", ncols=2)
    return figure_bytes(figure)


def draw_improvements(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the relative improvement of methods over random sampling, one group per data set.

    Args:
        rows: What `bench_published` returned.
    """
    figure, axes = new_figure()
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    width = 0.8 / len(methods)
    for i, (method, color) in enumerate(zip(methods, _cycle(methods), strict=True)):
        values = [next(r["ri"] for r in rows if (r["method"], r["dataset"]) == (method, d)) for d in datasets]
        axes.bar(np.arange(len(datasets)) + (i + 0.5) * width - 0.4, values, width, label=method, color=color)
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(range(len(datasets)), datasets)
    axes.set_ylabel("relative improvement over random sampling, %")
    axes.legend(ncols=2, fontsize="small")
    return figure_bytes(figure)


def draw_supernet(results: Mapping[str, Any], estimate: str = "prior") -> bytes:
    """Draw estimate against truth, one panel per rule and budget, of the first seed.

    Args:
        results: What `bench_supernet` returned.
        estimate: Which of its estimates.
    """
    rows = {(row["rule"], row["passes"]): row for row in results["rows"] if row["estimate"] == estimate}
    first: dict[tuple[str, int], Any] = {}
    for trial in results["trials"]:
        first.setdefault((trial["rule"], trial["passes"]), trial["estimates"][estimate])
    columns = min(4, len(first))
    lines = -(-len(first) // columns)
    figure = require("matplotlib.figure", "report").Figure(
        figsize=(3.2 * columns, 3.2 * lines), dpi=120, layout="constrained"
    )
    for index, ((rule, passes), values) in enumerate(first.items(), start=1):
        axes = figure.add_subplot(lines, columns, index)
        axes.plot(results["truth"], values, ".", ms=3, color=COLORS[0])
        row = rows[rule, passes]
        axes.set_title(f"{rule}, {passes} passes\nτ {row['tau']:.2f}, top 30 %: {row['top30']:.2f}", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.supxlabel(f"true {results['setting']['target']}", fontsize=9)
    figure.supylabel(f"estimate ({estimate})", fontsize=9)
    return figure_bytes(figure)


def _cycle(items: Sequence[Any]) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(len(items))]


def new_figure() -> tuple[Any, Any]:
    """Return a figure and its axes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    # The figure's own canvas, not pyplot: no global state, no display.
    figure = require("matplotlib.figure", "report").Figure(figsize=(7, 4.5), dpi=150, layout="constrained")
    return figure, figure.add_subplot()


def figure_bytes(figure: Any) -> bytes:
    """Return a figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
