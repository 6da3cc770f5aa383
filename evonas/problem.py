"""What a search is about: space, skeleton, data, objectives and constraints, read from settings and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.config import Settings
from evonas.data import load_data
from evonas.errors import SettingsError, suggest
from evonas.evolution import algorithms
from evonas.objectives import (
    Constraint,
    Context,
    Evaluator,
    check_objectives,
    fingerprint,
    make_evaluator,
    parse_constraint,
    split_names,
)
from evonas.run import new_manifest
from evonas.spaces import Architecture, load_space
from evonas.supernet import find_rule
from evonas.training import resolve_device

TRIED = 2000
"""Architectures drawn in each way to see whether a bound on a cheap objective can be kept at all."""


class Problem:
    """What settings ask for; making one reads the data and checks all that can be checked before work begins.

    Args:
        settings: What to search for.

    Attributes:
        settings: The same, with absolute paths: a run must find its files wherever it is resumed from.
        space, skeleton, data, device: What networks are built of and read.
        names: Objectives to optimize, in order.
        evaluated: These, and what constraints bound besides.
        constraints: Bounds.
        cheap: Evaluators that need no training: FLOPs, parameters, and latency once a table exists.

    Raises:
        EvonasError: Settings or data that make no sense, or a bound that no architecture keeps.
    """

    def __init__(self, settings: Settings) -> None:
        self.names = split_names(settings.objectives)
        self.constraints = [parse_constraint(text) for text in settings.constraints]
        self.evaluated = tuple(dict.fromkeys((*self.names, *(c.objective for c in self.constraints))))
        check_objectives(self.evaluated)
        find_rule(settings.sharing)
        if settings.algorithm not in algorithms:
            raise SettingsError(
                f"Unknown algorithm '{settings.algorithm}': expected {', '.join(algorithms)}."
                f"{suggest(settings.algorithm, algorithms)}"
            )
        self.space = load_space(settings.space)
        self.space.skeleton(settings.skeleton)
        self.device = str(resolve_device(settings.device))
        resolutions = self.space.definition.resolutions
        self.data = load_data(
            settings.data,
            resolution=settings.resolution or (max(resolutions) if resolutions else None),
            limit=settings.train_limit,
            validation=settings.validation,
            seed=settings.seed,
            device=self.device,
        )
        self.skeleton = self.space.skeleton(
            settings.skeleton,
            resolution=self.data.resolution,
            in_channels=self.data.in_channels,
            classes=len(self.data.classes),
        )
        absolute = {
            name: str(Path(value).resolve())
            for name in ("space", "data", "supernet", "latency_table")
            if (value := getattr(settings, name)) and Path(value).exists()
        }
        self.settings = settings.model_copy(update=absolute)
        self.cheap: dict[str, Evaluator] = dict.fromkeys(("flops", "params"), make_evaluator("flops", self.context()))
        self.refuse_impossible()

    def manifest(self) -> dict[str, Any]:
        """Return what a run remembers of where and with what it was made."""
        space = {"name": self.space.name, "fingerprint": fingerprint(self.space.definition.model_dump())}
        return new_manifest(seed=self.settings.seed, space=space, data=self.data.fingerprint)

    def context(self, **more: Any) -> Context:
        """Return what evaluators are made from."""
        return Context(
            self.space,
            self.skeleton,
            self.data,
            self.device,
            seed=self.settings.seed,
            threads=self.settings.threads,
            **more,
        )

    def add_cheap(self, name: str, evaluator: Evaluator) -> None:
        """Add an evaluator that needs no training, and see whether bounds on it can be kept.

        Raises:
            SettingsError: One cannot.
        """
        self.cheap = {**self.cheap, name: evaluator}
        self.refuse_impossible()

    def refuse_impossible(self) -> None:
        """Say at once that a bound on a cheap objective lies beyond all of a large sample.

        Raises:
            SettingsError: Nothing tried keeps to a bound; the message holds the nearest value.
        """
        constraints = self._cheap_constraints()
        if not constraints:
            return
        rng = np.random.default_rng([self.settings.seed, 3])
        corners = np.stack([np.zeros_like(self.space.cardinalities), self.space.cardinalities - 1])
        draws = [self.space.sample(TRIED, rng, by=by) for by in ("choice", "size")]
        sample = [self.space.canonical(self.space.decode(genome)) for genome in np.concatenate([*draws, corners])]
        for constraint in constraints:
            values = self._values(constraint.objective, sample)
            if all(constraint.violation(value) > 0 for value in values):
                best = min(values) if constraint.sign == "<=" else max(values)
                raise SettingsError(
                    f"No architecture of {len(sample)} tried keeps to {constraint}: the nearest has {best:,.6g}; "
                    "loosen the constraint or choose another skeleton"
                )

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Architecture]]:
        """Draw different architectures, those first that keep to bounds on cheap objectives.

        Args:
            n: How many; fewer come back where the space holds fewer.
            rng: Source of randomness.

        Returns:
            Genomes of shape ``(n, n_choices)`` and canonical architectures.
        """
        kept: dict[str, tuple[np.ndarray, Architecture]] = {}
        spare: dict[str, tuple[np.ndarray, Architecture]] = {}
        for _ in range(20):
            genomes = self.space.sample(n, rng, by="choice")
            forms = [self.space.canonical(self.space.decode(genome)) for genome in genomes]
            able = np.ones(len(forms), dtype=bool)
            for constraint in self._cheap_constraints():
                values = self._values(constraint.objective, forms)
                able &= np.array([constraint.violation(value) <= 0 for value in values])
            for genome, form, good in zip(genomes, forms, able):
                (kept if good else spare).setdefault(str(form), (genome, form))
            if len(kept) >= n:
                break
        chosen = [*kept.values(), *spare.values()][:n]
        return np.stack([genome for genome, _ in chosen]), [form for _, form in chosen]

    def violations(self, values: np.ndarray) -> np.ndarray:
        """Return by how much each row of values breaks each constraint.

        Args:
            values: Shape ``(n, len(evaluated))``, natural directions.

        Returns:
            Shape ``(n, len(constraints))``, relative to the bound; NaN where the value is.
        """
        columns = {name: i for i, name in enumerate(self.evaluated)}
        broken = np.zeros((len(values), len(self.constraints)))
        for i, constraint in enumerate(self.constraints):
            column = values[:, columns[constraint.objective]]
            broken[:, i] = [constraint.violation(v) if np.isfinite(v) else np.nan for v in column]
        return broken

    def evaluators(self, context: Context) -> Mapping[str, Evaluator]:
        """Return the evaluator of every objective that is evaluated."""
        return {name: self.cheap.get(name) or make_evaluator(name, context) for name in self.evaluated}

    def _cheap_constraints(self) -> list[Constraint]:
        return [constraint for constraint in self.constraints if constraint.objective in self.cheap]

    def _values(self, name: str, forms: Sequence[Architecture]) -> list[float]:
        values = [row[name].value for row in self.cheap[name].evaluate(forms)]
        return [float("nan") if value is None else value for value in values]
