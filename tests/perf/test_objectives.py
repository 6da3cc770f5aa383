"""How fast objectives are that must cost nothing beside training; run with

pytest -o addopts=--import-mode=importlib tests/perf
"""

from __future__ import annotations

import numpy as np
import pytest

from evonas.data import load_data
from evonas.objectives import Context, make_evaluator
from evonas.objectives.proxy import Scores
from evonas.proxies import load_proxy
from evonas.spaces import as_candidates, load_space

SPACES = ("darts", "mobilenet_v3", "nasbench201")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path))


def prepared(name: str, n: int):
    space = load_space(name)
    skeleton = space.skeleton("small", in_channels=1, classes=10, resolution=8)
    genomes = space.sample(n, np.random.default_rng(0), by="choice")
    return Context(space, skeleton), [space.canonical(space.decode(genome)) for genome in genomes]


@pytest.mark.parametrize("name", SPACES)
def test_flops_and_params_of_a_thousand_architectures(name: str, benchmark):
    context, forms = prepared(name, 1000)
    evaluator = make_evaluator("flops", context)
    rows = benchmark(evaluator.evaluate, forms)
    assert all(row["flops"].value > 0 for row in rows)


@pytest.mark.parametrize("name", SPACES)
def test_a_cost_table_is_built(name: str, benchmark, monkeypatch, tmp_path):
    context, forms = prepared(name, 1)
    folders = iter(range(1000))

    def build():
        monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / str(next(folders))))
        return make_evaluator("flops", context)

    assert benchmark.pedantic(build, rounds=3).evaluate(as_candidates(forms))[0]["flops"].value > 0


@pytest.mark.parametrize("objective", ["memory", "size"])
def test_objectives_read_off_the_block_graph(objective: str, benchmark):
    context, forms = prepared("darts", 200)
    evaluator = make_evaluator(objective, context)
    evaluator.evaluate(as_candidates(forms))
    assert benchmark(evaluator.evaluate, forms)[0][objective].value > 0


@pytest.mark.parametrize("proxy", ["swap", "naswot", "synflow", "grad_norm"])
def test_scores(proxy: str, benchmark):
    context, forms = prepared("darts", 8)
    context = Context(context.space, context.skeleton, load_data("digits", limit=300))
    scores = Scores(context, [load_proxy(proxy)])
    found = benchmark.pedantic(lambda: [scores(form)[0] for form in forms], rounds=3)
    assert all(isinstance(score, float) for score in found)
