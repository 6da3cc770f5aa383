"""Data that were moved after the search: commands that read them again take their new place, and no other data."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from evonas.deployment import train_members
from evonas.deployment.deploy import deploy
from evonas.deployment.verify import verify
from evonas.errors import EvonasError, RunError
from evonas.pipeline.run import resume, search
from evonas.training import TrainingRecipe

RECIPE = TrainingRecipe(name="short", epochs=1, batch_size=64, lr=0.1)


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A run whose data were moved, their new place, and other data."""
    folder = tmp_path_factory.mktemp("moved")
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (60, 8, 8), np.uint8), np.arange(60) % 2
    np.savez(folder / "before.npz", images=images, labels=labels)
    np.savez(folder / "other.npz", images=images[::-1] // 2, labels=labels)
    search(
        data=str(folder / "before.npz"), out=folder / "run", space="nasbench201", warm_start=0, population=2,
        generations=1, epochs=1, objectives=("acc", "flops"), estimator="supernet:loss",
    )  # fmt: skip
    (folder / "before.npz").rename(folder / "after.npz")
    return folder


@pytest.fixture
def run(moved, tmp_path):
    return shutil.copytree(moved / "run", tmp_path / "run")


def test_commands_take_the_new_place(moved, run):
    after = str(moved / "after.npz")
    with pytest.raises(EvonasError, match=r"before\.npz"):
        train_members(run, "index:0", RECIPE)
    (trained,) = train_members(run, "index:0", RECIPE, data=after)
    assert 0 <= trained.accuracy <= 1
    assert not verify(run, "index:0", data=after).moved
    assert resume(run, data=after).settings["data"] == str(moved / "before.npz")


@pytest.mark.slow
def test_a_deployment_takes_the_new_place(moved, run, tmp_path):
    assert deploy(run, "index:0", tmp_path / "out", data=str(moved / "after.npz")).model.is_file()


def test_other_data_are_refused(moved, run, tmp_path):
    other = str(moved / "other.npz")
    commands = (
        lambda: train_members(run, "index:0", RECIPE, data=other),
        lambda: deploy(run, "index:0", tmp_path / "out", data=other),
        lambda: verify(run, "index:0", data=other),
        lambda: resume(run, data=other),
    )
    for command in commands:
        with pytest.raises(RunError, match="cannot be continued with what is here: data: "):
            command()
    assert not (tmp_path / "out").exists()
