"""Cost of waiting for the last of a generation: ``python -m evonas.benchmarks.barrier``."""

from __future__ import annotations

import heapq

import numpy as np


def simulate_barrier(
    workers: int, population: int, spread: float, *, generations: int = 30, steady: bool = False, seed: int = 0
) -> float:
    """Return the share of the workers' time that they idle, in [0, 1].

    Evaluations take log-normal times, as trainings and paths of very different sizes on a shared cluster do; a
    free worker takes the next.

    Args:
        workers: How many.
        population: Evaluations of a generation.
        spread: Standard deviation of the times' logarithm; 1: one in forty takes over 7 times the median.
        generations: How many.
        steady: No worker waits for a generation, only for the end of the search.
        seed: Of the times.
    """
    times = np.random.default_rng(seed).lognormal(0.0, spread, (generations, population))
    rounds = [times.ravel()] if steady else list(times)
    total = 0.0
    for one in rounds:
        free = [0.0] * workers
        for seconds in one.tolist():
            heapq.heapreplace(free, free[0] + seconds)
        total += max(free)
    return float(1 - times.sum() / (total * workers))


def main() -> None:
    """Print a table."""
    print("workers  population  spread  idle by generations  idle steadily")
    for workers in (100, 1000):
        for ratio in (1, 4, 10):
            for spread in (0.5, 1.0, 1.5):
                size = ratio * workers
                both = [simulate_barrier(workers, size, spread, steady=steady) for steady in (False, True)]
                print(f"{workers:7} {size:11} {spread:7} {both[0]:20.0%} {both[1]:14.0%}")


if __name__ == "__main__":
    main()
