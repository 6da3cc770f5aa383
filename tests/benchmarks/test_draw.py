from __future__ import annotations

import math

import pytest

from evonas.benchmarks import (
    bench_proxies,
    bench_published,
    bench_search,
    draw_anytime,
    draw_improvements,
    draw_proxies,
)

PNG = b"\x89PNG\r\n\x1a\n"

pytest.importorskip("matplotlib")


def test_figures_are_png(codes, table):
    assert draw_anytime(bench_search(codes, table, "acc,flops", evaluations=[60], seeds=3)).startswith(PNG)
    assert draw_proxies(bench_proxies(table, "acc", [], sources={}, seeds=2)).startswith(PNG)
    assert draw_improvements(bench_published()).startswith(PNG)


def test_a_single_evaluation_and_unknown_correlations_are_drawn(codes, table):
    assert draw_anytime(bench_search(codes, table, "acc,flops", evaluations=[1], seeds=1)).startswith(PNG)
    row = {"proxy": "none", "seed": 0, "spearman": math.nan, "kendall_top30": math.nan}
    assert draw_proxies([row]).startswith(PNG)
