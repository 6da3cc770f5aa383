"""Objectives and training-free scores that evonas computes, in the forms that the benchmarks ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evonas.benchmarks.members import Computed
from evonas.benchmarks.proxies import FLOORS, Score, Together
from evonas.errors import EvaluationError
from evonas.spaces import Architecture, as_candidates

if TYPE_CHECKING:
    from evonas.objectives import Context, Evaluator  # brings torch, which benchmarks on columns alone do not need


def computed_objectives(context: Context) -> dict[str, Computed]:
    """Return every objective that can be computed, by name, for `bench_search`; each is made when called.

    Args:
        context: Space, skeleton, and whatever the objectives asked for need.
    """
    from evonas.objectives import known_objectives

    return {name: partial(_values, name, context) for name in known_objectives()}


def score_sources(context: Context, names: Iterable[str] = (), *, skeleton: str | None = None) -> dict[str, Score]:
    """Return every objective that can be computed, by name, for `bench_proxies`, which gives the seeds.

    Args:
        context: Space, skeleton, and data for scores that see images.
        names: What may be asked for as well: of these, rankings and proxies with options are added.
        skeleton: Name of the skeleton that training-free scores are computed on; None: the one that each declares.
    """
    from evonas.objectives import check_objectives, known_objectives

    written = [name for name in names if "(" in name]
    check_objectives(written)
    return {name: partial(_scores, name, context, skeleton) for name in [*known_objectives(), *written]}


def scores_together(context: Context, *, skeleton: str | None = None) -> Together:
    """Return what scores by several of `score_sources` at once: equal values, shared networks and forward passes.

    Args:
        context: As for `score_sources`.
        skeleton: Likewise.
    """
    return partial(_together, context, skeleton)


def _together(
    context: Context, skeleton: str | None, names: Sequence[str], architectures: Sequence[Architecture], seed: int
) -> dict[str, np.ndarray]:
    from evonas.objectives.proxy import Scores
    from evonas.proxies import is_proxy, load_proxy

    chosen = [name for name in names if is_proxy(name) and name not in FLOORS]
    values = {name: _scores(name, context, skeleton, architectures, seed) for name in names if name not in chosen}
    if not chosen:
        return values
    options = {} if skeleton is None else {"skeleton": skeleton}
    scores = Scores(replace(context, seed=seed), [load_proxy(name, **options) for name in chosen])
    rows = [scores(architecture) for architecture in architectures]
    for index, (name, proxy) in enumerate(zip(chosen, scores.proxies, strict=True)):
        column = [row[index] for row in rows]
        if column and all(isinstance(score, EvaluationError) for score in column):
            raise EvaluationError(f"'{name}' failed for all {len(column)} architectures: {column[0]}")
        values[name] = np.array(
            [np.nan if isinstance(score, EvaluationError) else proxy.objective(score) for score in column]
        )
    return values


def _scores(
    name: str, context: Context, skeleton: str | None, architectures: Sequence[Architecture], seed: int
) -> np.ndarray:
    from evonas.objectives.proxy import ProxyEvaluator
    from evonas.proxies import is_proxy

    context = replace(context, seed=seed)
    if name in FLOORS:  # what leads nowhere costs as written, and says nothing of accuracy
        architectures = [context.space.canonical(architecture) for architecture in architectures]
    if skeleton is None or name in FLOORS or not is_proxy(name):
        return _values(name, context, architectures)
    return _read(name, ProxyEvaluator(context, name, skeleton=skeleton), architectures)


def _values(name: str, context: Context, architectures: Sequence[Architecture]) -> np.ndarray:
    from evonas.objectives import make_evaluator

    return _read(name, make_evaluator(name, context), architectures)


def _read(name: str, evaluator: Evaluator, architectures: Sequence[Architecture]) -> np.ndarray:
    """Return one value per architecture as written, NaN where it failed.

    Raises:
        EvaluationError: All of them failed; the first cause is named.
    """
    results = [row[name] for row in evaluator.evaluate(as_candidates(architectures))]
    if results and all(result.value is None for result in results):
        raise EvaluationError(f"'{name}' failed for all {len(results)} architectures: {results[0].cause}")
    return np.array([np.nan if result.value is None else result.value for result in results])
