"""Benchmarks: the parts measured against known truth.

- `bench_search` compares searches on a table whose front is known; `members_of` and `Oracle` are what an
  algorithm of one's own works with, `algorithms` those that ship.
- `bench_proxies` correlates scores with measured accuracy, parameters and FLOPs always beside them.
- `computed_objectives` and `score_sources` bring the objectives that evonas computes to both.
- `bench_protocol` measures a method by its relative improvement over random sampling; `bench_published` does it
  for the published results of eight methods. `evonas.benchmarks.ablate.ablate_columns` and
  `evonas.benchmarks.ablate_trainings.ablate_trainings` say what else moves accuracies: tricks, seeds, the frame, depth.
- `evonas.benchmarks.overhead.bench_overhead` measures what scores, shared weights and the search cost beside the
  work that cannot be spared; it stands apart because it needs torch, which benchmarks on columns do not.
- `evonas.benchmarks.supernet.bench_supernet` ranks architectures with shared weights trained by several rules; it
  needs torch as well.
- `evonas.benchmarks.anchor_table.bench_table` measures the ranker on tables whose columns play trainings; beside it
  stands `evonas.benchmarks.estimator.bench_estimator`, which trains.
- `write_results` puts JSON, CSV and PNG beside each other.

Everything is deterministic given the seeds. Figures (`draw_anytime`, …) are drawn from results alone.
"""

from evonas.benchmarks.algorithms import Algorithm, algorithms
from evonas.benchmarks.computed import computed_objectives, score_sources, scores_together
from evonas.benchmarks.draw import draw_anchors, draw_anytime, draw_improvements, draw_proxies, draw_supernet
from evonas.benchmarks.members import Members, Oracle, Spent, members_of
from evonas.benchmarks.output import write_results, write_rows
from evonas.benchmarks.protocol import Published, bench_protocol, bench_published, published
from evonas.benchmarks.proxies import FLOORS, bench_proxies
from evonas.benchmarks.search import bench_search, table_rows

__all__ = [
    "FLOORS",
    "Algorithm",
    "Members",
    "Oracle",
    "Published",
    "Spent",
    "algorithms",
    "bench_protocol",
    "bench_proxies",
    "bench_published",
    "bench_search",
    "computed_objectives",
    "draw_anchors",
    "draw_anytime",
    "draw_improvements",
    "draw_proxies",
    "draw_supernet",
    "members_of",
    "published",
    "score_sources",
    "scores_together",
    "table_rows",
    "write_results",
    "write_rows",
]
