from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest


def run(*arguments: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "evonas", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_help_imports_no_torch():
    code = (
        "import sys\nsys.argv = ['evonas', 'data', '--help']\nfrom evonas.cli import main\n"
        "try: main()\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "False"


def test_data_are_shown_and_written(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x_train=rng.integers(0, 256, (30, 8, 8), dtype=np.uint8), y_train=np.arange(30) % 3)
    printed = run("data", tmp_path / "a.npz", "--out", tmp_path / "out")
    assert printed.startswith("Data a: 30 images, 3 classes")
    assert f"Wrote 5 files to {tmp_path / 'out'}" in printed
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("name", ["nothing.npz", "digit"])
def test_unknown_data_are_one_line(name):
    assert run("data", name, code=2).startswith(f"Error: Unknown data '{name}'")
