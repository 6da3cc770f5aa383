"""Commands that need no torch load none: help, lists, fronts, and errors about names and files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.pipeline.catalog import KINDS

HEAVY = ("torch", "sklearn", "scipy.stats", "pymoo", "pandas", "matplotlib", "plotly", "onnx", "onnxruntime")
ERRORS = [
    ["search", "--space", "drats"],
    ["search", "--objectives", "acc,latncy"],
    ["search", "--objectives", "accuracy_of_all"],
    ["search", "--constraint", "flosp<=3"],
    ["search", "--sharing", "unifrm"],
    ["search", "--algorithm", "nsga"],
    ["search", "--sampling", "chioce"],
    ["search", "--estimator", "supernet:los"],
    ["search", "--skeleton", "smal"],
    ["search", "--table", "nowhere.csv"],
    ["search", "--data", "nowhere.npz"],
    ["search", "--supernet", "nowhere"],
    ["search", "--latency-table", "nowhere.json"],
    ["search", "--config", "nowhere.toml"],
    ["search", "--population", "1"],
    ["search", "--nonsense"],
    *([command, "nowhere"] for command in ("resume", "front", "train", "deploy", "verify", "report", "export")),
    ["describe", "drats"],
    ["score", "--space", "drats", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swap"],
    ["score", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swp"],
    ["score", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swap"],
    ["latency", "build", "--space", "drats", "--out", "t.json"],
    ["list", "proxys"],
    ["serch"],
]
LIGHT = [
    ["--help"],
    *(
        [command, "--help"]
        for command in (
            "search",
            "resume",
            "front",
            "train",
            "deploy",
            "verify",
            "report",
            "export",
            "list",
            "bench",
            "data",
        )
    ),
    ["bench", "supernet", "--help"],
    ["describe", "darts"],
    *(["list", kind] for kind in KINDS),
]


def loaded(arguments: list[str], folder: Path) -> tuple[int, list[str]]:
    """Run a command in a fresh interpreter; return its exit code and which heavy modules it loaded."""
    code = (
        "import json, sys\nfrom evonas.cli import main\ncode = 0\n"
        "try: main()\nexcept SystemExit as error: code = error.code\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    return status or 0, modules


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_needs_no_torch_loads_none(arguments, tmp_path):
    assert loaded(arguments, tmp_path) == (0, [])


@pytest.mark.parametrize("arguments", ERRORS, ids=" ".join)
def test_errors_of_names_and_files_load_no_torch(arguments, tmp_path):
    assert loaded(arguments, tmp_path) == (2, [])


def test_a_front_is_shown_without_torch(make_run, tmp_path):
    run = make_run(n=20)
    for form in ("table", "csv", "json", "md"):
        assert loaded(["front", str(run), "--format", form], tmp_path) == (0, [])
