"""A run that ended, tiny: a small copy of DARTS' space on the digits, and copies of it for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evonas import pipeline
from evonas.deploy import Trained, train_members
from evonas.spaces import shipped
from evonas.training import Recipe

RECIPE = Recipe(name="short", epochs=2, batch_size=128, lr=0.1, momentum=0.9)


def tiny_space(folder: Path) -> Path:
    text = shipped()["darts"].read_text()
    for old, new in (("channels = 8\ncells = 5", "channels = 4\ncells = 3"), ("nodes = 4", "nodes = 2")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A run whose knee was trained; never changed."""
    folder = tmp_path_factory.mktemp("made")
    settings = {"space": str(tiny_space(folder)), "population": 4, "generations": 2, "warm_start": 0, "epochs": 1}
    settings["train_limit"] = 500
    pipeline.search(out=folder / "run", batch_size=100, sharing="uniform", **settings).close()
    return folder / "run"


@pytest.fixture(scope="session")
def made_trained(made, tmp_path_factory) -> tuple[Path, Trained]:
    path = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(made, path)
    (trained,) = train_members(path, "index:0", RECIPE)
    return path, trained


@pytest.fixture
def run(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture
def trained_run(made_trained, tmp_path) -> Path:
    return Path(shutil.copytree(made_trained[0], tmp_path / "run"))
