"""``evonas bench estimator``: what few short trainings correct of shared weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import Out, Space, _cell, _progress, _show, _write, bench


@bench.command("estimator")
def bench_estimator(
    space: Space = "darts",
    table: Annotated[
        list[Path] | None, typer.Option(help="A CSV of measured truth. [default: truth is a full training of each]")
    ] = None,
    target: Annotated[str, typer.Option(help="The column to be ranked, higher is better.")] = "acc",
    data: Annotated[str, typer.Option(help="Images to train and read on.")] = "digits",
    skeleton: Annotated[str, typer.Option(help="Skeleton.")] = "small",
    width: Annotated[float | None, typer.Option(help="Width of the skeleton. [default: the skeleton's]")] = None,
    resolution: Annotated[int | None, typer.Option(min=1, help="Side of the images. [default: the data's]")] = None,
    train_limit: Annotated[int | None, typer.Option(min=10, help="Use that many training images.")] = None,
    networks: Annotated[int, typer.Option(min=10, help="Architectures, drawn by seed.")] = 40,
    estimator: Annotated[str, typer.Option(help="Short training: train:EPOCHS or train:EPOCHS+inherit.")] = "train:5",
    sharing: Annotated[str, typer.Option(help="How weights are shared.")] = "disturbance-immune",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of supernet training.")] = 30,
    recipe: Annotated[str, typer.Option(help="Recipe of a full training.")] = "quick",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    out: Out = None,
) -> None:
    """Rank correlation with truth of FLOPs, SWAP, the supernet, and a predictor learnt from short trainings.

    Every architecture is predicted by a fit that it had no part in.
    """
    import numpy as np

    from evonas.benchmarks.estimator import bench_estimator, train_fully
    from evonas.data import load_data
    from evonas.errors import SettingsError
    from evonas.networks import build
    from evonas.objectives import Context
    from evonas.objectives.accuracy.estimators import read_estimator
    from evonas.spaces import load_space
    from evonas.supernet import train_supernet, weights_fingerprint
    from evonas.tables.load import load_table

    if read_estimator(estimator)[0] != "train":
        raise SettingsError(f"Expected an estimator 'train:EPOCHS', got '{estimator}'")
    opened = load_space(space)
    images = load_data(data, resolution=resolution, limit=train_limit, seed=seed)
    frame = opened.skeleton(skeleton).replace(
        resolution=images.resolution, in_channels=images.in_channels, classes=len(images.classes)
    )
    if width is not None:
        frame = frame.replace(width=width)
    rng = np.random.default_rng(seed)
    truth = None
    if table:
        known = load_table(table, opened)
        places = rng.choice(len(known), min(networks, len(known)), replace=False)
        pairs = {opened.canonical(known.architectures[row]): float(known[target][row]) for row in places}
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
        network, images, sharing, epochs=epochs, lr=0.05, weight_decay=0.0, augment=images.augment, seed=seed
    )
    network.eval()
    context = Context(
        opened, frame, images, supernet=network, supernet_fingerprint=weights_fingerprint(network), seed=seed,
        options={"estimator": estimator},
    )  # fmt: skip
    rows = bench_estimator(context, forms, truth, seed=seed, progress=_progress)
    keys = ["estimate", "n", "spearman", "kendall"]
    _show(keys, [[_cell(row[key]) for key in keys] for row in rows])
    _write(out, rows, rows, None)
