"""The contract of an evaluator."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NoReturn, TypeAlias

import numpy as np

from evonas.errors import EvaluationError, lacking
from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Candidate, Space, as_candidates, parse_candidate

CANDIDATES = 5
"""Candidates that each test evaluates."""


class EvaluatorContract(ABC):
    """Tests of every evaluator that the package relies on; run by pytest in a subclass whose name starts with ``Test``.

    A search stores results by candidate, objective and fingerprint and replays them; that only works where a
    result follows from these alone.
    """

    @abstractmethod
    def make_space(self) -> Space:
        """Return the space whose architectures are evaluated."""

    @abstractmethod
    def make_evaluator(self) -> Evaluator:
        """Return the evaluator under test, a new one with the same settings at each call."""

    def make_candidates(self) -> list[Candidate]:
        """Return different candidates with canonical architectures, at least three; override it to choose them."""
        space = self.make_space()
        genomes = space.sample(3 * CANDIDATES, np.random.default_rng(0))
        forms = [space.canonical(space.decode(genome)) for genome in genomes]
        return as_candidates({str(form): form for form in forms}.values())[:CANDIDATES]

    # -------------------------------------------------------------------------------- what it is

    def test_names_its_objectives(self) -> None:
        """Objectives are a tuple, each with a name of its own, a unit and a direction."""
        objectives = self.make_evaluator().objectives
        assert isinstance(objectives, tuple)
        assert objectives
        assert all(isinstance(objective, Objective) for objective in objectives)
        assert all(objective.name and objective.direction in ("max", "min") for objective in objectives)
        assert len({objective.name for objective in objectives}) == len(objectives)

    def test_has_every_member(self) -> None:
        """What is optional is there too, of its type: who inherits `Evaluator` has the defaults."""
        evaluator = self.make_evaluator()
        assert lacking(evaluator, Evaluator) == [], "inherit evonas.objectives.Evaluator for the defaults"
        assert isinstance(evaluator.batch, int)
        assert evaluator.batch >= 1
        assert isinstance(evaluator.measures, bool)

    def test_fingerprint_stands_for_the_settings(self) -> None:
        """Equal settings have equal fingerprints, before and after an evaluation."""
        evaluator = self.make_evaluator()
        fingerprint = evaluator.fingerprint
        assert isinstance(fingerprint, str)
        assert fingerprint
        evaluator.evaluate(self.make_candidates()[:1])
        assert evaluator.fingerprint == fingerprint == self.make_evaluator().fingerprint

    # ------------------------------------------------------------------------------------------ what it gives

    def test_gives_one_result_per_objective(self) -> None:
        """Every row holds a `Result` per objective, with a finite value or a cause in one line."""
        evaluator = self.make_evaluator()
        candidates = self.make_candidates()
        rows = evaluator.evaluate(candidates)
        assert len(rows) == len(candidates)
        for row in rows:
            assert set(row) == {objective.name for objective in evaluator.objectives}
            for result in row.values():
                _check(result)

    def test_evaluates_something(self) -> None:
        """Not every architecture fails."""
        rows = self.make_evaluator().evaluate(self.make_candidates())
        assert any(result.value is not None for row in rows for result in row.values())

    def test_nothing_to_evaluate_gives_nothing(self) -> None:
        """An empty batch is no error."""
        assert list(self.make_evaluator().evaluate([])) == []

    def test_keeps_the_order(self) -> None:
        """Results stand in the order of the candidates, repeated ones included."""
        candidates = self.make_candidates()
        first, *_, last = candidates
        evaluator = self.make_evaluator()
        forward = _outcomes(evaluator, candidates)
        assert _outcomes(evaluator, candidates[::-1]) == forward[::-1]
        assert _outcomes(evaluator, [last, first, last]) == [forward[-1], forward[0], forward[-1]]

    def test_is_deterministic(self) -> None:
        """Equal evaluators give equal results bit for bit, the second time as the first."""
        candidates = self.make_candidates()
        evaluator = self.make_evaluator()
        outcomes = _outcomes(evaluator, candidates)
        assert _outcomes(evaluator, candidates) == outcomes
        assert _outcomes(self.make_evaluator(), candidates) == outcomes

    def test_results_do_not_depend_on_the_batch(self) -> None:
        """An architecture is worth the same alone as among others."""
        candidates = self.make_candidates()
        together = _outcomes(self.make_evaluator(), candidates)
        alone = self.make_evaluator()
        assert [_outcomes(alone, [candidate])[0] for candidate in candidates] == together

    def test_preparing_changes_no_result(self) -> None:
        """Results are the same whether `prepare` was called before or not, once or twice."""
        candidates = self.make_candidates()
        prepared = self.make_evaluator()
        prepared.prepare()
        prepared.prepare()
        assert _outcomes(prepared, candidates) == _outcomes(self.make_evaluator(), candidates)

    def test_shared_weights_estimate_the_same(self) -> None:
        """An estimate by shared weights, where there is one, has the first objective and another fingerprint."""
        evaluator = self.make_evaluator()
        shared = evaluator.shared_weights()
        if shared is not None:
            assert evaluator.objectives[0].name in {objective.name for objective in shared.objectives}
            assert shared.fingerprint != evaluator.fingerprint

    def test_one_bad_architecture_does_not_spoil_the_batch(self) -> None:
        """What cannot be evaluated fails with a cause; the others are worth what they were."""
        candidates = self.make_candidates()
        expected = _outcomes(self.make_evaluator(), candidates)
        evaluator = self.make_evaluator()
        for index in (0, len(candidates) // 2, len(candidates)):
            batch: list[Any] = [*candidates[:index], Unusable(), *candidates[index:]]
            rows = evaluator.evaluate(batch)
            assert len(rows) == len(batch)
            assert set(rows[index]) == {objective.name for objective in evaluator.objectives}
            for result in rows[index].values():
                _check(result)
                assert result.cause is not None, "an architecture that cannot be read was given a value"
            del rows[index]
            assert [_outcome(row) for row in rows] == expected

    def test_equal_architectures_are_worth_the_same(self) -> None:
        """A canonical form and what its text is read as, a store's key, have equal results."""
        space = self.make_space()
        candidates = self.make_candidates()
        twins = [parse_candidate(str(candidate), space) for candidate in candidates]
        assert _outcomes(self.make_evaluator(), twins) == _outcomes(self.make_evaluator(), candidates)


class Unusable:
    """Stands for an architecture that cannot be evaluated: whatever is asked of it, the answer is an error."""

    def _refuse(self, what: str) -> NoReturn:
        raise EvaluationError(f"This architecture has no {what}: it stands for one that cannot be evaluated")

    def __getattr__(self, name: str) -> Any:
        self._refuse(f"'{name}'")

    def __str__(self) -> str:
        self._refuse("text")

    def __hash__(self) -> int:
        self._refuse("hash")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return "Unusable()"


def _check(result: Result) -> None:
    assert isinstance(result, Result), f"expected a Result, got {type(result).__name__}"
    assert (result.value is None) != (result.cause is None)
    if result.value is not None:
        assert math.isfinite(result.value)
    else:
        assert result.cause, "the failure has no cause"
        assert "\n" not in result.cause, f"the cause has several lines: {result.cause}"
    assert result.seconds >= 0


Outcome: TypeAlias = dict[str, tuple[float | None, str | None]]


def _outcome(row: dict[str, Result]) -> Outcome:
    """Return all of a row but the seconds, which no two evaluations share."""
    return {name: (result.value, result.cause) for name, result in row.items()}


def _outcomes(evaluator: Evaluator, candidates: list[Candidate]) -> list[Outcome]:
    return [_outcome(row) for row in evaluator.evaluate(candidates)]
