"""Shipped evaluators keep the contract, and the contract catches evaluators that do not."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from evonas.data import load_data
from evonas.networks import build
from evonas.objectives import Context, Evaluator, make_evaluator
from evonas.objectives.contract import one_by_one
from evonas.objectives.result import Result
from evonas.objectives.table import TableEvaluator
from evonas.pareto.objective import Objective
from evonas.spaces import load_space
from evonas.tables.table import Table
from evonas.testing import EvaluatorContract

pytestmark = pytest.mark.usefixtures("few_references")  # the contract asks for no ranking


@cache
def context(space: str) -> Context:
    """A space on networks that run in milliseconds, with data and a supernet."""
    read = load_space(space)
    data = load_data("digits", limit=80)
    skeleton = read.skeleton("small", in_channels=1, resolution=8, classes=10)
    if read.family == "cell":
        skeleton = skeleton.replace(channels=4, cells=3)
    return Context(read, skeleton, data, supernet=build(read, skeleton, seed=0), supernet_fingerprint="untrained")


class Shipped(EvaluatorContract):
    space = "nasbench201"
    objective: str

    def make_space(self):
        return context(self.space).space

    def make_evaluator(self):
        return make_evaluator(self.objective, context(self.space))

    def make_candidates(self):
        return super().make_candidates()[:3]


class TestCost(Shipped):
    objective = "flops"


class TestCostOfStages(Shipped):
    space = "nasbench_macro"
    objective = "params"


class TestProxy(Shipped):
    objective = "synflow"


class TestProxyThatReadsLabels(Shipped):
    objective = "grad_norm"


class TestProxyThatCannotScoreAll(Shipped):
    objective = "naswot"


class TestAccuracy(Shipped):
    objective = "acc"


class TestAccuracyOfStages(Shipped):
    space = "nasbench_macro"
    objective = "acc"


class TestTable(Shipped):
    def make_evaluator(self):
        texts = [str(one) for one in self.make_candidates()]
        known = {"acc": range(len(texts)), "latency": [float("nan"), *range(1, len(texts))]}
        return TableEvaluator(Table(known, texts=texts, space=self.make_space(), source="own.csv"), ["acc", "latency"])


class Length(Evaluator):
    """A sound evaluator: an architecture is worth the length of its text."""

    objectives = (Objective("length", "letters", "min"),)
    fingerprint = "length"

    def evaluate(self, candidates):
        return one_by_one(self.objectives, candidates, lambda one: {"length": len(str(one)) + hash(one) % 97})


class Spoilt(Length):
    def evaluate(self, candidates):
        return [{"length": Result(len(str(one)), None, 0.0)} for one in candidates]


class Disordered(Length):
    def evaluate(self, candidates):
        return sorted(super().evaluate(candidates), key=lambda row: row["length"].value or 0)


class Relative(Length):
    def evaluate(self, candidates):
        return [{"length": Result(1 / len(candidates), None, 0.0)} for _ in candidates]


class Drifting(Length):
    counter = itertools.count()

    def evaluate(self, candidates):
        return one_by_one(self.objectives, candidates, lambda one: {"length": len(str(one)) + next(self.counter)})


class Nameless(Length):
    objectives = ()


class Short(Length):
    def evaluate(self, candidates):
        return [row for row in super().evaluate(candidates) if row["length"].value is not None][1:]


class Bare(Length):
    def evaluate(self, candidates):
        return [{"length": 1.0} for _ in candidates]


class Useless(Length):
    def evaluate(self, candidates):
        return [{"length": Result(None, "no luck", 0.0)} for _ in candidates]


class Renamed(Length):
    def __init__(self):
        self.fingerprint = f"length-{next(Drifting.counter)}"


class Missing:
    """A sound evaluator that lacks what is optional, since it does not inherit the contract."""

    objectives = Length.objectives
    fingerprint = Length.fingerprint
    evaluate = Length.evaluate


class Batchless(Length):
    batch = 0


class Unrelated(Length):
    def shared_weights(self):
        return make_evaluator("flops", context("nasbench201"))


class Prepared(Length):
    def __init__(self):
        self.more = 0

    def prepare(self):
        self.more += 1

    def evaluate(self, candidates):
        return one_by_one(self.objectives, candidates, lambda one: {"length": len(str(one)) + self.more})


def keeps(evaluator, test: str) -> bool:
    """Return whether an evaluator passes a test of the contract."""

    class Held(EvaluatorContract):
        def make_space(self):
            return context("nasbench201").space

        def make_evaluator(self):
            return evaluator()

    try:
        getattr(Held(), test)()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("test", [name for name in dir(EvaluatorContract) if name.startswith("test_")])
def test_a_sound_evaluator_keeps_it(test):
    assert keeps(Length, test)


@pytest.mark.parametrize(
    ("evaluator", "test"),
    [
        (Spoilt, "test_one_bad_architecture_does_not_spoil_the_batch"),
        (Disordered, "test_keeps_the_order"),
        (Relative, "test_results_do_not_depend_on_the_batch"),
        (Drifting, "test_is_deterministic"),
        (Nameless, "test_names_its_objectives"),
        (Short, "test_gives_one_result_per_objective"),
        (Bare, "test_gives_one_result_per_objective"),
        (Useless, "test_evaluates_something"),
        (Renamed, "test_fingerprint_stands_for_the_settings"),
        (Missing, "test_has_every_member"),
        (Batchless, "test_has_every_member"),
        (Unrelated, "test_shared_weights_estimate_the_same"),
        (Prepared, "test_preparing_changes_no_result"),
    ],
)
def test_a_fault_is_caught(evaluator, test):
    assert not keeps(evaluator, test)
