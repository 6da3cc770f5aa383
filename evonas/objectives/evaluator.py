"""Evaluators: what computes objectives; made by factories, found by the objective's name."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

from evonas.data import Dataset
from evonas.errors import EvaluationError, EvonasError, SettingsError, suggest
from evonas.networks import Network
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate, Skeleton, Space


@dataclass(frozen=True)
class Context:
    """What an evaluator may need; it takes what it uses and leaves the rest.

    Attributes:
        space: The space searched.
        skeleton: The skeleton that costs and accuracies are those of.
        data: The data set; None in a search on tables.
        device: Where networks run.
        supernet: Trained shared weights, or None.
        supernet_fingerprint: Identity of these weights.
        seed: Of everything random.
        threads: Threads of one evaluation.
        options: Further settings by name, such as ``latency_table``.
    """

    space: Space
    skeleton: Skeleton
    data: Dataset | None = None
    device: str = "cpu"
    supernet: Network | None = None
    supernet_fingerprint: str = ""
    seed: int = 0
    threads: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Evaluator(Protocol):
    """Computes one or more objectives.

    Attributes:
        objectives: What it computes.
        fingerprint: Of every setting that changes a value: with candidate and objective the store's key.
    """

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What it computes."""
        ...

    @property
    def fingerprint(self) -> str:
        """What its values depend on."""
        ...

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return for each candidate, its architecture canonical, a result per objective.

        One candidate that fails does not spoil the others: its results hold the cause.
        """
        ...


Factory = Callable[[Context], Evaluator]


def fingerprint(*parts: Any) -> str:
    """Return 16 hexadecimal digits that stand for JSON-able settings."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def one_by_one(
    objectives: Sequence[Objective],
    candidates: Sequence[Candidate],
    compute: Callable[[Architecture], Mapping[str, float]],
) -> list[dict[str, Result]]:
    """Evaluate the architectures of candidates in turn; what fails is recorded with its cause and the others go on.

    A candidate with a recipe or a resolution of its own fails: a value that left these out would be another's.

    Args:
        objectives: What is computed.
        candidates: Candidates with canonical architectures.
        compute: Returns the values of one's architecture.
    """
    rows = []
    for candidate in candidates:
        start = time.perf_counter()
        try:
            architecture = candidate.architecture
            if candidate.recipe is not None or candidate.resolution is not None:
                names = ", ".join(objective.name for objective in objectives)
                raise EvaluationError(f"{names} cannot be evaluated with a recipe or resolution of a candidate's own")
            values = compute(architecture)
            seconds = time.perf_counter() - start
            rows.append({o.name: _result(float(values[o.name]), seconds) for o in objectives})
        except (EvonasError, RuntimeError, ValueError, ArithmeticError, MemoryError) as error:
            seconds = time.perf_counter() - start
            cause = " ".join(str(error).split())[:300] or type(error).__name__
            if not isinstance(error, EvonasError):
                cause = f"{type(error).__name__}: {cause}"
            rows.append({o.name: Result(None, cause, seconds) for o in objectives})
    return rows


def _result(value: float, seconds: float) -> Result:
    if value != value or abs(value) == float("inf"):
        return Result(None, f"the value is {value}", seconds)
    return Result(value, None, seconds)


Named = Callable[[Context, str], Evaluator]
"""A factory that is told the name asked for, because it computes several."""


def _shipped() -> dict[str, Named]:
    """Return the package's own: objective name to factory."""
    from evonas.objectives.accuracy.low_fidelity import accuracy_evaluator
    from evonas.objectives.accuracy.measures import MeasureEvaluator
    from evonas.objectives.cost.cost import CostEvaluator
    from evonas.objectives.cost.memory import MemoryEvaluator
    from evonas.objectives.cost.size import SizeEvaluator
    from evonas.objectives.latency.latency import LatencyEvaluator
    from evonas.objectives.proxy import ProxyEvaluator
    from evonas.proxies import proxies
    from evonas.tasks import MEASURES

    found: dict[str, Named] = dict.fromkeys(proxies(), ProxyEvaluator)
    found |= dict.fromkeys(("flops", "params"), lambda context, name: CostEvaluator(context))
    found |= dict.fromkeys(("size", "size_int8"), lambda context, name: SizeEvaluator(context))
    found["acc"] = lambda context, name: accuracy_evaluator(context)
    found |= dict.fromkeys(MEASURES, MeasureEvaluator)
    found["latency"] = lambda context, name: LatencyEvaluator(context)
    found["memory"] = lambda context, name: MemoryEvaluator(context)
    return found


def _added(shipped: Iterable[str]) -> dict[str, EntryPoint]:
    """Return the entry points of other packages by the objective that they compute.

    Raises:
        SettingsError: One takes a name that is taken.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group="evonas.evaluators"):
        if point.name in shipped or point.name in found:
            raise SettingsError(
                f"Expected a new objective name, got '{point.name}' of {point.value}: it is taken; rename or remove it"
            )
        found[point.name] = point
    return found


def known_objectives() -> list[str]:
    """Return the names of all objectives that can be computed here; ``rank(a,b)`` of proxies and
    proxies with options, ``swap(mu=40,sigma=900)``, come besides.

    Raises:
        SettingsError: Another package takes a name that is taken.
    """
    shipped = _shipped()
    return sorted({*shipped, *_added(shipped)})


def check_objectives(names: Iterable[str]) -> None:
    """Say which name is no objective.

    Raises:
        SettingsError: A name that nothing computes.
    """
    from evonas.objectives.rank import ranked
    from evonas.proxies import is_proxy, load_proxy

    known = known_objectives()
    for name in names:
        if is_proxy(name):
            load_proxy(name)  # refuses options that it does not take
        elif name not in known and not ranked(name):
            raise SettingsError(
                f"Unknown objective '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
            )


def make_evaluator(name: str, context: Context) -> Evaluator:
    """Make the evaluator that computes an objective.

    Args:
        name: Name of the objective: the package's own, or of an entry point in ``evonas.evaluators`` (a factory
            that takes a `Context`).
        context: What it may need.

    Raises:
        SettingsError: Nothing computes it.
    """
    from evonas.objectives.proxy import ProxyEvaluator
    from evonas.objectives.rank import RankEvaluator, ranked
    from evonas.proxies import is_proxy

    check_objectives([name])
    if ranked(name):
        return RankEvaluator(context, name)
    shipped = _shipped()
    if name in shipped:
        return shipped[name](context, name)
    if is_proxy(name):
        return ProxyEvaluator(context, name)
    point = _added(shipped)[name]
    evaluator: Evaluator = point.load()(context)
    if name not in {objective.name for objective in evaluator.objectives}:
        raise SettingsError(f"The evaluator '{point.value}' is registered for '{name}' but does not compute it")
    return evaluator


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Run torch with a fixed number of threads, then with as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
