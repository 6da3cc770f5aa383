"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of cost and latency tables that all tests of a session share, in all its processes, and nothing else."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "evonas-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVONAS_CACHE", str(folder))
        yield folder
