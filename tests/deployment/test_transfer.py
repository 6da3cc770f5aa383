"""Sentences on what plain transfer gives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evonas.deployment import transfer as transfer_module
from evonas.deployment.transfer import TransferPoint, transfer_sentences
from evonas.errors import RunError
from evonas.objectives.result import Result
from evonas.spaces import load_space
from evonas.tasks import Classification, Regression


def point(name: str, value: float) -> TransferPoint:
    return TransferPoint(name, value, 70_000_000, 10**12, 10**12, 8, 1.0)


def last(points, values, flops, task) -> str:
    trained = [SimpleNamespace(key=f"m{i}", accuracy=v, test_images=100) for i, v in enumerate(values)]
    return transfer_sentences(points, trained, flops, task)[-1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.90, 0.70], "The search beat the published network fine-tuned (0.8000 at 70.00 M): m0 has 0.9000"),
        ([0.79, 0.81], "as good as the published network fine-tuned .* within 0.0400, and cheaper: m1 has 0.8100"),
        ([0.70, 0.60], "The search did not beat .* its best trained member m0 has 0.7000"),
    ],
)
def test_accuracies(values, said):
    points = [point("frozen", 0.7), point("fine-tuned", 0.8)]
    text = last(points, values, [80_000_000, 30_000_000], Classification(10))
    assert all(part in text for part in said.split(" .* "))


@pytest.mark.parametrize(("value", "said"), [(3.0, "The search beat"), (9.0, "The search did not beat")])
def test_of_errors_less_is_better(value, said):
    points = [point("frozen", 7.0), point("fine-tuned", 5.0)]
    text = last(points, [value], [80_000_000], Regression((0.0,), (1.0,)))
    assert said in text
    assert "fine-tuned (5.0000" in text


def test_costs_that_cannot_be_counted_are_no_zero(monkeypatch):
    class Failing:
        def evaluate(self, candidates):
            return [{"flops": Result(None, "a block could not be built", 0.0)} for _ in candidates]

    # An evaluator that fails.
    monkeypatch.setattr(transfer_module, "make_evaluator", lambda name, context: Failing())
    form = load_space("nasbench201").parse("0")
    with pytest.raises(RunError, match=r"Cannot count the FLOPs of .*: a block could not be built"):
        transfer_module.flops_of(None, [form])
