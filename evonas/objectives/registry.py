"""Registry of objectives: the names that are known, and the factory behind each, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import NamedTuple

from evonas.errors import SettingsError, suggest
from evonas.objectives.contract import Context, Evaluator, check_evaluator
from evonas.objectives.robust.names import KINDS, ROBUST, is_robust, read_robust
from evonas.pareto.objective import split_names
from evonas.proxies.registry import DESCRIPTIONS, check_proxy, is_proxy, proxy_names
from evonas.tasks.measure import BY_CLASS, CALIBRATION, RECALL, REGRESSION, Measure, recall_measure
from evonas.tasks.registry import task_measures

__all__ = ["check_objectives", "describe_objectives", "known_objectives", "make_evaluator"]


class Entry(NamedTuple):
    """An objective of the package: where its factory stands, what it is in half a sentence, and whether it is named.

    A named factory computes several objectives and takes the name of the one asked for after the context.
    """

    home: str
    description: str
    named: bool = False


_COST, _SIZE = "evonas.objectives.cost.cost:CostEvaluator", "evonas.objectives.cost.size:SizeEvaluator"
ANY_RECALL = f"{RECALL}CLASS"
"""What lists show for the recalls of all classes."""
_MEASURES = "evonas.objectives.accuracy.low_fidelity:measure_evaluator"
_ROBUST = "evonas.objectives.robust.estimate:robust_evaluator"
SHIPPED: Mapping[str, Entry] = MappingProxyType(
    {
        "acc": Entry(
            "evonas.objectives.accuracy.low_fidelity:accuracy_evaluator", "accuracy as estimated by --estimator (max)"
        ),
        "free": Entry(
            "evonas.objectives.free:FreeEvaluator", "FLOPs, SWAP and SynFlow by their ranks in a sample (max)"
        ),
        "flops": Entry(_COST, "multiply-adds of convolutions, linear layers and products of matrices (min)"),
        **{
            one.name: Entry(_MEASURES, f"{one.text} ({one.direction})", named=True)
            for one in (*BY_CLASS, *CALIBRATION, *REGRESSION)
        },
        "latency": Entry("evonas.objectives.latency.latency:LatencyEvaluator", "milliseconds in onnxruntime (min)"),
        "memory": Entry("evonas.objectives.cost.memory:MemoryEvaluator", "peak bytes of one inference (min)"),
        "params": Entry(_COST, "number of parameters (min)"),
        ANY_RECALL: Entry(_MEASURES, "share of the images of that class found, such as recall:cat (max)", named=True),
        **{f"{ROBUST}{name}": Entry(_ROBUST, f"{kind.text} (max)", named=True) for name, kind in KINDS.items()},
        "size": Entry(_SIZE, "bytes of the ONNX file (min)"),
        "size_int8": Entry(_SIZE, "bytes of the ONNX file with 8-bit weights (min)"),
    }
)
"""The package's own objectives beside the training-free scores."""


def _added() -> dict[str, EntryPoint]:
    """Return the entry points of other packages by the objective that they compute.

    Raises:
        SettingsError: One takes a name that is taken.
    """
    taken = {*SHIPPED, *proxy_names()}
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group="evonas.evaluators"):
        if point.name in taken or point.name in found:
            raise SettingsError(
                f"Expected a new objective name, got '{point.name}' of {point.value}: it is taken; rename or remove it"
            )
        found[point.name] = point
    return found


def _measured() -> dict[str, Measure]:
    """Return the measures of other packages' tasks that nothing else is named as."""
    taken = {*SHIPPED, *proxy_names(), *_added()}
    return {name: measure for name, measure in task_measures().items() if name not in taken}


def known_objectives() -> list[str]:
    """Return the names of all objectives that can be computed here, sorted.

    ``rank(a,b)`` of proxies, and those with options such as ``swap(mu=40,sigma=900)`` or ``robust:pgd@4/255x10``, are
    further ones.

    Raises:
        SettingsError: Another package takes a name that is taken.
    """
    return sorted({*SHIPPED, *proxy_names(), *_added(), *_measured()})


def describe_objectives() -> dict[str, str]:
    """Return what each known objective is, in half a sentence, by name."""
    own = {name: entry.description for name, entry in SHIPPED.items()}
    scores = {name: DESCRIPTIONS.get(name, "training-free score of another package") for name in proxy_names()}
    added = {name: f"of {point.value}" for name, point in _added().items()}
    measured = {name: f"{one.text or one.unit} ({one.direction})" for name, one in _measured().items()}
    return dict(sorted({**scores, **added, **measured, **own}.items()))


def check_objectives(names: Iterable[str]) -> None:
    """Refuse a name that is no objective.

    Raises:
        SettingsError: A name that nothing computes, or options that a score does not take.
    """
    own = {*SHIPPED, *proxy_names(), *_added()}
    for name in names:
        if name.startswith("rank(") and name.endswith(")"):
            for proxy in split_names([name[len("rank(") : -1]], "proxy"):
                check_proxy(proxy)
        elif is_proxy(name):
            check_proxy(name)
        elif is_robust(name):
            read_robust(name).check_installed()
        elif recall_measure(name) is not None:
            continue  # whether there is such a class is known with the data
        elif name not in own and name not in (known := known_objectives()):  # which imports other packages' tasks
            raise SettingsError(
                f"Unknown objective '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
            )


def make_evaluator(name: str, context: Context) -> Evaluator:
    """Make the evaluator that computes an objective.

    Args:
        name: Name of the objective: the package's own, that of an entry point in ``evonas.evaluators`` (a factory
            that takes a `Context`), or a measure of a task of another package in ``evonas.tasks``.
        context: What it may need.

    Raises:
        SettingsError: Nothing computes it, or what another package registers for it is no evaluator of it.
    """
    check_objectives([name])
    if recall_measure(name) is not None:
        return _made(SHIPPED[ANY_RECALL].home, context, name)
    if is_robust(name):
        return _made(_ROBUST, context, name)
    if name in SHIPPED:
        entry = SHIPPED[name]
        return _made(entry.home, context, name) if entry.named else _made(entry.home, context)
    if name.startswith("rank("):
        return _made("evonas.objectives.rank:RankEvaluator", context, name)
    if is_proxy(name):
        return _made("evonas.objectives.proxy:ProxyEvaluator", context, name)
    added = _added()
    if name not in added:
        return _made(_MEASURES, context, name)
    point = added[name]
    return check_evaluator(point.load()(context), name, point.value)


def _made(home: str, *arguments: object) -> Evaluator:
    """Call the factory that stands at ``module:name``."""
    module, _, name = home.partition(":")
    evaluator: Evaluator = getattr(importlib.import_module(module), name)(*arguments)
    return evaluator
