"""The command line in this process: `main` as a shell calls it, without seconds of imports for each command."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from evonas.cli import main


@dataclass(frozen=True)
class Ended:
    """A command that ended, named as `subprocess.CompletedProcess` names it."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: object, cwd: Path = Path(), encoding: str = "utf-8", **environment: str) -> Ended:
    """Run a command in a folder, with streams of an encoding and more variables of the environment."""
    out = io.TextIOWrapper(io.BytesIO(), encoding, "strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", write_through=True)
    # What a command sets in the environment ends with it.
    with (
        patch.dict(os.environ, environment), chdir(cwd), redirect_stdout(out), redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):  # fmt: skip
        main([str(argument) for argument in arguments])
    printed, errors = (stream.buffer.getvalue() for stream in (out, err))
    # Click writes a message in UTF-8 where it takes ASCII for a mistake.
    return Ended(ended.value.code or 0, printed.decode(encoding), errors.decode(encoding, "replace"))


@pytest.fixture(scope="session")
def evonas() -> Callable[..., Ended]:
    """The command line, called with arguments as ``evonas(*arguments, cwd=folder, VARIABLE=text)``."""
    return call
