"""A run of six evaluations, and one that grows as a search does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective, parse_constraint
from evonas.runs.manifest import new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import load_space

ACC, FLOPS = Objective("acc", "", "max"), Objective("flops", "multiply-adds", "min")
BOUND = "flops<=5000000"
SETTINGS = {"space": "darts", "objectives": ["acc", "flops"]}
VALUES = [[0.5, 4e6], [0.6, 6e6], [0.7, 5e6], [0.9, 8e6]]


def fabricate(path: Path, n: int = 6) -> list[str]:
    """Make a run of n evaluations, the second of which failed; return its texts."""
    space = load_space("darts")
    genomes = space.sample(n, np.random.default_rng(0), by="choice")
    texts = [space.key(genome) for genome in genomes]
    values = np.array([[0.5 + 0.05 * i, 1e6 * (i + 1)] for i in range(n)])
    with Run.create(path, {**SETTINGS, "constraint": [BOUND]}, new_manifest(seed=0)) as run:
        run.store.enroll(0, texts[:3])
        run.store.enroll(1, texts[3:], [(texts[0],)] * (n - 3))
        for i, text in enumerate(texts):
            value, cause = (None, "it is too large") if i == 1 else (float(values[i, 0]), None)
            run.store.record([Evaluation(text, "acc", "a", value, cause, 0.1)])
            run.store.record([Evaluation(text, "flops", "f", float(values[i, 1]), None, 0.1)])
        run.store.record([Evaluation(texts[0], "params", "p", 1234.0, None, 0.0)])
        run.store.note(texts[0], "acc_report", 0.45, {})
        values[1, 0] = np.nan
        bound = parse_constraint(BOUND)
        violations = np.array([[bound.violation(v)] for v in values[:, 1]])
        run.write("front.json", make_front(texts, values, [ACC, FLOPS], violations).to_json())
    return texts


@pytest.fixture
def run(tmp_path):
    fabricate(tmp_path / "run")
    with Run.open(tmp_path / "run") as opened:
        yield opened


@pytest.fixture
def growing(tmp_path):
    """A run without evaluations."""
    with Run.create(tmp_path / "growing", SETTINGS, new_manifest(seed=0)) as opened:
        yield opened


@pytest.fixture
def add_generation() -> Callable[[Run, int], None]:
    return _add_generation


def _add_generation(run: Run, generation: int) -> None:
    """Store a generation of two."""
    space = load_space("darts")
    texts = [space.key(g) for g in space.sample(4, np.random.default_rng(0), by="choice")]
    places = range(2 * generation, 2 * generation + 2)
    run.store.enroll(generation, [texts[i] for i in places])
    for i in places:
        for name, value in zip(("acc", "flops"), VALUES[i], strict=True):
            run.store.record([Evaluation(texts[i], name, name, value, None, 0.1)])
