"""``evonas front``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
        typer.Option(help="Show only members that keep to a bound such as flops<=10e6; repeat for more."),
    ] = None,
    select: Annotated[
        str, typer.Option(help="The member to mark: knee, best:OBJECTIVE, index:N, or an architecture's text.")
    ] = "knee",
) -> None:
    """Show, export and draw the front of a run."""
    from evonas.errors import SettingsError, suggest
    from evonas.files.whole import write_whole
    from evonas.report import gather, plot_front
    from evonas.report.listing import places, to_markdown, to_parquet
    from evonas.runs.run import Run

    if format not in FORMATS:
        raise SettingsError(f"Unknown format '{format}': expected {', '.join(FORMATS)}.{suggest(format, FORMATS)}")
    for file in (out, plot):
        if file is not None and file.is_dir():
            raise SettingsError(f"Expected a file to write, got the folder {file}: name a file in it")
    if plot is not None and plot.suffix.lower() != ".png":
        raise SettingsError(f"Expected a file ending in .png for --plot, got {plot}")
    if format == "parquet" and out is None:
        raise SettingsError("Parquet is no text: name a file with --out FILE.parquet")
    with Run.open(run) as opened:
        contents = gather(opened)
    whole = contents.front
    kept = whole.where(where or [])
    numbers = places(whole, kept)
    marked = kept.select(select) if len(kept) else None
    if plot is not None:
        write_whole(plot, plot_front(contents, marked))
    if format == "table":
        text: str | bytes = _table(contents, kept, numbers, marked, str(run), out is None)
    elif format == "parquet":
        text = to_parquet(kept)
    else:
        text = to_markdown(kept, numbers) if format == "md" else kept.to_csv() if format == "csv" else kept.to_json()
    if out is not None:
        write_whole(out, text)
    elif text:
        typer.echo(text, nl=not str(text).endswith("\n"))
    for file in (out, plot):
        if file is not None:
            typer.echo(f"Wrote {file}", err=True)


def _table(contents: Contents, kept: Front, numbers: list[int], marked: Member | None, run: str, shown: bool) -> str:
    """Return the table and the words below it; printed at once where it goes to the terminal."""
    import io
    import shlex

    from rich.console import Console
    from rich.table import Table

    from evonas.report.listing import further, heading, row
    from evonas.report.origins import number, origin

    console = Console() if shown else Console(file=io.StringIO(), width=200)
    if not console.is_terminal:
        console.width = 200
    names = further(kept)
    rows = [row(place, member, kept.objectives, names) for place, member in zip(numbers, kept, strict=True)]
    titles = ["index", *map(heading, kept.objectives), *names]
    widths = [max(len(cells[i]) for cells in [titles, *rows]) + 3 for i in range(len(titles))]
    fixed = 1 + len(kept.objectives)
    while len(titles) > fixed and sum(widths[: len(titles)]) + 12 > console.width:
        titles.pop()
    table = Table(
        title=f"{len(kept)} of {len(contents.front)} members on the front" if len(kept) < len(contents.front)
        else f"{len(kept)} member{'s' if len(kept) != 1 else ''} on the front",
        title_justify="left", title_style="bold",
    )  # fmt: skip
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for member, cells in zip(kept, rows, strict=True):
        chosen = member is marked
        table.add_row(*cells[: len(titles)], "← selected" if chosen else "", style="bold" if chosen else None)
    console.print(table)

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    if left := names[len(titles) - fixed :]:
        say(f"Not shown for want of room: {', '.join(left)} (--format csv has them).")
    if any(member.breaks for member in kept):
        say("! breaks a constraint now that it was measured whole.")
    whole = contents.front
    if whole.hypervolume is not None:
        point = ", ".join(f"{o.name} {number(v)}" for o, v in zip(whole.objectives, whole.reference, strict=True))
        say(
            f"Hypervolume {whole.hypervolume:.4f} of the whole front, each axis scaled to what was seen, "
            f"reference point ({point})."
        )
    say("  ".join(f"{o.name}: {origin(o.name, contents.settings)}." for o in kept.objectives))
    if not contents.ended:
        say(f"The search has not ended; this is the front so far. To go on:\n  evonas resume {shlex.quote(run)}")
    elif marked is not None:
        place = numbers[[member is marked for member in kept].index(True)]
        say(f"Next:\n  evonas deploy {shlex.quote(run)} --select index:{place}")
    elif contents.front.members:
        say("No member keeps to all of --where.")
    return "" if shown else console.file.getvalue()  # type: ignore[attr-defined]
