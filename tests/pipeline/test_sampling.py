"""The settings of a search reach the training of its supernet."""

from __future__ import annotations

import pytest

from evonas import search
from evonas.errors import SettingsError

SMALL = {
    "data": "digits", "space": "nasbench201", "epochs": 1, "train_limit": 120, "batch_size": 32, "population": 4,
    "generations": 1, "warm_start": 6,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("sampling", ["warm", "fair"])
def test_a_search_draws_paths_as_asked_and_shows_plain_accuracy_beside_acc(sampling, tmp_path, monkeypatch):
    from evonas import read_front
    from evonas.pipeline import warmup as prepare

    asked = []
    real = prepare.make_sampler
    # Which sampler a search asks for is not to be seen from outside.
    monkeypatch.setattr(prepare, "make_sampler", lambda name, *a, **k: asked.append((name, k)) or real(name, *a, **k))
    with search(**SMALL, sampling=sampling, out=tmp_path / "run") as run:
        front = read_front(run)
    assert [name for name, _ in asked] == [sampling]
    forms, scores = asked[0][1]["scored"]
    assert len(forms) == len(scores) == 6
    for member in front:
        assert 0 < member.values["acc"] < 1
        assert 0 <= member.known["acc_top1"] <= 1
        assert member.known["acc_top1"] != member.values["acc"]


def test_what_a_sampling_lacks_is_said_before_any_work(tmp_path):
    with pytest.raises(SettingsError, match="warm start"):
        search(**{**SMALL, "warm_start": 0}, sampling="warm", out=tmp_path / "run")
    with pytest.raises(SettingsError, match=r"Unknown sampling 'fare': .*mean 'fair'"):
        search(**SMALL, sampling="fare", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
