"""``evonas bench estimator``: how well accuracy is estimated, measured on tables or on trainings made here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.bench import Out, Space, _cell, _numbers, _progress, _show, _write, bench
from evonas.cli.options import SIZE_HELP, read_size
from evonas.files.size import Size

HERE = "Without --low: trainings made here"


@bench.command("estimator")
def bench_estimator(
    space: Space = "darts",
    table: Annotated[
        list[Path] | None,
        typer.Option(help="A CSV of measured truth, or an .npz of curves; repeat to join. [default: trainings here]"),
    ] = None,
    low: Annotated[
        str | None,
        typer.Option(help="The column that plays a short training, COLUMN[:EPOCHS]; of a curve the epoch read."),
    ] = None,
    high: Annotated[
        str | None,
        typer.Option(help="The column to be ranked, COLUMN[:EPOCHS] or mean(COLUMN,COLUMN); more is better."),
    ] = None,
    anchors: Annotated[str, typer.Option(help="How many rows are known at low fidelity.")] = "0,8,16,32,64,100",
    seeds: Annotated[int, typer.Option(min=1, help="Choices of anchors.")] = 20,
    proxy_scores: Annotated[
        Path | None, typer.Option(help="A CSV of training-free scores: signals; rows without any are left out.")
    ] = None,
    supernet: Annotated[Path | None, typer.Option(help="A run whose shared weights are a signal.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=20, help="Measure on that many rows, drawn by the seed. [default: all]")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Images for SWAP and SynFlow; without --low to train on. [default: none; without --low digits]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn once: rows, and all without --low.")] = 0,
    target: Annotated[
        str, typer.Option(help="The table's column that is the truth; with --low it is --high.", rich_help_panel=HERE)
    ] = "acc",
    networks: Annotated[
        int, typer.Option(min=10, help="Architectures trained; with --low see --limit.", rich_help_panel=HERE)
    ] = 40,
    skeleton: Annotated[str, typer.Option(help="Skeleton.", rich_help_panel=HERE)] = "small",
    width: Annotated[
        float | None, typer.Option(help="Width of the skeleton. [default: the skeleton's]", rich_help_panel=HERE)
    ] = None,
    resolution: Annotated[str | None, typer.Option(metavar="H[xW]", help=SIZE_HELP, rich_help_panel=HERE)] = None,
    train_limit: Annotated[
        int | None, typer.Option(min=10, help="Use that many training images. [default: all]", rich_help_panel=HERE)
    ] = None,
    estimator: Annotated[
        str, typer.Option(help="Short training: train:EPOCHS or train:EPOCHS+inherit.", rich_help_panel=HERE)
    ] = "train:5",
    sharing: Annotated[str, typer.Option(help="How weights are shared.", rich_help_panel=HERE)] = "disturbance-immune",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of supernet training.", rich_help_panel=HERE)] = 30,
    recipe: Annotated[str, typer.Option(help="Recipe of a full training.", rich_help_panel=HERE)] = "quick",
    out: Out = None,
) -> None:
    """How well accuracy is estimated: Kendall's tau with truth of every signal and of the ranker, `acc`.

    With --low and --high the columns of a table play trainings: the ranker learns from some rows at low fidelity
    (anchors, chosen in rounds as a search does) and is measured on all others at high fidelity, beside FLOPs, scores,
    and a random forest on one-hot genes. Nothing is trained, and neither images nor shared weights are needed.

    Without --low, --networks architectures get a short and a full training here (or --target of the table is their
    truth), and rank correlations are those of FLOPs, SWAP, the supernet, and a predictor learned from the short ones.
    """
    from evonas.errors import SettingsError

    if (low is None) != (high is None):
        raise SettingsError("Expected --low and --high together, got one: name the columns of both fidelities.")
    if low is not None and high is not None:
        if not table:
            raise SettingsError("Expected --table with --low and --high, got none: give the file that holds them.")
        rows = _on_tables(space, table, low, high, anchors, seeds, proxy_scores, supernet, data, limit, seed)
        _write(out, rows, rows, lambda: _figure(rows))
        return
    for name, value in (("--proxy-scores", proxy_scores), ("--supernet", supernet), ("--limit", limit)):
        if value is not None:
            raise SettingsError(f"{name} goes with --low and --high, got it without them.")
    rows = _on_trainings(
        space, table, target, data or "digits", skeleton, width, read_size(resolution), train_limit, networks,
        estimator, sharing, epochs, recipe, seed,
    )  # fmt: skip
    _write(out, rows, rows, None)


def _figure(rows: list[dict[str, Any]]) -> bytes:
    from evonas.benchmarks import draw_anchors

    return draw_anchors(rows)


def _on_tables(
    space: str,
    table: list[Path],
    low: str,
    high: str,
    anchors: str,
    seeds: int,
    proxy_scores: Path | None,
    supernet: Path | None,
    data: str | None,
    limit: int | None,
    seed: int,
) -> list[dict[str, Any]]:
    """Return and show how signals and the ranker put a table's rows in order."""
    from evonas.benchmarks.anchor_table import bench_table

    result = bench_table(
        space, table, low, high, counts=_numbers(anchors), seeds=seeds, proxy_scores=proxy_scores, supernet=supernet,
        data=data, limit=limit, seed=seed, progress=_progress,
    )  # fmt: skip
    _show(["signal", "anchors", "tau", "top 30 %", "top 10 %"], list(_summary(result.rows)))
    typer.echo(result.note)
    return result.rows


def _summary(rows: list[dict[str, Any]]) -> Iterable[list[str]]:
    """Yield the mean over the seeds of each signal and number of anchors, with its standard error."""
    from evonas.benchmarks.anchors import TOPS, means

    for (signal, anchors), found in means(rows).items():
        yield [signal, str(anchors), *(f"{found[key][0]:.3f} ± {found[key][1]:.3f}" for key in TOPS)]


def _on_trainings(
    space: str,
    table: list[Path] | None,
    target: str,
    data: str,
    skeleton: str,
    width: float | None,
    resolution: Size | None,
    train_limit: int | None,
    networks: int,
    estimator: str,
    sharing: str,
    epochs: int,
    recipe: str,
    seed: int,
) -> list[dict[str, Any]]:
    """Return and show how estimates put architectures in order that are trained here."""
    from evonas.data.names import check_data
    from evonas.errors import SettingsError
    from evonas.objectives.accuracy.estimators import read_estimator
    from evonas.spaces import load_space

    if read_estimator(estimator)[0] != "train":
        raise SettingsError(f"Expected an estimator 'train:EPOCHS', got '{estimator}'")
    opened = load_space(space)
    check_data(data)  # names and files before anything heavy is imported
    import numpy as np

    from evonas.benchmarks.estimator import bench_estimator, train_fully
    from evonas.data import load_data
    from evonas.networks import build
    from evonas.objectives import Context
    from evonas.supernet import SupernetSettings, train_supernet, weights_fingerprint
    from evonas.tables.load import load_table
    from evonas.tasks import make_task

    images = load_data(data, resolution=resolution, limit=train_limit, seed=seed)
    frame = opened.skeleton(skeleton).replace(
        resolution=images.resolution, in_channels=images.in_channels, classes=make_task(images).head.outputs
    )
    if width is not None:
        frame = frame.replace(width=width)
    rng = np.random.default_rng(seed)
    truth = None
    if table:
        known = load_table(table, opened)
        chosen = rng.choice(len(known), min(networks, len(known)), replace=False)
        pairs = {opened.canonical(known.architectures[row]): float(known[target][row]) for row in chosen}
        forms, truth = list(pairs), np.array(list(pairs.values()))
    else:
        drawn = (opened.canonical(opened.decode(genome)) for genome in opened.sample(2 * networks, rng, by="choice"))
        forms = list(dict.fromkeys(drawn))[:networks]
    context = Context(opened, frame, images, seed=seed, options={"estimator": estimator})
    if truth is None:
        truth = train_fully(context, forms, recipe, _progress)
    typer.echo("training the supernet", err=True)
    network = build(opened, frame, seed=seed)
    train_supernet(
        network,
        images,
        sharing,
        SupernetSettings(epochs=epochs, lr=0.05, weight_decay=0.0, seed=seed),
        augment=images.augment,
        task=make_task(images),
    )
    network.eval()
    context = Context(
        opened, frame, images, supernet=network, supernet_fingerprint=weights_fingerprint(network), seed=seed,
        options={"estimator": estimator},
    )  # fmt: skip
    rows = bench_estimator(context, forms, truth, seed=seed, progress=_progress)
    keys = ["estimate", "n", "spearman", "kendall"]
    _show(keys, [[_cell(row[key]) for key in keys] for row in rows])
    return rows
