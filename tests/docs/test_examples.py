"""Every example runs to its end, in a folder of its own, and prints what it says it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SLOW = {"1_first_search", "6_deploy_predict"}
"""Those that train a supernet: over 10 s on a busy core."""
PRINTS = {
    "1_first_search": "knee:",
    "2_own_space": "three_nodes:",
    "3_own_objective": "convolutions",
    "4_table_search": "members on the front",
    "5_ask_tell": "front",
    "6_deploy_predict": "class of an image",
}


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem in SLOW else []) for p in EXAMPLES]
)
def test_example_runs(path, tmp_path):
    environment = os.environ | {
        "EVONAS_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    ended = subprocess.run(
        [sys.executable, str(path), str(tmp_path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert PRINTS[path.stem] in ended.stdout


def test_examples_are_numbered_and_listed():
    listed = (ROOT / "examples" / "README.md").read_text()
    assert len(EXAMPLES) >= 5
    for path in EXAMPLES:
        assert path.stem[0].isdigit()
        assert f"`{path.name}`" in listed
