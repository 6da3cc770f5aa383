"""Encodings that hold few characters, and folders that can only be read."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("arguments", [("front",), ("describe", "nasbench201"), ("list", "spaces")])
def test_output_in_any_encoding_has_no_traceback(evonas, make_run, encoding, arguments):
    given = (*arguments, make_run()) if arguments == ("front",) else arguments
    done = evonas(*given, encoding=encoding)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_message_in_ascii_is_a_message(evonas, tmp_path):
    done = evonas("front", tmp_path / "Größe-中", encoding="ascii")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Expected a run directory")


def test_what_starts_the_command_line_gives_its_output_and_code():
    for name, code in (("spaces", 0), ("space", 2)):
        done = subprocess.run([sys.executable, "-m", "evonas", "list", name], capture_output=True, text=True)
        assert done.returncode == code
        assert ("darts" in done.stdout, done.stderr.startswith("Error: ")) == (code == 0, code == 2)


def test_a_run_on_a_read_only_mount_is_read(make_run, tmp_path):
    mount = f"mount --bind {shlex.quote(str(tmp_path))} {shlex.quote(str(tmp_path))}"
    mount += f" && mount -o remount,ro,bind {shlex.quote(str(tmp_path))}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("mounting a folder read-only is not allowed here")
    run = make_run()
    command = f"mount --bind {run} {run} && mount -o remount,ro,bind {run} && "
    for rest in (f"front {run}", f"report {run} --out {tmp_path / 'report.html'}"):
        told = f"{command}{sys.executable} -m evonas {rest}"
        done = subprocess.run(["unshare", "-m", "sh", "-c", told], capture_output=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").stat().st_size > 1000


@pytest.mark.slow
def test_a_run_on_a_read_only_mount_is_deployed_elsewhere_and_verified(run, tmp_path):
    bind = f"mount --bind {run} {run} && mount -o remount,ro,bind {run} && "
    if subprocess.run(["unshare", "-m", "sh", "-c", f"{bind} true"], capture_output=True).returncode:
        pytest.skip("mounting a folder read-only is not allowed here")
    for rest in (f"deploy {run} --select index:0 --out {tmp_path / 'out'}", f"verify {run} --select index:0"):
        told = f"{bind}{sys.executable} -m evonas {rest}"
        done = subprocess.run(["unshare", "-m", "sh", "-c", told], capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert done.returncode == 0, done.stderr
        assert "can only be read" in done.stderr + done.stdout
    assert (tmp_path / "out" / "model.onnx").is_file()
