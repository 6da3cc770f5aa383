from __future__ import annotations

import json

import numpy as np
import pytest

from evonas.benchmarks.supernet import bench_supernet
from evonas.data import load_data
from evonas.errors import SettingsError
from evonas.spaces import load_space
from evonas.tables.table import Table


@pytest.fixture(scope="module")
def space():
    return load_space("nasbench_macro")


@pytest.fixture(scope="module")
def data():
    return load_data("digits", limit=120)


@pytest.fixture(scope="module")
def table(space):
    texts = ["".join(map(str, genome)) for genome in space.sample(12, np.random.default_rng(0))]
    return Table({"acc": np.arange(12.0), "params": np.arange(12.0), "flops": np.ones(12)}, texts=texts, space=space)


def bench(space, table, data, rules, **options):
    skeleton = space.skeleton("cifar", width=0.1)
    given = {"passes": [6], "seeds": 1, "sample": 10, "batch_size": 8, "skeleton": skeleton, **options}
    return bench_supernet(space, table, "acc", data, rules, **given)


@pytest.mark.usefixtures("few_references")
def test_rules_train_for_equal_passes_on_the_same_architectures_and_are_not_trained_twice(space, table, data, tmp_path):
    out, lines = tmp_path / "supernet.json", []
    first = bench(space, table, data, ["uniform"], out=out, progress=lines.append)
    both = bench(space, table, data, ["uniform", "fair", "uniform:"], out=out, progress=lines.append)
    assert lines == ["uniform, 6 passes, seed 0", "fair, 6 passes, seed 0", "uniform:, 6 passes, seed 0"]
    uniform, fair, again = both["trials"]
    assert uniform["estimates"] == first["trials"][0]["estimates"] == again["estimates"]
    assert (uniform["updates"], fair["updates"]) == (6, 2)  # three options: three passes per update
    assert all(len(values) == 10 for values in fair["estimates"].values())
    assert set(fair["estimates"]) == {"accuracy", "loss", "probability", "smoothed", "prior"}
    assert sum(fair["weights"]) == pytest.approx(1)
    assert json.loads(out.read_text())["architectures"] == both["architectures"]
    assert both["floors"]["params"] == both["truth"]
    assert {row["rule"] for row in both["rows"]} == {"flops", "params", "swap", "uniform", "fair", "uniform:"}
    for other in ({"lr": 0.01}, {"sampling": "fair"}):
        with pytest.raises(SettingsError, match="another setting"):
            bench(space, table, data, ["uniform"], out=out, **other)
    with pytest.raises(SettingsError, match="needs a warm start"):
        bench(space, table, data, ["uniform"], sampling="warm")


def test_nonsense_is_refused_before_anything_is_trained(space, table, data):
    for options in ({"passes": [0]}, {"passes": []}, {"sample": 9}):
        with pytest.raises(SettingsError, match="10 architectures or more and positive passes"):
            bench(space, table, data, ["uniform"], **options)


def test_data_without_classes_are_refused(space, table, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (120, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "light.npz", x_train=images, y_train=images.mean((1, 2)).astype(np.float32) / 255)
    with pytest.raises(SettingsError, match="compared by accuracy, got data for regression: choose data with classes"):
        bench(space, table, load_data(str(tmp_path / "light.npz")), ["uniform"])
