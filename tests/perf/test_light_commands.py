"""Processor seconds of commands that need no torch, beside two imports measured in the same rounds.

pytest -s -o addopts=--import-mode=importlib tests/perf/test_light_commands.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from evonas.pipeline.catalog import KINDS

ROUNDS = 5
BOUND = 0.8
"""Processor seconds, user and system, that a light command may take."""
REFERENCES = {"import numpy, scipy": ["-c", "import numpy, scipy"], "import torch": ["-c", "import torch"]}


def seconds(arguments: list[str], folder: Path, expected: int) -> float:
    """Run an interpreter; return the user and system seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == expected, done.stderr
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_light_commands_take_under_a_second_of_the_processor(make_run, tmp_path):
    run = str(make_run(n=120))
    commands = {
        **{" ".join(words): (words, 0) for words in (["--help"], ["search", "--help"])},
        **{f"list {kind}": (["list", kind], 0) for kind in KINDS},
        "front RUN": (["front", run], 0),
        "front RUN --format csv": (["front", run, "--format", "csv"], 0),
        "describe darts": (["describe", "darts"], 0),
        "describe mobilenet_v3": (["describe", "mobilenet_v3"], 0),
        "front nowhere": (["front", "nowhere"], 2),
        "search --space nix": (["search", "--space", "nix"], 2),
        "search --data /nix": (["search", "--data", "/nix"], 2),
    }
    taken: dict[str, list[float]] = {name: [] for name in (*REFERENCES, *commands)}
    for _ in range(1 + ROUNDS):  # the first round compiles and fills the file cache
        for name, words in REFERENCES.items():
            taken[name].append(seconds(words, tmp_path, 0))
        for name, (words, code) in commands.items():
            taken[name].append(seconds(["-m", "evonas", *words], tmp_path, code))
    medians = {name: median(times[1:]) for name, times in taken.items()}
    light, heavy = (medians[name] for name in REFERENCES)
    print()
    print("| command | median (least to most), processor seconds | / numpy, scipy | / torch |\n|---|---:|---:|---:|")
    for name, times in taken.items():
        spread = f"{medians[name]:.2f} ({min(times[1:]):.2f} to {max(times[1:]):.2f})"
        print(f"| `{name}` | {spread} | {medians[name] / light:.2f} | {medians[name] / heavy:.2f} |")
    slow = {name: value for name, value in medians.items() if name in commands and value >= BOUND}
    assert slow == {}
