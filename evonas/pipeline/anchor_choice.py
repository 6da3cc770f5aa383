"""Choice of anchors: which candidates a round trains, spread over cost and over what the ranker is unsure of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import EvaluationError
from evonas.objectives import Context
from evonas.objectives.accuracy.ranked import FUSED_BY, RankedEvaluator
from evonas.objectives.accuracy.signal_reader import SignalReader
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import Anchor, AnchorSet
from evonas.predictors.cokriging import CoKriging, choose_fidelities
from evonas.predictors.encoders import TokenColumns
from evonas.predictors.ranker import propose_anchors
from evonas.runs.run import Run
from evonas.spaces import Architecture, Candidate, parse_candidate
from evonas.training.pyramid import Pyramid

__all__ = ["AnchorChoice", "known_anchors"]

POOL = 4
"""Candidates that are compared for each anchor, at least, where bounds leave the reference sample out."""


def known_anchors(pyramid: Pyramid) -> AnchorSet:
    """Return the anchors of a pyramid of trainings, with what each gave at every level."""
    found = [Anchor(key, tuple(values), pyramid.failed.get(key)) for key, values in pyramid.values.items()]
    return AnchorSet(pyramid.ladder.epochs, tuple(found))


class AnchorChoice:
    """The candidates that rounds of anchors train.

    They follow from settings, results and counts alone; each choice is stored before it takes effect.

    Args:
        problem: What is searched.
        run: Where choices are stored.
        context: What evaluators are made from, with the trained supernet.
        reader: Signals of the ranker.
        pyramid: The trainings so far, which grow from round to round.
    """

    def __init__(
        self, problem: SearchProblem, run: Run, context: Context, reader: SignalReader, pyramid: Pyramid
    ) -> None:
        self.problem, self.run, self.context, self.reader, self._pyramid = problem, run, context, reader, pyramid

    def enter(self, number: int, total: int) -> list[str]:
        """Return a round's candidates: spread over cost and, once there are anchors, over what the ranker doubts.

        Args:
            number: New anchors of this round.
            total: Anchors of all rounds, by which the pool is sized.
        """
        known = len(self._pyramid.values)

        def propose() -> list[str]:
            rng = np.random.default_rng([self.problem.settings.seed, 21, known])
            pool = [one for one in self.pool(rng, total) if str(one) not in self._pyramid.values]
            ranked = RankedEvaluator(self.context, known_anchors(self._pyramid), self.reader)
            unsure = ranked.uncertainty([one.architecture for one in pool]) if known else None
            rows = propose_anchors(self.flops(pool), unsure, number, rng)
            return [str(pool[row]) for row in rows]

        chosen: list[str] = self.run.store.decide(f"anchors {known}", propose)
        return chosen

    def most_informative(self, number: int, total: int) -> list[tuple[str, int]]:
        """Return what is trained next and to which level, by gain per multiply-add (`choose_fidelities`).

        The multiply-adds are at most those of a round of halving with as many candidates of mean cost; at most
        `number` of them are new.

        Args:
            number: New anchors of this round, at most.
            total: Anchors of all rounds, by which the pool is sized.

        Raises:
            EvaluationError: All anchors so far have failed, so that nothing shows what to train.
        """
        trained = self._trained()

        def propose() -> list[tuple[str, int]]:
            rng = np.random.default_rng([self.problem.settings.seed, 22, trained])
            return self._within_budget(self.pool(rng, total), number)

        return [(key, level) for key, level in self.run.store.decide(f"anchors told {trained}", propose)]

    def pool(self, rng: np.random.Generator, total: int) -> list[Candidate]:
        """Return what anchors are chosen from: the reference sample where nothing bounds what is searched."""
        reference = [Candidate(form) for form in self.reader.forms]
        if not self.problem.constraints and len(reference) >= 2 * total:
            return reference
        return self.problem.bounds.sample(max(POOL * total, len(reference)), rng)[1]

    def flops(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the multiply-adds of candidates, float64 of shape (n,)."""
        rows = self.problem.bounds.cheap["flops"].evaluate(candidates)
        return np.array([row["flops"].value for row in rows], dtype=float)

    def _trained(self) -> int:
        """Return how many trainings have ended; failures count, for after a round of them the next one is another."""
        pyramid = self._pyramid
        trained = sum(map(len, pyramid.values.values())) + len(pyramid.failed)
        if trained == len(pyramid.failed):
            first = next(iter(pyramid.failed.values()))
            raise EvaluationError(
                f"All {trained} anchors so far failed, so that co-kriging has nothing to learn from; the first: "
                f"{first}. Use --anchors 0, or --anchor-rounds halving to train others"
            )
        return trained

    def _within_budget(self, pool: Sequence[Candidate], number: int) -> list[tuple[str, int]]:
        """Return trainings in the order of their gain per multiply-add, as many as a round of halving would cost."""
        pyramid, ladder = self._pyramid, self._pyramid.ladder
        epochs = np.array(ladder.epochs)
        paused = [key for key in pyramid.values if key not in pyramid.failed]
        new = [one for one in pool if str(one) not in pyramid.values]
        candidates = [*(parse_candidate(key, self.problem.space) for key in paused), *new]
        flops = self.flops(candidates)
        reached = np.array([len(pyramid.values[key]) for key in paused] + [0] * len(new))
        before = np.concatenate([[0], epochs])[reached]
        costs = np.where(epochs > before[:, None], flops[:, None] * (epochs - before[:, None]), np.inf)
        columns = self._columns([one.architecture for one in candidates])
        rows = [(r, level, v) for r, key in enumerate(paused) for level, v in enumerate(pyramid.values[key])]
        indices, levels, values = (np.array(column) for column in zip(*rows, strict=True))
        process = CoKriging().fit(columns[indices], levels, values)
        budget = ladder.round_epochs(number) * float(flops.mean())
        chosen: list[tuple[str, int]] = []
        order = choose_fidelities(process, columns, costs[:, list(process.levels)], len(candidates))
        fresh = 0
        for row, level in order:
            fresh += row >= len(paused)
            budget -= costs[row, level]
            if chosen and (fresh > number or budget < 0):  # one is always trained
                break
            chosen.append((str(candidates[row]), level))
        return chosen

    def _columns(self, architectures: Sequence[Architecture]) -> np.ndarray:
        described = self.reader(architectures).described
        return TokenColumns(self.reader.encoder.names, described, FUSED_BY)(described)
