"""A run that ended, tiny: a small copy of DARTS' space on the digits, and copies of it for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evonas.deployment import Trained, train_members
from evonas.files.toml import to_toml
from evonas.pipeline import run as pipeline
from evonas.spaces import load_space
from evonas.training import Recipe

RECIPE = Recipe(name="short", epochs=2, batch_size=128, lr=0.1, momentum=0.9)


def tiny_space(folder: Path) -> Path:
    table = load_space("darts").definition.model_dump(mode="json", exclude_defaults=True)
    table["cell"]["nodes"] = 2
    table["skeletons"]["small"] |= {"channels": 4, "cells": 3}
    path = folder / "tiny.toml"
    path.write_text(to_toml(table))
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A run that ended; never changed."""
    folder = tmp_path_factory.mktemp("made")
    settings = {"space": str(tiny_space(folder)), "population": 4, "generations": 2, "warm_start": 0, "epochs": 1}
    settings["train-limit"] = 500
    pipeline.search(out=folder / "run", batch_size=100, sharing="uniform", **settings).close()
    return folder / "run"


@pytest.fixture(scope="session")
def made_trained(made, tmp_path_factory) -> tuple[Path, Trained]:
    """A copy of it whose first member was trained; never changed."""
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
