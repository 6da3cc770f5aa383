"""Remeasurement of a run's members: every number that can be measured here, with its noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from evonas.data.part import PartName
from evonas.deployment.access_log import log_access
from evonas.deployment.model import load_model
from evonas.deployment.trained import trained_models
from evonas.deployment.verification import VerifiedNumber
from evonas.errors import EvonasError
from evonas.networks import build
from evonas.objectives import Context, Evaluator, make_evaluator
from evonas.objectives.latency.latency import measure_whole
from evonas.objectives.parts import part_evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import split_direction, split_names
from evonas.pipeline.final_front import reported
from evonas.proxies import Flops, Forward
from evonas.runs.run import Run
from evonas.runs.selection import Selection
from evonas.runtime import Timing
from evonas.spaces import Candidate
from evonas.tasks import make_task
from evonas.training import test_accuracy

ROUNDING = 1e-6
"""Share of a value by which it may differ when it is computed again."""
MADS = 3
"""Median absolute deviations that a latency may move by: those that the front allows a constraint."""


class Remeasurement:
    """Remeasurement of a run's members: what all of them share, such as evaluators and timings side by side.

    Args:
        run: The run, open for writing.
        context: What its objectives are computed with.
        choices: The members.
        order: Canonical texts of the front's members, in order.
        columns: Objectives that are measured truth of a table, which nothing here can measure.
    """

    def __init__(
        self, run: Run, context: Context, choices: Sequence[Selection], order: list[str], columns: set[str]
    ) -> None:
        self.run, self.context, self.choices = run, context, choices
        self.indices = {text: index for index, text in enumerate(order)}
        self.notes, self.columns = run.store.notes(), columns
        self.own = "acc" if context.data is None else make_task(context.data).objective
        self.timings = self._time()
        self.evaluators, self.reasons = self._evaluators()

    def without_test_part(self, number: int, choice: Selection) -> Iterator[VerifiedNumber]:
        """Yield what is measured again of a member without access to the test part."""
        known = self._known(choice)
        yield from self._objectives(choice, known)
        yield from self._report(choice, known)
        yield from self._costs(choice, known)
        if "latency_measured" in known:
            yield self._latency(choice, known, *self.timings[number])

    def _objectives(self, choice: Selection, known: Mapping[str, float]) -> Iterator[VerifiedNumber]:
        for name, evaluator in self.evaluators.items():
            (row,) = evaluator.evaluate([Candidate(choice.architecture)])
            for part in (name, f"{name}_top1"):  # a smoother estimate comes with plain accuracy
                if part in known and part in row:
                    yield self._again(choice, part, known[part], _value(row[part]))

    def _report(self, choice: Selection, known: Mapping[str, float]) -> Iterator[VerifiedNumber]:
        """Yield the accuracy, or the task's own error, on the report part."""
        if "acc_report" in known and "acc" in self.evaluators:
            (row,) = part_evaluator(self.context, "acc", "report").evaluate([Candidate(choice.architecture)])
            yield self._accuracy(choice, "acc_report", known["acc_report"], _value(row["acc"]), "report")
        for name in reported(self.run, self.context) if self.context.supernet is not None else ():
            if name != "acc" and (report := f"{name}_report") in known:
                (row,) = part_evaluator(self.context, name, "report").evaluate([Candidate(choice.architecture)])
                yield self._again(choice, report, known[report], _value(row[name]))

    def _costs(self, choice: Selection, known: Mapping[str, float]) -> Iterator[VerifiedNumber]:
        if not {"flops", "params"} & set(known):
            return
        flops, params = self._count(choice)
        for name, now, by in (
            ("flops", flops, "fvcore on the whole network"),
            ("params", params, "the network's parameters"),
        ):
            if name in known:
                yield self._number(choice, name, known[name], now, 0.0, by)

    def on_test_part(self, choice: Selection) -> Iterator[VerifiedNumber]:
        """Yield the test accuracy of each training of a member."""
        data = self.context.data
        if data is None:
            return
        for training in trained_models(self.run, choice):
            network = load_model(training.folder).to(self.context.device)
            log_access(self.run, "verify", choice.text)
            now = test_accuracy(network, data)
            by, noise = f"test part, {training.how}; rounding", ROUNDING * abs(training.accuracy)
            if self.own == "acc":
                by = f"test part, {training.how}; binomial standard error"
                noise = _standard_error(training.accuracy, len(data.test))
            yield self._number(choice, f"{self.own}_trained", training.accuracy, now, noise, by)

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
        reasons[f"{self.own}_trained"] = "an access to the test part; --trained makes one"
        asked = split_names(self.run.settings.get("objectives", ()))
        for name in dict.fromkeys(split_direction(text)[0] for text in asked):
            reasons.setdefault(f"{name}_trained", "read on the test part when it was trained")
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

    def _again(self, choice: Selection, name: str, before: float, now: float) -> VerifiedNumber:
        if name in ("acc", "acc_top1"):
            return self._accuracy(choice, name, before, now, "search")
        noise = ROUNDING * abs(before)
        return self._number(choice, name, before, now, noise, "computed again as in the search; rounding")

    def _accuracy(self, choice: Selection, name: str, before: float, now: float, part: PartName) -> VerifiedNumber:
        assert self.context.data is not None  # without data no accuracy is estimated
        images = self.context.data.part(part)
        which = "selected on" if part == "search" else "not selected on"
        by = f"estimated again on the validation images {which}; binomial standard error"
        noise = _standard_error(min(max(before, 0.0), 1.0), len(images))
        return self._number(choice, name, before, now, noise, by)

    def _count(self, choice: Selection) -> tuple[float, int]:
        network = build(self.context.space, self.context.skeleton, choice.architecture).eval()
        image = torch.zeros(1, *network.skeleton.shape)
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

    def _latency(self, choice: Selection, known: dict[str, float], first: Timing, second: Timing) -> VerifiedNumber:
        mad = max(first.mad_ms, second.mad_ms, known.get("latency_mad", 0.0))
        noise = max(MADS * mad, abs(first.median_ms - second.median_ms))
        now = (first.median_ms + second.median_ms) / 2
        by = f"onnxruntime, the whole network, twice; {MADS} median absolute deviations or what the two differ by"
        return self._number(choice, "latency_measured", known["latency_measured"], now, noise, by)

    def _number(self, choice: Selection, name: str, before: float, now: float, noise: float, by: str) -> VerifiedNumber:
        return VerifiedNumber(self.indices.get(choice.text), choice.text, name, before, now, noise, by)


def _value(result: Result) -> float:
    return math.nan if result.value is None else float(result.value)


def _standard_error(share: float, images: int) -> float:
    return math.sqrt(share * (1 - share) / images)
