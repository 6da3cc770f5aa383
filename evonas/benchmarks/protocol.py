"""The protocol of "NAS evaluation is frustratingly hard": a method against random sampling, all else equal.

A method's accuracy says little before the same number of architectures, drawn by the same sampler from the
same space and trained in the same way, stands beside it. Yang, Esperança and Carlucci (ICLR 2020) call the
ratio the relative improvement, RI. Their results for eight methods on five data sets ship as means.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import EvaluationError, SettingsError
from evonas.pareto.correlation import kendall
from evonas.pareto.improvement import relative_improvement
from evonas.spaces import Architecture, Space

Train = Callable[[Sequence[Architecture], int], ArrayLike]
"""What trains and measures: (architectures, training seed) -> accuracy of each, NaN where training failed."""


@dataclass(frozen=True)
class Published:
    """One cell of the published table."""

    method: str
    dataset: str
    random_mean: float
    """Mean test accuracy of eight random architectures of the method's own space, per cent."""
    method_mean: float
    """Mean test accuracy of eight runs of the method, per cent."""
    printed: float
    """RI as printed. On Flowers102 the labels of DARTS and P-DARTS are swapped: the results' file lists
    P-DARTS first there, and the authors' notebook reads the columns by position."""

    @property
    def ri(self) -> float:
        """Relative improvement of the means, per cent: what should have been printed."""
        return relative_improvement([self.method_mean], [self.random_mean]).value


def published() -> tuple[Published, ...]:
    """Return the published results: 8 methods on 5 data sets, in the paper's order.

    StacNAS on CIFAR-100 is a mean that the authors report without runs; ENAS on Flowers102 is compared with
    the random architectures of DARTS.
    """
    text = resources.files("evonas.benchmarks").joinpath("yang2020.csv").read_text(encoding="utf-8")
    return tuple(
        Published(row["method"], row["dataset"], *(float(row[k]) for k in ("random", "mean", "printed")))
        for row in csv.DictReader(text.splitlines())
    )


def bench_published() -> list[dict[str, Any]]:
    """Return the published table with RI computed from its means.

    Returns:
        Rows ``method, dataset, random_mean, method_mean, printed, ri, corrected`` (whether the printed value
        belongs to another method).
    """
    return [
        {**asdict(cell), "ri": round(cell.ri, 2), "corrected": round(cell.ri, 2) != cell.printed}
        for cell in published()
    ]


def bench_protocol(
    space: Space,
    found: Sequence[Architecture],
    train: Train,
    *,
    random: int | None = None,
    seeds: int = 1,
    seed: int = 0,
    pool: Sequence[Architecture] | None = None,
) -> dict[str, Any]:
    """Compare what a method found with random sampling: same sampler, same training, RI with interval.

    Args:
        space: The space that the method searched; its sampler draws the random architectures, none twice.
        found: Architectures, one per run of the method.
        train: Trains and measures all of them alike.
        random: How many random architectures; as many as `found` where None.
        seeds: Trainings of each architecture; two or more also show how far the ranking depends on the seed.
        seed: Of the sampler, and the first of the training seeds.
        pool: Draw from these instead of the whole space, such as the members of a table.

    Returns:
        ``ri, low, high, confidence, p``, ``method`` and ``random`` (mean accuracy of each architecture over
        the seeds that trained), ``random_architectures``, ``failed`` (trainings), ``seed_kendall`` (mean over
        pairs of seeds, all architectures; NaN for one seed).

    Raises:
        SettingsError: Nothing found, no seeds, or more random architectures than there are.
        EvaluationError: All trainings of a side failed.
    """
    if not found or seeds < 1:
        raise SettingsError(f"Expected found architectures and one seed or more, got {len(found)}, {seeds}.")
    rng = np.random.default_rng(seed)
    drawn = draw_architectures(space, len(found) if random is None else random, rng, pool)
    together = [*found, *drawn]
    accuracy = np.stack([np.asarray(train(together, seed + i), dtype=np.float64) for i in range(seeds)])
    if accuracy.shape != (seeds, len(together)):
        raise SettingsError(f"Expected {len(together)} accuracies per seed, got shape {accuracy.shape[1:]}.")
    trained = ~np.isnan(accuracy)
    means = np.where(trained, accuracy, 0).sum(axis=0) / np.where(trained.any(axis=0), trained.sum(axis=0), 1)
    means[~trained.any(axis=0)] = math.nan
    method, baseline = means[: len(found)], means[len(found) :]
    if np.isnan(method).all() or np.isnan(baseline).all():
        raise EvaluationError("All trainings of the method's or of the random architectures failed.")
    result = relative_improvement(method[~np.isnan(method)], baseline[~np.isnan(baseline)], rng=rng)
    return {
        "ri": result.value,
        "low": result.low,
        "high": result.high,
        "confidence": result.confidence,
        "p": result.p,
        "method": method.tolist(),
        "random": baseline.tolist(),
        "random_architectures": [str(one) for one in drawn],
        "failed": int((~trained).sum()),
        "seed_kendall": float(np.mean([kendall(a, b) for a, b in combinations(accuracy, 2)] or [math.nan])),
    }


def draw_architectures(
    space: Space, n: int, rng: np.random.Generator, pool: Sequence[Architecture] | None = None
) -> list[Architecture]:
    """Return n random architectures as written, no two of one canonical form, by the space's own sampler.

    Args:
        space: The space.
        n: How many, 1 or more.
        rng: Source of randomness.
        pool: Draw from these instead, none twice.

    Raises:
        SettingsError: There are too few.
    """
    if pool is not None:
        if not 1 <= n <= len(pool):
            raise SettingsError(f"Expected 1 to {len(pool)} random architectures from the pool, got {n}.")
        return [pool[row] for row in rng.choice(len(pool), n, replace=False)]
    if n < 1:
        raise SettingsError(f"Expected one random architecture or more, got {n}.")
    drawn: dict[str, Architecture] = {}
    for _ in range(100):
        for genome in space.sample(n - len(drawn), rng):
            architecture = space.decode(genome)
            drawn.setdefault(space.key(genome), architecture)
        if len(drawn) == n:
            return list(drawn.values())
    raise SettingsError(f"Could not draw {n} different architectures of {space.name}: it has too few.")
