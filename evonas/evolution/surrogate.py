"""Surrogate-assisted evolution: predictors of expensive objectives choose the few genomes worth an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from evonas.errors import SettingsError
from evonas.evolution.evolution import Evolution
from evonas.evolution.infill import Estimates, choose_batch
from evonas.pareto.dominance import first_front
from evonas.predictors import Described, Encoder, RegressorChoice, fit_predictor

__all__ = ["LISTED_GENOMES", "SurrogateEvolution"]

LISTED_GENOMES = 20_000
"""Genomes up to which every unseen one is predicted; where there are more, an inner NSGA-II looks for candidates."""
PREDICTION_SAMPLES = 8
"""Equally likely values that a prediction's distribution is sampled at."""
INNER_SEARCH = 100, 25
"""Population and generations of the inner search."""

Cheap = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Genomes -> minimized values (n, m) and violations (n, c); NaN where only an evaluation tells."""


class SurrogateEvolution(Evolution):
    """An `Evolution` that after its first genomes asks for few at a time, those of the largest expected gain.

    Each round fits predictors of the expensive objectives on all that was told, looks for candidates by an inner
    NSGA-II on optimistic predictions (or takes every unseen genome where there are few) and picks a batch by
    expected gain in hypervolume (`evonas.evolution.infill`). A round is a function of what was told, of the seed
    and of its number; what it proposes is handed to `remember`, so that a replay need not fit again.

    Args:
        cardinalities: As `Evolution` takes them.
        encoder: What predictors see of genomes.
        cheap: Objectives and violations that are computed instead of predicted.
        batch: How many genomes a round asks for.
        remember: Given the name of a round and what makes its proposal, returns the stored or the new one.
        listed: All genomes there are, shape (k, n_choices); default: all combinations where they are few.
        inner: Population and generations of the inner evolution, where genomes are not listed.
        **given: As `Evolution` takes them.

    Attributes:
        choices: Of the last round, for each expensive objective by its number: the predictor and its rank correlation.

    Source: Lu et al., NSGANetV2 (ECCV 2020); Cummings et al., LINAS (2022).
    """

    def __init__(
        self,
        cardinalities: np.ndarray,
        *,
        encoder: Encoder,
        cheap: Cheap,
        batch: int,
        remember: Callable[[str, Callable[[], Any]], Any] = lambda name, make: make(),
        listed: np.ndarray | None = None,
        inner: tuple[int, int] = INNER_SEARCH,
        seed: int,
        **given: Any,
    ) -> None:
        super().__init__(cardinalities, seed=seed, **given)
        if batch < 1:
            raise SettingsError(f"Expected a batch of 1 or more, got {batch}.")
        self._encoder, self._cheap, self._batch, self._seed = encoder, cheap, batch, seed
        self._remember = remember
        self._inner = inner
        if listed is None and np.prod(self.cardinalities.astype(float)) <= min(LISTED_GENOMES, 10 * np.prod(inner)):
            listed = np.stack(np.unravel_index(np.arange(np.prod(self.cardinalities)), self.cardinalities), axis=1)
        self._listed = None if listed is None else self._genomes(listed)
        self._listed_keys: list[Hashable] = []
        self._listed_features: _Features | None = None

    def ask(self) -> np.ndarray:
        """Return genomes to evaluate as `Evolution.ask` does; after the first, what a round proposes."""
        if self._asked is not None or not self._told:
            return super().ask()
        well = self._well()
        if len(well) < 2:
            return super().ask()
        content = self._remember(f"surrogate {len(self._told)}", lambda: self._propose(well))
        self.choices = {int(j): RegressorChoice(**choice) for j, choice in content["predictors"].items()}
        genomes = self._genomes(np.array(content["genomes"]).reshape(-1, self.cardinalities.size))
        if not len(genomes) and self._listed is None:  # nothing new near what is known
            return super().ask()
        keys = [self._key(genome) for genome in genomes]
        self.exhausted, self.rejected = len(keys) < self._batch, 0
        self._seen.update(keys)
        self._keys += keys
        self._parents = [()] * len(keys)
        if len(keys):
            self._asked = genomes
        return genomes.copy()

    def _well(self) -> np.ndarray:
        values, broken = np.concatenate(self._values), np.concatenate(self._violations)
        return np.flatnonzero(np.isfinite(values).all(axis=1) & np.isfinite(broken).all(axis=1))

    def _propose(self, well: np.ndarray) -> dict[str, Any]:
        """Return what JSON can hold: the genomes of a round, and the predictors it was made with."""
        rng = np.random.default_rng([self._seed, 11, len(self._told)])
        values, broken = np.concatenate(self._values)[well], np.concatenate(self._violations)[well]
        prediction = _Prediction(self._encoder, self._features(self._rows(well)), values, broken)
        candidates, features = self._candidates(prediction, values, broken, rng)
        chosen = np.zeros(0, dtype=np.int64)
        if len(candidates):
            estimates = prediction.estimates(features, rng)
            best = first_front(values, broken)
            order = prediction.order
            chosen = choose_batch(estimates, values[:, order], values[best][:, order], self._batch, rng)
        choices = {str(j): {"name": c.name, "correlations": c.correlations} for j, c in prediction.choices.items()}
        return {"genomes": candidates[chosen].tolist(), "predictors": choices}

    def _features(self, genomes: np.ndarray) -> _Features:
        return _Features(*self._cheap(genomes), self._encoder.describe(genomes))

    def _candidates(
        self, prediction: _Prediction, values: np.ndarray, broken: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, _Features]:
        """Return genomes not asked for so far, shape (n, n_choices), and what is known of them."""
        if self._listed is not None:
            if self._listed_features is None:
                self._listed_keys = [self._key(genome) for genome in self._listed]
                self._listed_features = self._features(self._listed)
            first = {key: index for index, key in enumerate(self._listed_keys) if key not in self._seen}
            free = np.array(list(first.values()), dtype=np.int64)
            return self._listed[free], self._listed_features[free]
        inner = Evolution(
            self.cardinalities,
            key=self._key,
            objectives=self.objectives,
            constraints=self.constraints,
            population=self._inner[0],
            seed=int(rng.integers(2**31)),
            sample=self._sample,
            ordered=self.ordered,
            initial=np.concatenate([self._rows(first_front(values, broken)), self.population]).astype(np.int16),
        )
        found: dict[Hashable, np.ndarray] = {}
        for _ in range(self._inner[1]):
            genomes = inner.ask()
            if not len(genomes):
                break
            found.update((key, g) for g in genomes if (key := self._key(g)) not in self._seen)
            inner.tell(genomes, *prediction.optimistic(self._features(genomes)))
        candidates = np.array(list(found.values()), dtype=np.int16).reshape(-1, self.cardinalities.size)
        return candidates, self._features(candidates) if len(candidates) else self._features(self._rows(np.array([0])))


@dataclass(frozen=True)
class _Features:
    """Knowledge of genomes without an evaluation: values and violations, NaN where expensive; descriptions."""

    values: np.ndarray
    broken: np.ndarray
    described: Described

    def __getitem__(self, rows: np.ndarray) -> _Features:
        return _Features(self.values[rows], self.broken[rows], self.described[rows])


class _Prediction:
    """Values of genomes, computed or predicted by what was learned from those evaluated.

    Attributes:
        order: Objectives with the first expensive one last, as `choose_batch` integrates best.
        choices: The predictor of each expensive objective.
    """

    def __init__(self, encoder: Encoder, features: _Features, values: np.ndarray, broken: np.ndarray) -> None:
        expensive = np.flatnonzero(np.isnan(features.values).any(axis=0)).tolist()
        self._expensive = {j: fit_predictor(encoder, features.described, values[:, j]) for j in expensive}
        # A constraint that nothing broke so far is taken to hold.
        doubtful = np.flatnonzero(np.isnan(features.broken).any(axis=0) & (broken > 0).any(axis=0)).tolist()
        self._bounds = {k: fit_predictor(encoder, features.described, broken[:, k]) for k in doubtful}
        self.choices = {j: predictor.choice for j, predictor in self._expensive.items()}
        last = expensive[0] if expensive else values.shape[1] - 1
        self.order = np.array([*(j for j in range(values.shape[1]) if j != last), last])

    def estimates(self, features: _Features, rng: np.random.Generator) -> Estimates:
        """Return predictions of genomes, objectives in `order`."""
        mean, optimistic = features.values.copy(), features.values.copy()
        drawn = np.repeat(mean[None], PREDICTION_SAMPLES, axis=0)
        levels = ndtri((np.arange(PREDICTION_SAMPLES) + 0.5) / PREDICTION_SAMPLES)
        for j, predictor in self._expensive.items():
            score, sd = predictor(features.described)
            mean[:, j], optimistic[:, j] = predictor.values(score), predictor.values(score - sd)
            for sample, level in zip(drawn, rng.permutation(levels), strict=True):
                sample[:, j] = predictor.values(score + level * sd)
        feasible, violation = np.ones(len(mean)), np.zeros(len(mean))
        for k in range(features.broken.shape[1]):
            chance, expected = self._bound(k, features)
            feasible, violation = feasible * chance, violation + expected
        order = self.order
        return Estimates(mean[:, order], optimistic[:, order], drawn[:, :, order], feasible, violation)

    def optimistic(self, features: _Features) -> tuple[np.ndarray, np.ndarray]:
        """Return values a standard deviation better than expected, and violations expected."""
        values = features.values.copy()
        for j, predictor in self._expensive.items():
            score, sd = predictor(features.described)
            values[:, j] = predictor.values(score - sd)
        broken = features.broken.copy()
        for k in range(broken.shape[1]):
            broken[:, k] = self._bound(k, features)[1]
        return values, broken

    def _bound(self, k: int, features: _Features) -> tuple[np.ndarray, np.ndarray]:
        """Return the probability that a constraint holds, and by how much it is expected to be broken."""
        computed = features.broken[:, k]
        if not np.isnan(computed).any():
            return (computed <= 0).astype(float), np.maximum(computed, 0.0)
        predictor = self._bounds.get(k)
        if predictor is None:
            return np.ones(len(computed)), np.zeros(len(computed))
        score, sd = predictor(features.described)
        return ndtr((predictor.threshold(0.0) - score) / sd), np.maximum(predictor.values(score), 0.0)
