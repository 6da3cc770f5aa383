from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from evonas.errors import EvaluationError, SettingsError
from evonas.supernet.forgetting import Forgetting, ForgettingProbe, summarize


def test_summary_of_known_values():
    values = [Forgetting("a", step, 0.5, 0.5 + change) for step, change in ((3, 0.3), (1, -0.2), (2, 0.1), (4, 0.2))]
    figures = summarize(values)
    assert figures["mean"] == pytest.approx(0.1)
    assert figures["sd"] == pytest.approx(0.216025, abs=1e-6)
    assert figures["mean_first_quarter"] == pytest.approx(-0.2)
    assert figures["mean_last_quarter"] == pytest.approx(0.2)
    assert figures["sd_first_quarter"] == 0.0
    assert figures["sd_beyond_noise"] == figures["sd"]
    with pytest.raises(SettingsError, match="at least one"):
        summarize([])


def test_what_comes_of_few_images_is_taken_out_of_the_spread():
    """Two networks that are each right on half of all images, at random, differ by chance alone."""
    rng = np.random.default_rng(0)
    readings = iter(rng.integers(2, size=(400, 100)))
    probe = ForgettingProbe(lambda architecture: next(readings), per_epoch=200)
    for step in range(200):
        probe.after_step("net", step, 200, step)
    values = probe.after_epoch()
    assert np.mean([value.noise for value in values]) == pytest.approx(2 * 0.25 / 100, rel=0.05)
    figures = summarize(values)
    assert figures["sd"] == pytest.approx(0.0707, rel=0.1)
    assert figures["sd_beyond_noise"] < 0.4 * figures["sd"]
    spread = [
        dataclasses.replace(v, after=v.after + change)
        for v, change in zip(values, rng.normal(0, 0.1, 200), strict=True)
    ]
    assert summarize(spread)["sd_beyond_noise"] == pytest.approx(0.1, rel=0.2)


def test_a_probe_reads_after_the_update_and_after_the_epoch():
    readings = iter([0.6, 0.5, 0.4, 0.7])
    probe = ForgettingProbe(lambda architecture: next(readings), per_epoch=2)
    for step in range(10):
        probe.after_step(f"net{step}", step, 10, 100 + step)
    values = probe.after_epoch()
    assert [(v.architecture, v.step) for v in values] == [("net0", 100), ("net5", 105)]
    assert [v.value for v in values] == pytest.approx([-0.2, 0.2])
    assert probe.after_epoch() == []
    with pytest.raises(SettingsError, match="at least 1"):
        ForgettingProbe(lambda architecture: 0.0, per_epoch=0)


def test_a_probe_may_read_in_every_second_epoch_only():
    probe = ForgettingProbe(lambda architecture: 0.5, per_epoch=1, every=2)
    for epoch in (1, 2, 3):
        probe.after_step(f"net{epoch}", 0, 10, 10 * epoch, epoch)
    assert [value.architecture for value in probe.after_epoch()] == ["net1", "net3"]
    with pytest.raises(SettingsError, match="in every 0"):
        ForgettingProbe(lambda architecture: 0.0, every=0)


def test_what_cannot_be_read_is_left_out():
    def accuracy(architecture):
        if architecture == "broken":
            raise EvaluationError("not finite")
        return 0.5

    probe = ForgettingProbe(accuracy, per_epoch=2)
    for step, name in enumerate(["broken", "whole"]):
        probe.after_step(name, step, 2, step)
    assert [value.architecture for value in probe.after_epoch()] == ["whole"]
