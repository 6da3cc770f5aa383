"""Page of a search with several seeds: one small HTML file beside its runs."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from evonas.files.whole import write_whole
from evonas.pareto.seed_comparison import SeedComparison
from evonas.report.amounts import heading
from evonas.report.markup import numbers, table, text
from evonas.report.seeds_figure import plot_seeds
from evonas.report.seeds_listing import (
    median_rows,
    median_title,
    returning_rows,
    returning_title,
    seed_headings,
    seed_rows,
    words,
)

__all__ = ["make_seeds_page", "write_seeds_report"]


def write_seeds_report(
    folder: Path, found: SeedComparison, runs: Mapping[int, Path], failed: Mapping[int, str]
) -> list[Path]:
    """Write the page ``report.html`` and, where surfaces can be drawn, ``attainment.png`` into a folder.

    Args:
        folder: Where.
        found: The comparison.
        runs: Run directories by seed.
        failed: Why a seed has no front, by seed.

    Returns:
        The files.

    Raises:
        MissingExtraError: matplotlib is not installed.
        RunError: A file cannot be written.
    """
    written = []
    picture = plot_seeds(found) if found.surfaces else None
    if picture is not None:
        written.append(folder / "attainment.png")
        write_whole(written[0], picture)
    reports = {seed: os.path.relpath(run / "report.html", folder) for seed, run in runs.items()}
    page = folder / "report.html"
    write_whole(page, make_seeds_page(folder.resolve().name, found, picture, reports, failed))
    return [page, *written]


def make_seeds_page(
    name: str, found: SeedComparison, picture: bytes | None, reports: Mapping[int, str], failed: Mapping[int, str]
) -> str:
    """Return the page: HTML that runs no script and loads nothing.

    Args:
        name: Of the search.
        found: The comparison.
        picture: Its PNG; None: there is none.
        reports: Links to the reports of single seeds.
        failed: Why a seed has no front, by seed.
    """
    style = resources.files("evonas.report").joinpath("page.css").read_text(encoding="utf-8")
    headings = [heading(objective) for objective in found.objectives]
    links = ", ".join(f"<a href='{text(link)}'>seed {seed}</a>" for seed, link in reports.items())
    drawing = "" if picture is None else (
        f"<img style='width:100%;max-width:900px;height:auto' src='data:image/png;base64,"
        f"{base64.b64encode(picture).decode()}' alt='{text(median_title(found))}; the tables hold the same numbers.'>"
    )  # fmt: skip
    causes = "".join(f"<p>Seed {seed} has no front: {text(cause)}</p>" for seed, cause in failed.items())
    sentences = "".join(f"<p>{text(line)}</p>" for line in words(found))
    median, returning = median_rows(found), returning_rows(found)
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'\">"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'><meta name='generator' content='evonas'>"
        f"<title>{text(name)} – evonas seeds</title><style>{style}</style></head><body>"
        f"<header><h1>{text(name)}</h1><p>One search with {len(found.fronts)} seeds.</p></header><main>"
        f"<section class='card'><h2>{text(median_title(found))}</h2>{drawing}{sentences}{causes}"
        f"{numbers(table('', headings, median)) if median else ''}</section>"
        f"<section class='card'><h2>Seed by seed</h2>{table('', seed_headings(found), seed_rows(found))}"
        f"<p>Reports: {links}.</p></section>"
        f"<section class='card'><h2>{text(returning_title(found))}</h2>"
        f"{table('', ['id', 'seeds', *headings], returning) if returning else ''}"
        "<p class='soft'>Architectures are the same where their canonical forms are.</p></section>"
        "</main></body></html>\n"
    )
