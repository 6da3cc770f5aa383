"""Contract of an evaluator: what it is made from, what it computes, and helpers to keep the contract."""

from __future__ import annotations

import hashlib
import json
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from evonas.errors import EvaluationError, EvonasError, SettingsError, lacking
from evonas.files.progress import Progress, Silent
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate, Skeleton, Space

if TYPE_CHECKING:
    from evonas.data import Dataset
    from evonas.networks import Network


@dataclass(frozen=True)
class Context:
    """Context that evaluators are made from; each takes what it uses and leaves the rest.

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
        progress: Shows how far long steps of an evaluator are, such as reading the paths of a sample.
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
    progress: Progress = field(default_factory=Silent, compare=False)


class Evaluator(Protocol):
    """Computer of one or more objectives; inherit it, and what is optional has its default.

    Attributes:
        objectives: What it computes.
        fingerprint: Of every setting that changes a value: with candidate and objective the store's key.
        batch: Candidates that are worth evaluating and storing in one go. Where it is above 1 the evaluator is cheap:
            it runs in the search's own process and before expensive ones.
        measures: Whether it takes times on this machine; then it runs in the search's own process too, one candidate
            at a time, while workers are idle.
    """

    objectives: tuple[Objective, ...]
    fingerprint: str
    batch: int = 1
    measures: bool = False

    @abstractmethod
    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return for each candidate, its architecture canonical, a result per objective.

        One candidate that fails does not spoil the others: its results hold the cause.
        """
        ...

    def prepare(self) -> None:
        """Compute what every evaluation rests on, so that no candidate's time holds it; by default nothing."""
        return

    def shared_weights(self) -> Evaluator | None:
        """Return the estimate of the same objective by shared weights, which predictors see; by default there is none.

        It must cost far less than an evaluation.
        """
        return None


def check_evaluator(made: object, name: str, source: str) -> Evaluator:
    """Refuse what another package's factory made unless it is an evaluator of an objective; return it.

    Args:
        made: What the factory returned.
        name: The objective that it is registered for.
        source: Where the factory stands, ``module:name``.

    Raises:
        SettingsError: A member of the contract is missing, or the objective.
    """
    missing = lacking(made, Evaluator)
    if missing:
        raise SettingsError(
            f"Expected an evaluator of '{name}' from {source}, got one ({type(made).__name__}) without "
            f"{', '.join(missing)}: inherit evonas.objectives.Evaluator, which has defaults of what is optional"
        )
    evaluator = cast(Evaluator, made)
    if name not in {objective.name for objective in evaluator.objectives}:
        raise SettingsError(f"The evaluator '{source}' is registered for '{name}' but does not compute it")
    return evaluator


def fingerprint(*parts: Any) -> str:
    """Return 16 hexadecimal digits that stand for JSON-able settings."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def one_by_one(
    objectives: Sequence[Objective],
    candidates: Sequence[Candidate],
    compute: Callable[[Architecture], Mapping[str, float]],
    *,
    sized: bool = False,
) -> list[dict[str, Result]]:
    """Evaluate the architectures of candidates in turn; what fails is recorded with its cause and the others go on.

    A candidate with a recipe or a resolution of its own fails: a value that left these out would be another's.

    Args:
        objectives: What is computed.
        candidates: Candidates with canonical architectures.
        compute: Returns the values of one's architecture.
        sized: Whether `compute` reads the architecture's resolution, so that it can be a candidate's own.
    """
    rows = []
    for candidate in candidates:
        start = time.perf_counter()
        try:
            architecture = candidate.sized if sized else candidate.architecture
            if candidate.recipe is not None or (candidate.resolution is not None and not sized):
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
