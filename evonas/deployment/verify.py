"""Measuring members of a run again, and saying what moved by more than its noise."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from evonas.data.part import PartName
from evonas.deployment import load_model, trained_models
from evonas.deployment.access_log import log_look
from evonas.deployment.member import has_supernet
from evonas.deployment.model import to_json
from evonas.errors import EvonasError, RunError
from evonas.files.progress import Progress, Silent
from evonas.networks import build
from evonas.objectives import Context, Evaluator, make_evaluator, torch_threads
from evonas.objectives.accuracy.low_fidelity import accuracy_evaluator, measure_evaluator
from evonas.objectives.latency.latency import measure_whole
from evonas.objectives.result import Result
from evonas.pareto.objective import split_names
from evonas.pipeline.context import run_context
from evonas.proxies import Flops, Forward
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.runtime import Timing
from evonas.spaces import Candidate
from evonas.tables.load import load_table
from evonas.tasks import make_task
from evonas.training import test_accuracy

VERIFIED = "verify.json"
ROUNDING = 1e-6
"""Share of a value by which it may differ when it is computed again."""
MADS = 3
"""Median absolute deviations that a latency may move by: those that the front allows a constraint."""


@dataclass(frozen=True)
class Check:
    """One number of one member, as noted and as measured again.

    Attributes:
        place: The member's number on the front, or None where it is not on it.
        architecture: Canonical text.
        name: What it is, such as ``acc_report`` or ``latency_measured``.
        before: As noted.
        now: As measured again.
        noise: By how much it may differ, in its own unit; 0: not at all.
        by: What measured it now, and where the noise comes from.
    """

    place: int | None
    architecture: str
    name: str
    before: float
    now: float
    noise: float
    by: str

    @property
    def moved(self) -> bool:
        """Whether it differs by more than its noise."""
        return not abs(self.now - self.before) <= self.noise


class Checks(list[Check]):
    """Checks, and what is known of members but was not measured again.

    Attributes:
        skipped: Why, by name.
    """

    def __init__(self, checks: Iterable[Check] = (), skipped: Mapping[str, str] | None = None) -> None:
        super().__init__(checks)
        self.skipped = dict(skipped or {})


def verify(
    run: Run | str | Path,
    select: str = "front",
    *,
    trained: bool = False,
    progress: Progress | None = None,
) -> Checks:
    """Measure members of a run again: all that can be measured here; what cannot is named with the cause.

    FLOPs are counted by fvcore on the whole network, where the search summed a table of blocks. Latency is that
    of the whole network, measured twice now; its noise is the larger of three median absolute deviations and of
    what the two measurements differ by. An accuracy's noise is its binomial standard error; other objectives are
    computed again as the search computed them. What was measured is written to the run's ``verify.json``.

    Args:
        run: A run that ended, by path, or open for writing.
        select: As `choose` takes it, or ``front``: every member.
        trained: Read the test accuracy of trained weights again as well; every such look is logged in the run.
        progress: Shows how far it is.

    Raises:
        EvonasError: No such member, no front, nothing trained where that was asked for, or a run that another
            process writes to.
    """
    if not isinstance(run, Run):
        with Run.open(run, write=True) as opened:
            return verify(opened, select, trained=trained, progress=progress)
    front = read_front(run)
    context = run_context(run, with_supernet=has_supernet(run))
    selections = [f"index:{i}" for i in range(len(front))] if select == "front" else [select]
    choices = [choose(front, context.space, selection) for selection in selections]
    work = _Work(run, context, choices, [m.architecture for m in front], _columns(run, context))
    checks = Checks()
    with (progress or Silent()).task("Measuring again", len(choices)) as task, torch_threads(context.threads):
        for number, choice in enumerate(choices):
            checks += work.check(number, choice)
            if trained:
                checks += work.test(choice)
            task.advance(1)
    if trained and not any(check.name.endswith("_trained") for check in checks):
        raise RunError(
            f"Nothing of {select:.60} was trained: run  evonas train {run.path} --select {select:.60}  first, "
            "or verify without --trained"
        )
    checks.skipped = work.skipped({check.name for check in checks})
    content = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "select": select,
        "checks": [{**asdict(check), "moved": check.moved} for check in checks],
        "skipped": checks.skipped,
    }
    run.write(VERIFIED, to_json(content))
    return checks


def _columns(run: Run, context: Context) -> set[str]:
    """Return the objectives that are measured truth of a table, which nothing here can measure."""
    tables = run.settings.get("table")
    return set(load_table(list(tables), context.space).columns) if tables else set()


class _Work:
    """What the checks of one command share."""

    def __init__(
        self, run: Run, context: Context, choices: Sequence[Selection], places: list[str], columns: set[str]
    ) -> None:
        self.run, self.context, self.choices = run, context, choices
        self.places = {text: place for place, text in enumerate(places)}
        self.notes, self.columns = run.store.notes(), columns
        self.own = "acc" if context.data is None else make_task(context.data).objective
        self.timings = self._time()
        self.evaluators, self.reasons = self._evaluators()

    def check(self, number: int, choice: Selection) -> Iterator[Check]:
        """Yield what is measured again of a member without a look at the test part."""
        known = self._known(choice)
        for name, evaluator in self.evaluators.items():
            (row,) = evaluator.evaluate([Candidate(choice.architecture)])
            for part in (name, f"{name}_top1"):  # a smoother estimate comes with plain accuracy
                if part in known and part in row:
                    yield self._again(choice, part, known[part], _value(row[part]))
        if "acc_report" in known and "acc" in self.evaluators:
            (row,) = accuracy_evaluator(self.context, part="report").evaluate([Candidate(choice.architecture)])
            yield self._accuracy(choice, "acc_report", known["acc_report"], _value(row["acc"]), "report")
        report = f"{self.own}_report"
        if self.own != "acc" and report in known and self.context.supernet is not None:
            (row,) = measure_evaluator(self.context, self.own, "report").evaluate([Candidate(choice.architecture)])
            yield self._again(choice, report, known[report], _value(row[self.own]))
        if {"flops", "params"} & set(known):
            flops, params = self._count(choice)
            for name, now, by in (
                ("flops", flops, "fvcore on the whole network"),
                ("params", params, "the network's parameters"),
            ):
                if name in known:
                    yield self._made(choice, name, known[name], now, 0.0, by)
        if "latency_measured" in known:
            yield self._latency(choice, known, *self.timings[number])

    def test(self, choice: Selection) -> Iterator[Check]:
        """Yield the test accuracy of each training of a member."""
        data = self.context.data
        if data is None:
            return
        for training in trained_models(self.run, choice):
            network = load_model(training.folder).to(self.context.device)
            log_look(self.run, "verify", choice.text)
            now = test_accuracy(network, data)
            by, noise = f"test part, {training.how}; rounding", ROUNDING * abs(training.accuracy)
            if self.own == "acc":
                by = f"test part, {training.how}; binomial standard error"
                noise = _standard_error(training.accuracy, len(data.test))
            yield self._made(choice, f"{self.own}_trained", training.accuracy, now, noise, by)

    def _known(self, choice: Selection) -> dict[str, float]:
        return {name: value for name, value in self._every(choice).items() if name not in self.columns}

    def _every(self, choice: Selection) -> dict[str, float]:
        notes = {name: note.value for name, note in self.notes.get(choice.text, {}).items()}
        if choice.member is not None:
            notes |= {**choice.member.known, **choice.member.values}
        return notes

    def _evaluators(self) -> tuple[dict[str, Evaluator], dict[str, str]]:
        """Return what computes the objectives that have no measurement of their own here, and why others have none."""
        found: dict[str, Evaluator] = {}
        reasons = dict.fromkeys(self.columns, "truth of a table, which nothing here can measure")
        reasons["latency"] = "a sum over the run's table of blocks; latency_measured is of the whole network"
        reasons[f"{self.own}_trained"] = "a look at the test part; --trained takes one"
        asked = split_names(self.run.settings.get("objectives", ()))
        for name in dict.fromkeys(text.partition(":")[0] for text in asked):
            if name in reasons or name in ("flops", "params"):
                continue
            try:
                found[name] = make_evaluator(name, self.context)
            except EvonasError as error:
                cause = " ".join(str(error).split())
                if name == "acc" and self.context.supernet is None:
                    cause = "the run has no supernet"
                reasons |= dict.fromkeys((name, f"{name}_report", f"{name}_top1"), cause)
        return found, reasons

    def skipped(self, measured: set[str]) -> dict[str, str]:
        """Return what is known of the members but was not measured again, and why."""
        known = dict.fromkeys(name for choice in self.choices for name in self._every(choice))
        noises = {"latency_mad"}  # of what is measured, no number of its own
        other = "noted by another tool"
        return {name: self.reasons.get(name, other) for name in known if name not in measured | noises}

    def _again(self, choice: Selection, name: str, before: float, now: float) -> Check:
        if name in ("acc", "acc_top1"):
            return self._accuracy(choice, name, before, now, "search")
        noise = ROUNDING * abs(before)
        return self._made(choice, name, before, now, noise, "computed again as in the search; rounding")

    def _accuracy(self, choice: Selection, name: str, before: float, now: float, part: PartName) -> Check:
        assert self.context.data is not None  # without data no accuracy is estimated
        images = self.context.data.part(part)
        which = "selected on" if part == "search" else "not selected on"
        by = f"estimated again on the validation images {which}; binomial standard error"
        noise = _standard_error(min(max(before, 0.0), 1.0), len(images))
        return self._made(choice, name, before, now, noise, by)

    def _count(self, choice: Selection) -> tuple[float, int]:
        network = build(self.context.space, self.context.skeleton, choice.architecture).eval()
        side = network.skeleton.resolution
        image = torch.zeros(1, self.context.skeleton.in_channels, side, side)
        flops = Flops().measure(Forward(network, image, torch.Generator()))
        return flops, sum(parameter.numel() for parameter in network.parameters())

    def _time(self) -> dict[int, tuple[Timing, Timing]]:
        """Measure all networks whose latency is known side by side, each twice."""
        timed = [i for i, choice in enumerate(self.choices) if "latency_measured" in self._known(choice)]
        forms = [self.choices[i].architecture for i in timed]
        context = self.context
        twice = [*forms, *forms]
        timings = measure_whole(context.space, context.skeleton, twice, threads=context.threads) if forms else []
        return dict(zip(timed, zip(timings[: len(forms)], timings[len(forms) :], strict=True), strict=True))

    def _latency(self, choice: Selection, known: dict[str, float], first: Timing, second: Timing) -> Check:
        mad = max(first.mad_ms, second.mad_ms, known.get("latency_mad", 0.0))
        noise = max(MADS * mad, abs(first.median_ms - second.median_ms))
        now = (first.median_ms + second.median_ms) / 2
        by = f"onnxruntime, the whole network, twice; {MADS} median absolute deviations or what the two differ by"
        return self._made(choice, "latency_measured", known["latency_measured"], now, noise, by)

    def _made(self, choice: Selection, name: str, before: float, now: float, noise: float, by: str) -> Check:
        return Check(self.places.get(choice.text), choice.text, name, before, now, noise, by)


def _value(result: Result) -> float:
    return math.nan if result.value is None else float(result.value)


def _standard_error(share: float, images: int) -> float:
    return math.sqrt(share * (1 - share) / images)
