"""Each named configuration runs on a tiny case and keeps what makes it the method that it is named after."""

from __future__ import annotations

import pytest

from evonas.config import make_settings
from evonas.configs import load_config, named_configs
from evonas.pipeline import run as pipeline
from evonas.runs.front_file import read_front

TINY = {
    "data": "digits",
    "skeleton": "small",
    "train_limit": 64,
    "population": 4,
    "generations": 2,
    "epochs": 1,
}
MORE = {
    "nsga-net": {"estimator": "train:1"},
    "rank-nosh": {"anchors": 6, "anchor_epochs": "1,2", "population": 6},
    "swap-nas": {"epochs": None},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", named_configs())
def test_it_runs_on_digits(name, tmp_path):
    given = TINY | MORE.get(name, {})
    with pipeline.search(make_settings(name, **given), tmp_path / "run") as run:
        front = read_front(run)
        assert len(front)
        shrunk = {*given, "anchor-epochs"}
        for key, value in load_config(name).settings.items():
            if key.replace("-", "_") not in shrunk | {"anchor_epochs"}:
                assert run.settings[key] == value
