"""``evonas ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from evonas.cli.options import NewData, NewTable, Quiet
from evonas.errors import SettingsError


def ensemble(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    budget: Annotated[
        list[str],
        typer.Option(
            help="Bound on all members together, such as flops<=20M, params, size or latency; repeat for more."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder to make. [default: one in RUN/models/]")] = None,
    weights: Annotated[
        str,
        typer.Option(
            help="trained: every training of members; inherited: the supernet's; auto: trained where two are."
        ),
    ] = "auto",
    by: Annotated[str, typer.Option(help="What is best: nll, negative log-likelihood, or acc.")] = "nll",
    rival: Annotated[
        str | None,
        typer.Option(
            help="One network to compare with: an architecture or a member that was trained. [default: the best that "
            "costs no more]"
        ),
    ] = None,
    attack: Annotated[bool, typer.Option("--attack/--no-attack", help="Compare accuracy under PGD, too.")] = True,
    opset: Annotated[int, typer.Option(help="ONNX operator set, 11 or more.")] = 18,
    threads: Annotated[int, typer.Option(min=1, help="Threads that latency is measured with.")] = 1,
    data: NewData = None,
    table: NewTable = None,
    quiet: Quiet = False,
) -> None:
    """Choose members whose averaged answers are best under a cost, and deploy them as one ONNX model."""
    from evonas.runs.run import Run

    if weights not in ("auto", "trained", "inherited") or by not in ("nll", "acc"):
        raise SettingsError(
            f"Expected --weights auto, trained or inherited and --by nll or acc, got '{weights}' and '{by}'"
        )
    Run.open(run).close()  # a wrong path ends here, before anything heavy is imported
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.deployment.ensemble.ensemble import make_ensemble
    from evonas.deployment.ensemble.summary import ensemble_summary

    with words_when_stopped(lambda: "Stopped; nothing was written."):
        made = make_ensemble(
            run,
            budget,
            out,
            weights=cast(Literal["auto", "trained", "inherited"], weights),
            by=cast(Literal["nll", "acc"], by),
            rival=rival,
            attack=attack,
            opset=opset,
            threads=threads,
            data=data,
            table=table or (),
            progress=make_progress(quiet),
        )
    typer.echo("\n".join(ensemble_summary(made)))
