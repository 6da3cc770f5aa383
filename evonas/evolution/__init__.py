"""Evolution: genome operators, multi-objective algorithms by ask and tell.

- `Evolution` proposes genomes and learns from their values; `algorithms` are the ways it can go about it.
- `crossover` and `mutate` vary genomes.

This is the only package that imports pymoo (Blank and Deb, IEEE Access 2020).
"""

from evonas.evolution.algorithms import algorithms
from evonas.evolution.evolution import Evolution
from evonas.evolution.operators import crossover, mutate
from evonas.evolution.steady import SteadyEvolution

__all__ = [
    "Evolution",
    "SteadyEvolution",
    "algorithms",
    "crossover",
    "mutate",
]
