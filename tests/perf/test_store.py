"""How long a store of a million evaluations takes; run as the other timings here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evonas.pareto.dominance import first_front, minimized
from evonas.runs.store import Evaluation, Store

ARCHITECTURES = 500_000
"""Of two objectives each."""


def rows(architectures: range) -> list[Evaluation]:
    values = np.random.default_rng(architectures.start).random((len(architectures), 2))
    return [
        Evaluation(f"architecture {i} {'x' * 60}", name, "f", float(value), None, 0.1)
        for i, pair in zip(architectures, values, strict=True)
        for name, value in zip(("acc", "flops"), pair, strict=True)
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("store") / "s.sqlite", create=True) as store:
        for start in range(0, ARCHITECTURES, 40):
            store.record(rows(range(start, start + 40)))
        yield store


def test_front_of_a_million_evaluations(benchmark, store):
    def read() -> list[str]:
        numbers, values = store.values([("acc", "f"), ("flops", "f")])
        return store.texts(numbers[first_front(minimized(values, ["max", "min"]))])

    assert 1 <= len(benchmark.pedantic(read, rounds=5)) < 100


def test_insert_one(benchmark, store):
    fresh = (row for i in itertools.count(10**7) for row in rows(range(i, i + 1)))
    benchmark.pedantic(store.record, setup=lambda: (([next(fresh)],), {}), rounds=5000)


def test_insert_a_generation_of_forty(benchmark, store):
    starts = itertools.count(10**8, 40)
    benchmark.pedantic(store.record, setup=lambda: ((rows(range(start := next(starts), start + 40)),), {}), rounds=200)
