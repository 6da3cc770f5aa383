from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evonas.data import Dataset, Part
from evonas.data.augment_steps import Steps
from evonas.errors import SettingsError, TrainingError
from evonas.networks import Network, build
from evonas.spaces import load_space
from evonas.tasks import Classification
from evonas.training import Training, TrainingRecipe, load_recipe
from evonas.training import test_accuracy as accuracy_on_test
from evonas.training.train import train

Maker = Callable[[int], nn.Sequential]
EVERYTHING = {
    "epochs": 3,
    "batch_size": 64,
    "lr": 0.05,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 1e-3,
    "no_decay_on_norms": True,
    "warm_up": 1,
    "clip": 2.0,
    "label_smoothing": 0.1,
    "ema": 0.9,
    "cutout": 0.25,
    "drop_path": 0.3,
    "auxiliary": 0.4,
}


def darts(classes: int = 3) -> Network:
    space = load_space("darts")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=classes, channels=2, cells=2)
    genome = space.sample(1, np.random.default_rng(0))[0]
    return build(space, skeleton, space.canonical(space.decode(genome)))


def equal(first: nn.Module, second: nn.Module) -> bool:
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(value, states[1][name]) for name, value in states[0].items())


class Stop(Exception):
    """What a kill is in these tests."""


def stop_at(last: int) -> Callable[[int, int, Mapping[str, float]], None]:
    def progress(step: int, steps: int, figures: Mapping[str, float]) -> None:
        if step == last:
            raise Stop

    return progress


def test_what_can_be_learnt_is_learnt(data: Dataset, tiny: Maker) -> None:
    network = tiny(0)
    training = train(network, data, load_recipe("quick", epochs=8, all_data=False, crop=0.0), device="cpu")
    assert training.accuracy == 1.0
    assert accuracy_on_test(network, data) == 1.0
    assert (training.trained_on, training.images) == ("train", len(data.train))
    assert not network.training
    assert training.history[-1]["loss"] < training.history[0]["loss"]
    assert [figures["epoch"] for figures in training.history] == list(range(1, 9))


def test_a_final_training_uses_all_images_and_says_so(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    training = train(tiny(0), data, plain, device="cpu")
    assert (training.trained_on, training.images, training.accuracy) == ("all", 150, None)


def test_the_validation_parts_and_the_test_part_are_not_trained_on(
    data: Dataset, tiny: Maker, plain: TrainingRecipe
) -> None:
    recipe = plain.model_copy(update={"all_data": False})
    blank = {
        name: Part(torch.zeros_like(part.images), torch.zeros_like(part.labels))
        for name, part in (("search", data.search), ("report", data.report))
    }
    first, second = tiny(0), tiny(0)
    train(first, data, recipe, device="cpu")
    other = replace(data, **blank)
    train(second, other, recipe, device="cpu")
    assert equal(first, second)
    assert "test" not in vars(other)


def test_seeds_decide(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    networks = [tiny(0) for _ in range(3)]
    before = torch.get_rng_state()
    for network, seed in zip(networks, (1, 1, 2), strict=True):
        train(network, data, plain, seed=seed, device="cpu")
    assert equal(networks[0], networks[1])
    assert not equal(networks[0], networks[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture(scope="module")
def whole(data: Dataset) -> tuple[Network, Training]:
    """A network trained without a break, by everything a recipe can ask for."""
    network = darts()
    return network, train(network, data, TrainingRecipe.model_validate(EVERYTHING), seed=3, device="cpu")


@pytest.mark.parametrize("last", [1, 2, 3, 6])  # 2 updates per epoch: in each epoch, and at the very end
def test_a_killed_training_ends_as_if_it_was_not(
    tmp_path: Path, data: Dataset, whole: tuple[Network, Training], last: int
) -> None:
    recipe, path = TrainingRecipe.model_validate(EVERYTHING), tmp_path / "own.safetensors"
    killed, resumed, finished = darts(), darts(), darts()
    with pytest.raises(Stop):
        train(killed, data, recipe, seed=3, device="cpu", checkpoint=path, progress=stop_at(last))
    assert not any(module._forward_hooks for module in killed.modules())
    assert path.exists() == (last > 2)
    training = train(resumed, data, recipe, seed=3, device="cpu", checkpoint=path)
    assert equal(whole[0], resumed)
    for one, other in zip(training.history, whole[1].history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    train(finished, data, recipe, seed=3, device="cpu", checkpoint=path, progress=stop_at(1))
    assert equal(whole[0], finished)


def test_a_training_that_pauses_ends_as_if_it_had_not(
    tmp_path: Path, data: Dataset, whole: tuple[Network, Training]
) -> None:
    recipe, path = TrainingRecipe.model_validate(EVERYTHING), tmp_path / "own.safetensors"
    for epoch in (1, 2):
        paused = train(darts(), data, recipe, seed=3, device="cpu", checkpoint=path, until=epoch)
        assert len(paused.history) == epoch
    network = darts()
    assert len(train(network, data, recipe, seed=3, device="cpu", checkpoint=path, until=9).history) == 3
    assert equal(whole[0], network)
    with pytest.raises(SettingsError, match="checkpoint of epoch 2 or before to pause there, got one of epoch 3"):
        train(darts(), data, recipe, seed=3, device="cpu", checkpoint=path, until=2)


def test_weights_of_labels_and_teacher_blend(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    """All weight on the teacher moves a student as the teacher alone does, none on the labels."""
    blended, alone = tiny(1), tiny(1)
    train(blended, data, plain.model_copy(update={"labels": 0.0}), device="cpu", teacher=tiny(0))
    train(alone, data, plain, device="cpu", teacher=tiny(0), task=Nothing(divergence=True))
    assert equal(blended, alone)
    both = tiny(1)
    train(both, data, plain, device="cpu", teacher=tiny(0))
    assert not equal(both, alone)


def test_a_checkpoint_of_another_training_is_refused(
    tmp_path: Path, data: Dataset, tiny: Maker, plain: TrainingRecipe
) -> None:
    path = tmp_path / "own.safetensors"
    train(tiny(0), data, plain, device="cpu", checkpoint=path)
    content = path.read_bytes()
    for network, recipe, seed, what in (
        (tiny(0), plain, 1, "its seed is 0, not 1"),
        (tiny(1), plain, 0, "its first weights is"),
        (tiny(0), plain.model_copy(update={"lr": 0.1}), 0, "'lr = 0.05', not 0.1"),
    ):
        with pytest.raises(TrainingError, match=what):
            train(network, data, recipe, seed=seed, device="cpu", checkpoint=path)
    assert path.read_bytes() == content


def test_divergence_names_where(tmp_path: Path, data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    recipe = plain.model_copy(update={"lr": 1e30})
    with pytest.raises(TrainingError, match=r"step [2-9] \(epoch 1\) at learning rate 1e\+30"):
        train(tiny(0), data, recipe, device="cpu", checkpoint=tmp_path / "own.safetensors")
    assert not (tmp_path / "own.safetensors").exists()


def test_weights_that_break_in_the_last_update_are_not_stored(
    tmp_path: Path, data: Dataset, tiny: Maker, plain: TrainingRecipe
) -> None:
    recipe = plain.model_copy(update={"lr": 1e38, "epochs": 1, "batch_size": 150, "weight_decay": 1e30})
    with pytest.raises(TrainingError, match="is not finite after epoch 1"):
        train(tiny(0), data, recipe, device="cpu", checkpoint=tmp_path / "own.safetensors")
    assert not (tmp_path / "own.safetensors").exists()


class Nothing(Classification):
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.sum() * 0


class Much(Classification):
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.square().sum() * 1e3


def test_weight_decay_shrinks_what_it_should(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    network, before = tiny(0), tiny(0)
    changes = {"weight_decay": 0.5, "no_decay_on_norms": True, "epochs": 1, "batch_size": 50}
    task = Nothing(divergence=True)
    train(network, data, plain.model_copy(update=changes), device="cpu", task=task)
    shrunk = (1 - 0.05 * 0.5) ** 3
    for (name, value), old in zip(network.named_parameters(), before.parameters(), strict=True):
        expected = old * shrunk if old.ndim > 1 else old
        torch.testing.assert_close(value, expected, msg=name)


def test_the_whole_gradient_is_clipped(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    network, before = tiny(0), tiny(0)
    changes = {"clip": 2.0, "epochs": 1, "batch_size": 150}
    task = Much()
    train(network, data, plain.model_copy(update=changes), device="cpu", task=task)
    moved = [value - old for value, old in zip(network.parameters(), before.parameters(), strict=True)]
    norm = torch.cat([change.detach().flatten() for change in moved]).norm()
    assert float(norm) == pytest.approx(0.05 * 2.0, rel=1e-4)


def test_the_average_is_what_is_returned(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    raw, averaged = tiny(0), tiny(0)
    recipe = plain.model_copy(update={"epochs": 1, "batch_size": 150})
    train(raw, data, recipe, device="cpu")
    train(averaged, data, recipe.model_copy(update={"ema": 0.9999}), device="cpu")
    share = 1 - 2 / 11  # the first update's decay is (1 + 1) / (10 + 1)
    for value, new, old in zip(averaged.parameters(), raw.parameters(), tiny(0).parameters(), strict=True):
        torch.testing.assert_close(value, old + share * (new - old))


def test_a_student_equal_to_its_teacher_stays(data: Dataset, plain: TrainingRecipe) -> None:
    def linear() -> nn.Sequential:
        made = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        nn.init.ones_(made[1].weight)
        return made

    student, teacher = linear(), linear()
    teacher.load_state_dict(student.state_dict())
    train(student, data, plain, device="cpu", teacher=teacher, task=Nothing(divergence=True))
    torch.testing.assert_close(student[1].weight, teacher[1].weight, rtol=0, atol=1e-6)


def test_a_student_learns_from_its_teacher_alone(data: Dataset, tiny: Maker) -> None:
    recipe = load_recipe("quick", epochs=8, crop=0.0)
    teacher, student = tiny(0), tiny(1)
    train(teacher, data, recipe, device="cpu")
    taught = {name: value.clone() for name, value in teacher.state_dict().items()}
    train(student, data, recipe, device="cpu", teacher=teacher, task=Nothing(divergence=True))
    assert accuracy_on_test(student, data) == 1.0
    assert all(torch.equal(value, taught[name]) for name, value in teacher.state_dict().items())


def test_progress_is_told_after_every_update(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    seen: list[tuple[int, int, Mapping[str, float]]] = []
    train(tiny(0), data, plain, device="cpu", progress=lambda *told: seen.append(told))
    assert [step for step, *_ in seen] == list(range(1, 19))  # 9 updates of 16 of 150 images, twice
    assert {steps for _, steps, _ in seen} == {18}
    assert set(seen[0][2]) == {"epoch", "loss", "lr"}


def test_what_does_not_fit_is_refused(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    with pytest.raises(SettingsError, match="Expected a network of 3 outputs and 1 input channels"):
        train(darts(classes=4), data, plain, device="cpu")
    space = load_space("darts")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=3, channels=2, cells=2)
    with pytest.raises(SettingsError, match="got a supernet"):
        train(build(space, skeleton), data, plain, device="cpu")
    recipe = plain.model_copy(update={"distillation": 0.0})
    with pytest.raises(SettingsError, match="distillation = 0"):
        train(tiny(0), data, recipe, device="cpu", teacher=tiny(1))
    with pytest.raises(SettingsError, match="set auxiliary = 0"):
        train(tiny(0), data, plain.model_copy(update={"auxiliary": 0.4}), device="cpu")


def test_mixed_labels_count_by_their_shares(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    """With images that are their partners' altogether, training sees those labels alone."""
    recipe = plain.model_copy(update={"augment": ["mixup(0.2)", "cutmix(1.0)"], "epochs": 2})
    networks = tiny(0), tiny(0)
    histories = [train(network, data, recipe, seed=3).history for network in networks]
    assert equal(*networks)
    assert histories[0][0]["loss"] != train(tiny(0), data, plain, seed=3).history[0]["loss"]


class Swapped(Steps):
    """Each image replaced by its partner's, wholly."""

    def mix(self, images: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, float]:
        partner = torch.arange(len(images)).flip(0)
        return images[partner], partner, 0.0


def test_an_image_that_is_wholly_its_partners_has_its_partners_label(
    data: Dataset, tiny: Maker, plain: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No recipe names such an augmentation.
    monkeypatch.setattr("evonas.training.train.recipe_augmentation", lambda *_: Steps())
    usual = train(tiny(0), data, plain, seed=3).history[0]["loss"]
    # No recipe names such an augmentation.
    monkeypatch.setattr("evonas.training.train.recipe_augmentation", lambda *_: Swapped())
    assert train(tiny(0), data, plain, seed=3).history[0]["loss"] == pytest.approx(usual, rel=1e-4)


def test_a_network_without_a_classifier_is_refused(data):
    space = load_space("nasbench201")
    skeleton = space.skeleton("proxy", classes=10, in_channels=1, resolution=8)
    network = build(space, skeleton, space.decode(space.sample(1, np.random.default_rng(0))[0]))
    with pytest.raises(SettingsError, match="a network with a classifier, got one without"):
        train(network, data, "quick")
