"""The room with the networks and the data that ship."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.data import load_data
from evonas.networks import build
from evonas.spaces import load_space
from evonas.supernet import PathEvaluator, RuleContext, SupernetSettings, train_supernet
from evonas.supernet.rules.fair import Fair
from evonas.supernet.sampling import SpaceSampler


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", limit=160)


def skeleton(space, digits, **changes):
    return space.skeleton("small").replace(
        classes=len(digits.classes), in_channels=digits.in_channels, resolution=digits.resolution, **changes
    )


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("darts", "disturbance-immune"),
        pytest.param("darts", "uniform", marks=pytest.mark.slow),
        pytest.param("mobilenet_v3", "disturbance-immune", marks=pytest.mark.slow),
        ("mobilenet_v3", "gradient-space"),
        pytest.param("mobilenet_v3", "uniform", marks=pytest.mark.slow),
    ],
)
def test_a_supernet_trains_and_resumes_on_the_digits(name, rule, digits, tmp_path):
    space, path = load_space(name), tmp_path / "supernet.safetensors"
    small = skeleton(space, digits, cells=3) if name == "darts" else skeleton(space, digits)
    options = {"epochs": 2, "batch_size": 30, "lr": 0.05}
    whole, resumed = build(space, small, seed=1), build(space, small, seed=1)
    history = train_supernet(whole, digits, rule, SupernetSettings(**options), augment=digits.augment)
    assert len(history.epochs) == 2
    assert 0 < history.epochs[-1].get("trace_over_d", 0.5) < 1

    def progress(now):
        if now.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_supernet(
            resumed,
            digits,
            rule,
            SupernetSettings(**options),
            augment=digits.augment,
            checkpoint=path,
            progress=progress,
        )
    resumed = build(space, small, seed=2)
    train_supernet(resumed, digits, rule, SupernetSettings(**options), augment=digits.augment, checkpoint=path)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )
    evaluator = PathEvaluator(whole, digits, digits.search)
    first, second = (SpaceSampler(space)(np.random.default_rng(seed)) for seed in (0, 1))
    before = {key: value.clone() for key, value in whole.state_dict().items()}
    scores = [evaluator(first), evaluator(second), evaluator(first)]
    assert scores[0] == scores[2]
    assert all(torch.equal(before[key], value) for key, value in whole.state_dict().items())


def test_fair_paths_of_a_real_space_run(digits):
    space = load_space("darts")
    network = build(space, skeleton(space, digits, cells=3))
    rule = Fair(RuleContext(network, SpaceSampler(space), space.path, steps=1))
    plan = rule.plan(np.random.default_rng(0))
    assert len(plan) == max(space.cardinalities)
    for one in plan:
        assert network(digits.normalize(digits.train.images[:4]), one.path).shape == (4, 10)
