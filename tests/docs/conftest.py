"""A folder to type a page's commands in, with data under the names that the pages use."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

SHIM = '''#!{python}
"""evonas as pages call it, at small size: adds the budgets that the page leaves to their defaults."""
import subprocess, sys

SMALL = {{
    "search": {{"--epochs": "1", "--population": "4", "--generations": "2", "--warm-start": "8",
               "--train-limit": "200", "--estimator": "supernet:loss", "--quiet": None}},
    "train": {{"--recipe": "small.toml", "--quiet": None}},
    "deploy": {{"--max-drop": "100", "--quiet": None}},  # so short a training promises nothing
    "latency": {{"--seconds": "2", "--networks": "20", "--quiet": None}},
}}
REPLACED = {{"--epochs": "1", "--population": "4", "--generations": "2", "--warm-start": "8", "--time": "60s"}}
words = sys.argv[1:]
if words[0] == "search":
    for flag in REPLACED.keys() & set(words):
        words[words.index(flag) + 1] = REPLACED[flag]
elif words[0] == "resume" and "--generations" in words:
    words[words.index("--generations") + 1] = "3"
if any("rmse" in word for word in words):  # no accuracy: its estimates do not apply
    SMALL["search"]["--estimator"] = "supernet"
if "--measurements" in words:  # a kit's answer has its own
    SMALL["latency"] = {{}}
for flag, value in SMALL.get(words[0], {{}}).items():
    if flag not in words:
        words += [flag] if value is None else [flag, value]
code = subprocess.run([sys.executable, "-m", "evonas", *words]).returncode
sys.exit(0 if words[0] == "verify" and code == 1 else code)  # 1: something moved by more than its noise
'''


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder with `photos/`, `shapes/` and a short recipe, where ``evonas`` and ``python`` are this package's."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name, count, side in (("photos", 12, 64), ("shapes", 30, 32)):
        for part in ("train", "test"):
            for label in ("circle", "square", "triangle"):
                folder = tmp_path / name / part / label
                folder.mkdir(parents=True)
                for number in range(count):
                    pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
                    image.fromarray(pixels).save(folder / f"{number:03}.png")
    quick = (ROOT / "evonas" / "training" / "recipes" / "quick.toml").read_text()
    assert "\nepochs = 30\n" in quick
    (tmp_path / "small.toml").write_text(quick.replace("\nepochs = 30\n", "\nepochs = 8\n"))
    shim = tmp_path / "bin" / "evonas"
    shim.parent.mkdir()
    shim.write_text(SHIM.format(python=sys.executable))
    shim.chmod(0o755)
    python = shim.parent / "python"  # no link: a virtual environment is found beside the path that is called
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path
