"""The closing words of a search: what was found, how far to trust it, and what to type next."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from evonas.pareto.front import Front
from evonas.pipeline.baseline import BASELINE_FILE
from evonas.report.origins import origin, trainable
from evonas.report.summary import baseline_sentence, broken_sentence
from evonas.report.trust import trust_sentences
from evonas.runs.run import Run


def summary(run: Run, front: Front) -> list[str]:
    """Return the lines that end a search."""
    evaluated = len({member.architecture for member in run.store.members()})
    # A column of a table may be called as what is computed here; it alone has no unit.
    names = {objective.name for objective in front.objectives if objective.unit or not run.settings.get("table")}
    lines = [
        f"{evaluated:,} architectures of {Path(run.settings['space']).stem} on {_source(run)} "
        f"were evaluated; {len(front)} of them are on the front. {_duration(run)}"
    ]
    if front.hypervolume is not None:
        point = ", ".join(f"{o.name} {v:,.6g}" for o, v in zip(front.objectives, front.reference, strict=True))
        lines.append(
            f"Hypervolume {front.hypervolume:.4f}, each axis scaled to what was seen, reference point ({point})."
        )
    if (baseline := run.path / BASELINE_FILE).exists():
        lines.append(baseline_sentence(json.loads(baseline.read_text(encoding="utf-8"))))
    if "acc" in names and not run.settings.get("table"):
        lines += [_estimate(run, front), *trust_sentences(run.manifest)]
    if "flops" in names:
        lines.append("flops counts a multiply-add as 1; norms and pooling are free.")
    if "latency" in names:
        lines.append("latency is the table's estimate; latency_measured (± latency_mad) is the whole network's.")
    broken = sum(bool(member.breaks) for member in front)
    if broken:
        lines.append(broken_sentence(broken))
    if (report := run.path / "report.html").exists():
        lines.append(f"Drawings, lineage and how far to trust it all: open {report} in a browser.")
    lines += ["Next:", f"  evonas front {run.path} --plot front.png"]
    if trainable((objective.name for objective in front.objectives), run.settings):
        lines += [f"  evonas train {run.path} --select knee", f"  evonas deploy {run.path} --select knee"]
    return lines


def _estimate(run: Run, front: Front) -> str:
    """Return what accuracy is an estimate by, and how it compares with the images that were not selected on."""
    what = origin("acc", run.settings)
    text = f"acc is {what}: it ranks architectures, it does not promise what training gives."
    # Like with like: where acc is a smooth score, plain accuracy stands beside it.
    gaps = [m.known.get("acc_top1", m.values["acc"]) - m.known["acc_report"] for m in front if "acc_report" in m.known]
    if gaps:
        gap = float(np.mean(gaps))
        side = "lower" if gap >= 0 else "higher"
        text += f" On validation images not selected on, plain accuracy is {abs(gap):.3f} {side} on average."
    return text


def _duration(run: Run) -> str:
    """Return how long a search took, in a sentence that counts how often it was begun."""
    timings = run.manifest.get("timings", {})
    begun, timed = timings.get("sessions", 1), timings.get("sessions_timed", 1)
    what = "The search and its baseline" if (run.path / BASELINE_FILE).exists() else "The search"
    text = f"{what} took {timings.get('search_seconds', 0.0):.0f} s"
    if begun == 1:
        return f"{text}."
    killed = f", without the time of {begun - timed} that did not end" if begun > timed else ""
    return f"{text} in {timed} session{'s' if timed != 1 else ''}{killed}."


def _source(run: Run) -> str:
    """Return a short name of the data, or of the table."""
    tables = run.settings.get("table", [])
    return Path(run.settings.get("data") or (tables[0] if tables else "digits")).name
