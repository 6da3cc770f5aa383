"""Anchors that workers train and read, from the whole reference sample: a process of its own has what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.config import make_settings
from evonas.pipeline import run as pipeline
from tests.conftest import tiny_space
from tests.pipeline.test_anchors import QUICK


@pytest.mark.slow
def test_workers_train_and_predict_the_same(tmp_path: Path) -> None:
    space = str(tiny_space(tmp_path))
    for workers in (1, 2):
        pipeline.search(make_settings(space=space, workers=workers, **QUICK), tmp_path / str(workers)).close()
    assert (tmp_path / "1" / "front.csv").read_text() == (tmp_path / "2" / "front.csv").read_text()
