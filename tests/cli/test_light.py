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
    ["search", "--pretrained", "mobilenet"],
    ["search", "--pretrained", "nowhere.safetensors"],
    ["search", "--device", "gpu"],
    ["search", "--task", "regresion"],
    ["search", "--metric", "acuracy"],
    ["search", "--anchors-from", "nowhere"],
    ["search", "--distillation", "logits", "--teacher", "nowhere.onnx"],
    ["search", "--teacher", "nowhere.onnx"],
    ["predict", "nowhere", "photo.png"],
    ["latency", "check", "nowhere.json"],
    ["import", "lhd", "nowhere.npz"],
    ["bench", "estimator", "--space", "drats"],
    ["bench", "estimator", "--data", "nowhere.npz"],
    ["bench", "distillation", "--folder", "f", "--data", "nowhere.npz"],
    ["bench", "overhead", "--data", "nowhere.npz"],
    *(
        ["bench", command, "--space", space, "--table", "nowhere.csv", "--target", "a", *more]
        for command, more in (("proxies", ["--proxy", "swap"]), ("supernet", []))
        for space in ("drats", "nasbench201")
    ),
    *([command, "nowhere"] for command in ("resume", "front", "train", "deploy", "verify", "report", "export")),
    ["describe", "drats"],
    ["score", "--space", "drats", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swap"],
    ["score", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swp"],
    ["score", "--archs", "a.csv", "--out", "b.csv", "--proxy", "swap"],
    ["latency", "build", "--space", "drats", "--out", "t.json"],
    ["list", "proxys"],
    ["serch"],
]
OF_BENCHMARKS = [
    ["bench", "protocol", "nowhere"],
    ["bench", "search", "--problem", "c10mop99"],
    ["bench", "search", "--space", "nasbench201", "--table", "nowhere.csv", "--objectives", "a,b"],
]
"""Errors of names and files that are read by `evonas.benchmarks`, which needs pymoo, but no torch."""
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


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A function that runs commands in fresh processes; it returns their exit codes and loaded heavy modules."""
    folder = tmp_path_factory.mktemp("light")

    def run(commands: list[list[str]]) -> list[tuple[int, list[str]]]:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("fork.py"))],
            input=json.dumps({"heavy": HEAVY, "commands": commands}),
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [(code, modules) for code, modules in json.loads(done.stdout)]

    return run


@pytest.fixture(scope="module")
def ended(loaded):
    """How each command ended, by its words."""
    commands = LIGHT + ERRORS + OF_BENCHMARKS
    return dict(zip(map(" ".join, commands), loaded(commands), strict=True))


@pytest.mark.parametrize("command", list(map(" ".join, LIGHT)))
def test_what_needs_no_torch_loads_none(ended, command):
    assert ended[command] == (0, [])


@pytest.mark.parametrize("command", list(map(" ".join, ERRORS)))
def test_errors_of_names_and_files_load_no_torch(ended, command):
    assert ended[command] == (2, [])


@pytest.mark.parametrize("command", list(map(" ".join, OF_BENCHMARKS)))
def test_errors_of_benchmarks_load_no_torch(ended, command):
    code, modules = ended[command]
    assert code == 2
    assert "torch" not in modules


def test_a_front_is_shown_without_torch(loaded, make_run):
    run = str(make_run(n=20))
    forms = ("table", "csv", "json", "md")
    assert loaded([["front", run, "--format", form] for form in forms]) == [(0, [])] * len(forms)


def test_what_loads_torch_is_noticed(loaded, make_run):
    ((code, modules),) = loaded([["report", str(make_run(n=20)), "--out", "report.html"]])
    assert code == 0
    assert "plotly" in modules
