"""Structured pruning as a peer: bounds are kept, all classes stay, and what cannot be compared is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from evonas.benchmarks.pruning import IMPORTANCES, bench_pruning, prune
from evonas.deployment import train_members
from evonas.errors import RunError, SettingsError
from evonas.networks import build
from evonas.pipeline.run import search
from evonas.proxies.flops import module_flops
from evonas.runs.run import Run
from evonas.spaces import load_space
from evonas.training import load_recipe
from tests.pipeline.published import SPACE, settings, write_published


@pytest.mark.parametrize("importance", IMPORTANCES)
def test_channels_are_pruned_to_a_bound_and_all_classes_stay(importance: str, tmp_path: Path) -> None:
    pytest.importorskip("torch_pruning", reason="the extra peers is not installed")
    file = tmp_path / "tiny.toml"
    file.write_text(SPACE, encoding="utf-8")
    space = load_space(str(file))
    skeleton = space.skeleton("small", in_channels=3, classes=7)
    network = build(space, skeleton, space.extremes()[1], seed=0)
    images, labels = torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 6])
    before = module_flops(network, images[:1])
    left = prune(network, images, 0.7 * before, importance, lambda outputs: F.cross_entropy(outputs, labels))
    assert left == module_flops(network, images[:1]) <= 0.7 * before
    assert network(images).shape == (4, 7)
    with pytest.raises(RunError, match="Channels could be pruned to"):
        prune(network, images, 1.0, importance, lambda outputs: F.cross_entropy(outputs, labels))


def test_what_cannot_be_compared_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Run.open(made) as run:
        with pytest.raises(SettingsError, match="Expected the importance magnitude or taylor, got 'tailor'"):
            bench_pruning(run, importances=["tailor"])
        # Whether the package is here or not, the refusal is the run's.
        monkeypatch.setattr("evonas.benchmarks.pruning.require", lambda *_: None)
        with pytest.raises(RunError, match="was trained: run  evonas train"):
            bench_pruning(run)


@pytest.mark.slow
def test_what_is_pruned_is_trained_as_the_member_was(tmp_path: Path) -> None:
    pytest.importorskip("torch_pruning", reason="the extra peers is not installed")
    write_published(tmp_path)
    asked = settings(tmp_path, epochs=1, population=4, generations=2, resolution=24, train_limit=90)
    search(asked, tmp_path / "run").close()
    (trained,) = train_members(tmp_path / "run", "best:acc", load_recipe("finetune", epochs=2))
    with Run.open(tmp_path / "run") as run:
        own, *pruned = bench_pruning(run, importances=["magnitude"])
    assert (own["way"], own["accuracy"], own["epochs"]) == ("evonas", trained.accuracy, 2)
    assert [row["way"] for row in pruned] == [f"pruned, magnitude, norms {how}" for how in ("kept", "learned")]
    assert all(row["flops"] <= own["flops"] and row["epochs"] == 2 for row in pruned)
