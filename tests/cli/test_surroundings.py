"""Encodings that hold few characters, and folders that can only be read."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest


def run_in(encoding: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "evonas", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("arguments", [("front",), ("describe", "nasbench201"), ("list", "spaces")])
def test_output_in_any_encoding_has_no_traceback(make_run, encoding, arguments):
    given = (*arguments, make_run()) if arguments == ("front",) else arguments
    done = run_in(encoding, *given)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.decode(encoding).strip()


def test_a_message_in_ascii_is_a_message(tmp_path):
    done = run_in("ascii", "front", tmp_path / "Größe-中")
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: Expected a run directory")


def test_a_run_on_a_read_only_mount_is_read(make_run, tmp_path):
    mount = f"mount --bind {shlex.quote(str(tmp_path))} {shlex.quote(str(tmp_path))}"
    mount += f" && mount -o remount,ro,bind {shlex.quote(str(tmp_path))}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("mounting a folder read-only is not allowed here")
    run = make_run()
    command = f"mount --bind {run} {run} && mount -o remount,ro,bind {run} && "
    for rest in (f"front {run}", f"report {run} --out {tmp_path / 'report.html'}"):
        told = f"{command}{sys.executable} -m evonas {rest}"
        done = subprocess.run(["unshare", "-m", "sh", "-c", told], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").stat().st_size > 1000
