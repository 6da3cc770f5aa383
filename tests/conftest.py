"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

# One thread per process: networks here are small, and processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(scope="session")
def truth() -> Path:
    """Folder of measured truth and real data: EVONAS_DATA, else ../shared/data beside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EVONAS_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data to test against in {folder}; set EVONAS_DATA to the folder that holds them")
    return folder
