"""``evonas front``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import MEMBER

if TYPE_CHECKING:
    from evonas.pareto.front import Front, Member
    from evonas.report import Contents

FORMATS = ("table", "csv", "json", "md", "parquet")


def front(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    format: Annotated[str, typer.Option(help=f"{', '.join(FORMATS)}.")] = "table",
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the front into this PNG file.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Show only members that keep to a bound such as flops<=10M; repeat for more."),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help=f"The member to mark: {MEMBER}. [default: knee, unless the search has learnt nothing yet]"),
    ] = None,
) -> None:
    """Show, export and draw the front of a run."""
    from evonas.files.whole import write_whole
    from evonas.report import gather, plot_front
    from evonas.report.cards import knee_warning, no_knee
    from evonas.report.listing import front_indices
    from evonas.runs.run import Run

    _check(format, out, plot)
    with Run.open(run) as opened:
        contents = gather(opened)
    kept = contents.front.where(where or [])
    chosen = select or ("knee" if no_knee(contents.manifest) is None else None)
    marked = kept.select(chosen) if len(kept) and chosen is not None else None
    for line in knee_warning(contents.manifest, select or ""):
        typer.echo(line, err=True)
    if plot is not None:
        write_whole(plot, plot_front(contents, marked))
    numbers = front_indices(contents.front, kept)
    if format == "table":
        text: str | bytes = _table(contents, kept, numbers, marked, str(run), out is None, chosen == "knee")
    else:
        text = _in_format(format, kept, numbers)
    if out is not None:
        write_whole(out, text)
    elif text:
        typer.echo(text, nl=not str(text).endswith("\n"))
    for file in (out, plot):
        if file is not None:
            typer.echo(f"Wrote {file}", err=True)


def _check(format: str, out: Path | None, plot: Path | None) -> None:
    """Refuse options that do not go together before the run is read."""
    from evonas.errors import SettingsError, suggest

    if format not in FORMATS:
        raise SettingsError(f"Unknown format '{format}': expected {', '.join(FORMATS)}.{suggest(format, FORMATS)}")
    for file in (out, plot):
        if file is not None and file.is_dir():
            raise SettingsError(f"Expected a file to write, got the folder {file}: name a file in it")
    if plot is not None and plot.suffix.lower() != ".png":
        raise SettingsError(f"Expected a file ending in .png for --plot, got {plot}")
    if format == "parquet" and out is None:
        raise SettingsError("Parquet is no text: name a file with --out FILE.parquet")


def _in_format(format: str, kept: Front, numbers: list[int]) -> str | bytes:
    from evonas.report.listing import to_markdown, to_parquet

    if format == "parquet":
        return to_parquet(kept)
    return to_markdown(kept, numbers) if format == "md" else kept.to_csv() if format == "csv" else kept.to_json()


def _table(
    contents: Contents, kept: Front, numbers: list[int], marked: Member | None, run: str, shown: bool, knee: bool
) -> str:
    """Return the table and the words below it; printed at once where it goes to the terminal."""
    import io

    from rich.console import Console
    from rich.table import Table

    from evonas.report.amounts import heading, known_heading
    from evonas.report.listing import further, row
    from evonas.report.terminal import fitting, lines_below, narrowed, title_of

    written = io.StringIO()
    console = Console() if shown else Console(file=written, width=200)
    if not console.is_terminal:
        console.width = 200
    names = further(kept)
    rows = [row(index, member, kept.objectives, names) for index, member in zip(numbers, kept, strict=True)]
    fixed = 1 + len(kept.objectives)
    titles = fitting(["index", *map(heading, kept.objectives), *map(known_heading, names)], rows, fixed, console.width)
    titles, rows, narrow = narrowed(titles, rows, console.width)
    table = Table(title=title_of(kept, contents.front), title_justify="left", title_style="bold")
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    equal = kept.values
    for first, more in kept.distinct():
        # Of equal members one stands for all: the selected one where it is among them.
        same = [i for i in range(len(kept)) if (equal[i] == equal[first]).all()]
        shown_one = next((i for i in same if kept[i] is marked), first)
        chosen = kept[shown_one] is marked
        words = [f"+{more}" if narrow else f"and {more} more of equal value"] * (more > 0)
        words += ["←" if narrow else "← selected"] * chosen
        table.add_row(*rows[shown_one], "  ".join(words), style="bold" if chosen else None)
    console.print(table)
    left = [*["intervals"] * narrow, *names[len(titles) - fixed :]]
    for line in lines_below(contents, kept, numbers, marked, left, run, knee=knee):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return written.getvalue()
