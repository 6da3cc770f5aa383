from __future__ import annotations

from pathlib import Path

import pytest

from evonas.benchmarks.distillation import bench_distillation
from evonas.data import load_data
from evonas.errors import SettingsError
from evonas.objectives import Context
from evonas.pareto.correlation import kendall
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def context() -> Context:
    space = load_space("darts")
    skeleton = space.skeleton("small", channels=4, cells=3, resolution=8, in_channels=1, classes=10)
    return Context(space, skeleton, data=load_data("digits", limit=300))


@pytest.mark.slow
def test_the_same_networks_are_compared_and_what_was_stopped_goes_on(context: Context, tmp_path: Path) -> None:
    asked = {"epochs": (1, 2), "high": 1, "networks": 3, "folder": tmp_path}
    results = bench_distillation(context, ["none", "logits:0.5"], **asked)
    networks = results["networks"]
    assert len({row["architecture"] for row in networks}) == 3
    assert {"none@1", "none@2", "logits:0.5@1", "logits:0.5@2", "high"} <= networks[0].keys()
    assert any(row["none@2"] != row["logits:0.5@2"] for row in networks)
    for row in results["rows"]:
        values = [one[f"{row['distillation']}@{row['epochs']}"] for one in networks]
        tau = kendall(values, [one["high"] for one in networks])
        assert row["tau"] == pytest.approx(tau, nan_ok=True)
        assert row["n"] == 3
    first = [row for row in results["rows"] if row["distillation"] == "none"]
    assert all((row["difference_low"], row["difference_high"]) == (0, 0) for row in first)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    assert bench_distillation(context, ["none", "logits:0.5"], **asked)["networks"] == networks
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")} == before


def test_few_networks_are_refused(context: Context, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="three networks or more to correlate, got 2"):
        bench_distillation(context, ["none"], epochs=(1,), high=1, networks=2, folder=tmp_path)
