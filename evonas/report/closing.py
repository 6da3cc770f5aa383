"""The closing words of a search: what was found, how far to trust it, and what to type next."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evonas.files.duration import duration
from evonas.pareto.front import Front
from evonas.pipeline.baseline import BASELINE_FILE
from evonas.report.cards import cards, no_knee
from evonas.report.origins import trainable
from evonas.report.summary import baseline_sentence, broken_sentence
from evonas.report.trust import trust_line
from evonas.runs.run import Run

__all__ = ["closing_lines", "wrapped"]


def closing_lines(run: Run, front: Front) -> list[str]:
    """Return the lines below the table that ends a search; those that begin with two spaces are to be typed."""
    found, why = cards(front, run.manifest), no_knee(run.manifest)
    evaluated = len({member.architecture for member in run.store.members()})
    lines = [
        f"{evaluated:,} architectures of {Path(run.settings['space']).stem} on {_source(run)} were evaluated. "
        f"{_duration(run)}"
    ]
    if why is not None:
        lines.append(why)
    if front.hypervolume is not None and len(front.objectives) > 1:
        lines.append(f"The front covers {front.hypervolume:.1%} of what was seen (hypervolume).")
    if (baseline := run.path / BASELINE_FILE).exists():
        lines.append(baseline_sentence(json.loads(baseline.read_text(encoding="utf-8"))))
    lines.append(trust_line(run.manifest, run.settings, front.objectives))
    broken = sum(bool(member.breaks) for member in front)
    if broken:
        lines.append(broken_sentence(broken))
    path = shlex.quote(str(run.path))
    if (report := run.path / "report.html").exists():
        lines.append(f"Drawings, lineage and what limits the trust: open {report} in a browser.")
    choice = shlex.quote(found[0].selection if found else "knee")
    trains = trainable((objective.name for objective in front.objectives), run.settings)
    return [*lines, "Next:", f"  evonas train {path} --select {choice}" if trains else f"  evonas front {path}"]


def wrapped(lines: Sequence[str], width: int) -> list[str]:
    """Lines of at most so many characters, broken between words alone; what is to be typed stays in one piece.

    Args:
        lines: Sentences, and commands that begin with two spaces.
        width: Characters of a line.
    """
    fold = partial(textwrap.wrap, width=width, break_long_words=False, break_on_hyphens=False)
    return [part for line in lines for part in ([line] if line.startswith("  ") else fold(line))]


def _duration(run: Run) -> str:
    """Return how long a search took, in a sentence that counts how often it was begun."""
    timings = run.manifest.get("timings", {})
    begun, timed = timings.get("sessions", 1), timings.get("sessions_timed", 1)
    what = "The search and its baseline" if (run.path / BASELINE_FILE).exists() else "The search"
    text = f"{what} took {duration(timings.get('search_seconds', 0.0))}"
    if begun == 1:
        return f"{text}."
    killed = f", without the time of {begun - timed} that did not end" if begun > timed else ""
    return f"{text} in {timed} session{'s' if timed != 1 else ''}{killed}."


def _source(run: Run) -> str:
    """Return a short name of the data, or of the table."""
    tables = run.settings.get("table", [])
    return Path(run.settings.get("data") or (tables[0] if tables else "digits")).name
