"""What becomes of errors in evaluations: results, but for an interruption."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.engine.job import attempt
from evonas.objectives import Evaluator
from evonas.pareto.objective import Objective
from evonas.spaces import as_candidates, load_space


class Raises(Evaluator):
    objectives, fingerprint = (Objective("x", "", "min"),), "raises"

    def __init__(self, error, cause=None):
        self.error, self.cause = error, cause

    def evaluate(self, candidates):
        raise self.error from self.cause


@pytest.fixture(scope="module")
def one():
    space = load_space("nasbench201")
    return as_candidates([space.decode(space.sample(1, np.random.default_rng(0))[0])])


def test_an_error_is_a_failure_with_its_cause(one):
    (row,) = attempt(Raises(RuntimeError("out of\nluck"), ValueError("before")), one)
    assert (row["x"].value, row["x"].cause) == (None, "RuntimeError: out of luck")


@pytest.mark.parametrize(
    "evaluator",
    [
        Raises(RuntimeError("wrapped"), KeyboardInterrupt()),
        Raises(RuntimeError("wrapped twice"), ValueError("KeyboardInterrupt: <EMPTY MESSAGE>")),
        Raises(KeyboardInterrupt()),
    ],
)
def test_an_interruption_that_a_library_turned_into_an_error_is_no_failure(one, evaluator):
    with pytest.raises(KeyboardInterrupt):
        attempt(evaluator, one)
