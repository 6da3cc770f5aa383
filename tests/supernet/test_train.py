from __future__ import annotations

import dataclasses
import hashlib
import runpy
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError, TrainingError
from evonas.supernet import Pass, PathEvaluator, SupernetSettings, train_supernet
from evonas.supernet.checkpoint import read_supernet
from evonas.supernet.forgetting import ForgettingProbe
from evonas.supernet.rules.disturbance import DisturbanceImmune
from evonas.supernet.rules.registry import make_rule
from evonas.supernet.rules.uniform import Uniform
from evonas.tasks import Classification

RULES = {
    "uniform": "uniform",
    "fair": "fair",
    "nsas": "nsas",
    "gradient-space": "gradient-space",
    "disturbance-immune": "disturbance-immune",
    "bursts": partial(DisturbanceImmune, burst=4, patches=3, strength="cosine", alpha=30.0),
}
OPTIONS = {"epochs": 3, "batch_size": 8, "lr": 0.1, "seed": 3}


def shift(images, generator):
    return images.roll(int(torch.randint(-1, 2, (1,), generator=generator)), dims=3)


def same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def without_time(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history.epochs], history.forgetting


class Killed(BaseException):
    pass


def stop_at(step):
    def progress(now):
        if now.step == step:
            raise Killed

    return progress


@pytest.mark.parametrize("name", RULES)
def test_a_training_killed_anywhere_ends_with_the_same_weights(name, make_network, data, tmp_path):
    options = {"augment": shift}
    whole, path = make_network(dropout=0.2), tmp_path / "supernet.safetensors"
    expected = train_supernet(whole, data, RULES[name], SupernetSettings(**OPTIONS), **options)
    for step in (2, 7, 12, 15):  # within the first epoch, the second, at its end, within the third
        network = make_network(seed=step, dropout=0.2) if step != 2 else make_network(dropout=0.2)
        if step == 7:  # nothing was saved yet: start as before
            network = make_network(dropout=0.2)
        with pytest.raises(Killed):
            train_supernet(
                network,
                data,
                RULES[name],
                SupernetSettings(**OPTIONS),
                **options,
                checkpoint=path,
                progress=stop_at(step),
            )
    network = make_network(seed=99, dropout=0.2)
    history = train_supernet(network, data, RULES[name], SupernetSettings(**OPTIONS), **options, checkpoint=path)
    assert same(network, whole)
    assert without_time(history) == without_time(expected)
    again = make_network(seed=98, dropout=0.2)
    assert train_supernet(again, data, RULES[name], SupernetSettings(**OPTIONS), **options, checkpoint=path) == history
    assert same(again, whole)


SCRIPT = """
import os, runpy, signal, sys
from pathlib import Path
toys = runpy.run_path(sys.argv[1])
import torch
from evonas.supernet import SupernetSettings, train_supernet
torch.set_num_threads(1)

def progress(now):
    if now.step == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

train_supernet(toys["toy_network"](), toys["toy_data"](), "disturbance-immune",
               SupernetSettings(epochs=3, batch_size=8, lr=0.1, seed=3),
               checkpoint=Path(sys.argv[2]), progress=progress)
"""


def test_a_process_killed_within_an_epoch_resumes_bit_for_bit(tmp_path):
    toys = Path(__file__).with_name("conftest.py")
    path = tmp_path / "supernet.safetensors"
    done = subprocess.run([sys.executable, "-c", SCRIPT, toys, path, "8"], check=False)
    assert done.returncode == -signal.SIGKILL
    made = runpy.run_path(str(toys))
    network = made["toy_network"]()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train_supernet(network, made["toy_data"](), "disturbance-immune", SupernetSettings(**OPTIONS))
        resumed = made["toy_network"](seed=9)
        train_supernet(resumed, made["toy_data"](), "disturbance-immune", SupernetSettings(**OPTIONS), checkpoint=path)
    finally:
        torch.set_num_threads(threads)
    tensors, header = read_supernet(path)
    assert same(network, resumed)
    for name, value in network.state_dict().items():
        assert torch.equal(tensors[f"weights/{name}"], value)
    assert len(header["log"]["epochs"]) == 3


def test_it_learns_and_global_random_state_is_left_alone(make_network, make_data):
    data, network = make_data(240), make_network(channels=8)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    history = train_supernet(network, data, "disturbance-immune", SupernetSettings(epochs=8, batch_size=16, lr=0.1))
    assert torch.equal(torch.rand(3), expected)
    assert history.epochs[-1]["loss"] < 0.6 * history.epochs[0]["loss"]
    assert [epoch["epoch"] for epoch in history.epochs] == list(range(1, 9))
    score = PathEvaluator(network, data, make_data(90, seed=1).search)(network.space.parse("conv-separable-conv"))
    assert score["accuracy"] > 0.8
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_training_that_is_cut_ends_there_whoever_goes_on_from_its_checkpoint(make_network, data, tmp_path):
    def train(network, over=None):
        settings = SupernetSettings(**OPTIONS)
        return train_supernet(network, data, "uniform", settings, checkpoint=tmp_path / "s.safetensors", over=over)

    answers = iter([False, False, False, False, True])
    cut, again = make_network(), make_network()
    history = train(cut, lambda: next(answers))
    assert history.epochs[-1]["cut"] == 5.0
    assert train(again).epochs == history.epochs
    assert same(cut, again)
    (tmp_path / "s.safetensors").unlink()
    whole = make_network()
    assert "cut" not in train(whole, lambda: False).epochs[-1]
    assert not same(whole, cut)


def test_the_seed_changes_the_weights_and_nothing_else_does(make_network, data):
    weights = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        network = make_network(dropout=0.2)
        train_supernet(network, data, "uniform", SupernetSettings(epochs=1, batch_size=8, seed=seed))
        weights.append(network.stem[0].weight.detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_diverging_loss_names_step_path_and_rate_and_keeps_the_checkpoint(make_network, data, tmp_path):
    path = tmp_path / "supernet.safetensors"
    bad = {"active": False}

    def poison(images):
        return data_normalize(images) * (float("nan") if bad["active"] else 1.0)

    def progress(now):
        bad["active"] = now.step == 8

    data_normalize = data.normalize
    poisoned = SimpleNamespace(**{**vars(data), "normalize": poison})
    with pytest.raises(TrainingError) as caught:
        train_supernet(
            make_network(), poisoned, "uniform", SupernetSettings(**OPTIONS), checkpoint=path, progress=progress
        )
    message = str(caught.value)
    assert "the loss is nan at step 9 (epoch 2) on the path " in message
    assert any(option in message for option in ("conv-", "separable-", "skip-"))
    assert "at learning rate 0.058" in message
    assert "\n" not in message
    whole, resumed = make_network(), make_network(seed=1)
    train_supernet(whole, data, "uniform", SupernetSettings(**OPTIONS))
    train_supernet(resumed, data, "uniform", SupernetSettings(**OPTIONS), checkpoint=path)
    assert same(whole, resumed)


def test_a_broken_weight_is_never_saved(make_network, data, tmp_path):
    path = tmp_path / "supernet.safetensors"
    network = make_network()

    def progress(now):
        if now.step == 6:
            with torch.no_grad():
                network.slots[1]["conv"][1].weight[0, 0, 0, 0] = float("inf")

    with pytest.raises(TrainingError, match=r"'slots\.1\.conv\.1\.weight' is no longer finite after epoch 1"):
        train_supernet(network, data, "uniform", SupernetSettings(**OPTIONS), checkpoint=path, progress=progress)
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.2}, r"lr is \[0\.2, 0\.0\] here and \[0\.1, 0\.0\] there"),
        ({"seed": 4}, "seed is 4 here and 3 there"),
        ({"epochs": 4}, "epochs is 4 here and 3 there"),
        ({"augment": shift}, "augmentation is 'shift' here and None there"),
        ({"rule": "fair"}, "rule is 'fair' here and 'uniform' there"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(changes, message, make_network, data, tmp_path):
    path = tmp_path / "supernet.safetensors"
    train_supernet(make_network(), data, "uniform", SupernetSettings(**OPTIONS), checkpoint=path)
    rule, augment = changes.pop("rule", "uniform"), changes.pop("augment", None)
    settings = SupernetSettings(**{**OPTIONS, **changes})
    with pytest.raises(TrainingError, match=message):
        train_supernet(make_network(), data, rule, settings, augment=augment, checkpoint=path)


def test_a_checkpoint_of_other_data_or_of_another_network_is_refused(make_network, make_data, tmp_path):
    path = tmp_path / "supernet.safetensors"
    train_supernet(make_network(), make_data(), "uniform", SupernetSettings(**OPTIONS), checkpoint=path)
    with pytest.raises(TrainingError, match="data is 'toy-48-1' here and 'toy-48-0' there"):
        train_supernet(make_network(), make_data(48, 1), "uniform", SupernetSettings(**OPTIONS), checkpoint=path)
    with pytest.raises(TrainingError, match=r"'stem\.0\.weight' is float32 \(5, 1, 3, 3\) here"):
        train_supernet(make_network(channels=5), make_data(), "uniform", SupernetSettings(**OPTIONS), checkpoint=path)


def test_forgetting_is_read_and_does_not_change_the_training(make_network, data):
    plain, probed = make_network(), make_network()
    train_supernet(plain, data, "disturbance-immune", SupernetSettings(**OPTIONS))
    evaluator = PathEvaluator(probed, data, data.search)
    probe = ForgettingProbe(lambda architecture: evaluator.each(architecture)["accuracy"], per_epoch=2)
    history = train_supernet(probed, data, "disturbance-immune", SupernetSettings(**OPTIONS), probe=probe)
    assert same(plain, probed)
    assert [value.step for value in history.forgetting] == [1, 4, 7, 10, 13, 16]
    assert all(-1 <= value.value <= 1 for value in history.forgetting)


class Distilled(Uniform):
    """The largest path first, whose outputs teach a sampled one."""

    def plan(self, rng):
        largest = self._context.pass_of(self._context.network.space.parse("conv-conv-conv"))
        one = dataclasses.replace(super().plan(rng)[0], teacher=largest.path, weight=0.5)
        return [largest, one]


class Orphaned(Uniform):
    def plan(self, rng):
        return [Pass(path=("0.skip", "1.skip", "2.skip"), teacher=("0.conv", "1.conv", "2.conv"))]


def test_a_pass_may_learn_from_an_earlier_one(make_network, data):
    class Recorded(Classification):
        taught = 0

        def imitate(self, outputs, teacher):
            assert not teacher.requires_grad
            Recorded.taught += 1
            return super().imitate(outputs, teacher)

    history = train_supernet(make_network(), data, Distilled, SupernetSettings(epochs=1, batch_size=8), task=Recorded())
    assert Recorded.taught == 6
    assert history.epochs[0]["passes"] == 12
    with pytest.raises(SettingsError, match="teacher among the plan's earlier passes"):
        train_supernet(make_network(), data, Orphaned, SupernetSettings(epochs=1, batch_size=8))


def test_the_gradients_of_a_plan_add_up_to_one_update(make_network, data):
    class Twice(Uniform):
        def plan(self, rng):
            (one,) = super().plan(rng)
            return [dataclasses.replace(one, weight=0.5)] * 2

    once, twice = make_network().double(), make_network().double()
    options = {"epochs": 1, "batch_size": 16, "clip": None}
    train_supernet(once, data, "uniform", SupernetSettings(**options))
    train_supernet(twice, data, Twice, SupernetSettings(**options))
    for mine, its in zip(once.parameters(), twice.parameters(), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-12)


def test_smoothing_is_of_the_loss_alone():
    outputs, labels = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    smooth, plain = Classification(smoothing=0.2), Classification()
    assert float(smooth.loss(outputs, labels)) == pytest.approx(float(plain.loss(outputs, labels)) + 0.2, abs=1e-6)
    assert smooth.measure(outputs, labels) == plain.measure(outputs, labels)


@pytest.mark.parametrize("options", [{"epochs": 0}, {"epochs": 1, "lr": 0.0}, {"epochs": 1, "batch_size": 0}])
def test_senseless_settings_are_refused(options, make_network, data):
    with pytest.raises(SettingsError, match="Expected epochs >= 1"):
        train_supernet(make_network(), data, "disturbance-immune", SupernetSettings(**options))


def test_an_empty_part_is_refused(make_network, make_data):
    with pytest.raises(SettingsError, match="empty training part"):
        train_supernet(make_network(), make_data(0), "disturbance-immune", SupernetSettings(epochs=1))


class ToyName(str):
    """An architecture that is a name and chooses no resolution."""

    resolution = None


def test_own_sampling_and_paths_may_be_given(make_network, data):
    drawn = []

    def sample(rng):
        drawn.append(ToyName(("skip", "conv", "separable")[rng.integers(3)]))
        return drawn[-1]

    network = make_network()
    before = network.slots[1]["conv"][1].weight.detach().clone()
    train_supernet(
        network,
        data,
        "disturbance-immune",
        SupernetSettings(epochs=1, batch_size=8),
        sample=sample,
        path_of=lambda a: (f"0.{a}", "1.skip", "2.skip"),
    )
    assert len(drawn) == 6
    assert torch.equal(before, network.slots[1]["conv"][1].weight)
    assert np.isfinite(before.numpy()).all()


def test_updates_end_in_the_last_epoch(make_network, data):
    network = make_network()
    per_epoch = len(data.train.labels) // 8
    steps = []
    history = train_supernet(
        network,
        data,
        "uniform",
        SupernetSettings(epochs=2, updates=per_epoch + 1, batch_size=8, lr=0.1),
        progress=lambda now: steps.append((now.step, now.steps)),
    )
    assert steps[-1] == (per_epoch + 1, per_epoch + 1)
    assert history.epochs[-1]["passes"] == per_epoch + 1
    for updates in (per_epoch, 2 * per_epoch + 1):
        with pytest.raises(SettingsError, match="updates that end in the last of 2 epochs"):
            train_supernet(network, data, "uniform", SupernetSettings(epochs=2, updates=updates, batch_size=8, lr=0.1))


DRAWS = {
    "uniform": "c2182ff1bbdc28cd",
    "fair": "f8838ba05b277ce1",
    "nsas": "999c31d42a997725",
    "gradient-space": "c2182ff1bbdc28cd",
    "disturbance-immune": "c2182ff1bbdc28cd",
}


@pytest.mark.parametrize("rule", DRAWS)
def test_draws_stay_what_they_were(rule, make_network, data):
    """What is drawn, of paths and of images, follows from the seed alone, in every version: resumed runs rest on it."""
    drawn = hashlib.sha256()

    def recorded(context):
        made = make_rule(rule, context)
        plan = made.plan

        def planned(rng):
            passes = plan(rng)
            drawn.update(" | ".join(map(str, passes)).encode())
            return passes

        made.plan = planned
        return made

    def noted(images, generator):
        drawn.update(images.numpy().tobytes())
        return shift(images, generator)

    train_supernet(make_network(), data, recorded, SupernetSettings(**OPTIONS), augment=noted)
    assert drawn.hexdigest()[:16] == DRAWS[rule]
