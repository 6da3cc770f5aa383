"""Trainings for trust: against attacks, for consistent answers, with focal loss."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.attacks.attack import read_attack
from evonas.data.augmix import AugMix
from evonas.errors import SettingsError
from evonas.networks.unit_input import UnitInput
from evonas.tasks.classification import Classification
from evonas.training import TrainingRecipe
from evonas.training.adversarial import Adversary
from evonas.training.adversary_text import read_adversary
from evonas.training.consistency import jensen_shannon
from evonas.training.recipe import load_recipe
from evonas.training.train import train

BASE = {"epochs": 6, "batch_size": 30, "lr": 0.1, "all_data": False, "crop": 0.0}


def robust(network, data, epsilon="50/255"):
    """Accuracy on the report part under PGD."""
    model = UnitInput(network, data.mean, data.std).eval()
    images = data.report.images.float() / data.scale
    return float(read_attack(f"pgd@{epsilon}x5").survivors(model, images, data.report.labels).double().mean())


def test_training_against_an_attack_survives_it_better(data, tiny):
    plain, hardened = tiny(0), tiny(0)
    train(plain, data, TrainingRecipe(**BASE))
    train(hardened, data, TrainingRecipe(**BASE, adversarial="50/255x3", adversarial_warm_up=1))
    assert robust(hardened, data) > robust(plain, data) + 0.2


def test_an_adversary_moves_images_up_the_loss_and_leaves_the_network_alone(data, tiny):
    network = tiny(0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network[1].eval()  # a module whose mode differs keeps it
    adversary = Adversary(read_adversary("8/255x3"), 3, data.mean, data.std)
    images, labels = data.search.images[:20].float() / data.scale, data.search.labels[:20]
    moved = adversary(network, images, labels, 9, torch.Generator().manual_seed(0))
    away = (moved - images).abs()
    assert 0 < float(away.max()) <= 8 / 255 + 1e-6
    assert bool(((moved >= 0) & (moved <= 1)).all())
    assert (network.training, network[1].training) == (True, False)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    model = UnitInput(network, data.mean, data.std).eval()
    losses = [float(nn.functional.cross_entropy(model(x), labels).detach()) for x in (images, moved)]
    assert losses[1] > losses[0]
    assert [adversary.at(epoch).epsilon * 255 for epoch in (1, 2, 4, 9)] == pytest.approx([2, 4, 8, 8])


def test_focal_loss_is_the_published_one():
    logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    p = logits.softmax(1)[torch.arange(2), labels]
    assert float(Classification(2).focused(2.0).loss(logits, labels)) == pytest.approx(
        float((-((1 - p) ** 2) * p.log()).mean())
    )
    assert Classification(2).focused(0.0).loss(logits, labels) == Classification(2).loss(logits, labels)
    assert bool(torch.isfinite(Classification(2).focused(3.0).loss(100 * logits, labels)))


def test_consistency_is_the_divergence_of_three_answers():
    same = torch.randn(4, 3)
    assert float(jensen_shannon([same, same, same])) == pytest.approx(0, abs=1e-6)
    sure = [torch.eye(3)[[i]] * 100 for i in range(3)]
    assert float(jensen_shannon(sure)) == pytest.approx(torch.log(torch.tensor(3.0)).item(), rel=1e-4)


def test_mixtures_keep_range_and_seed():
    images = torch.randint(0, 256, (8, 3, 12, 12), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    mixed = AugMix()(images, torch.Generator().manual_seed(1))
    assert mixed.shape == images.shape
    assert float(mixed.min()) >= 0
    assert float(mixed.max()) <= 255
    assert torch.equal(mixed, AugMix()(images, torch.Generator().manual_seed(1)))
    assert not torch.equal(mixed, AugMix()(images, torch.Generator().manual_seed(2)))
    with pytest.raises(SettingsError, match="severity of 0 to 10"):
        AugMix(severity=11)


def test_what_is_off_changes_nothing_and_what_is_on_trains(data, tiny):
    plain, again, mixed = tiny(0), tiny(0), tiny(0)
    short = {**BASE, "epochs": 2}
    train(plain, data, TrainingRecipe(**short))
    train(again, data, TrainingRecipe(**short, focal=0.0, consistency=0.0, adversarial=""))
    training = train(mixed, data, TrainingRecipe(**short, focal=1.0, consistency=12.0))
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), again.parameters(), strict=True))
    assert training.history[-1]["loss"] < training.history[0]["loss"]
    dumped = TrainingRecipe(**short).model_dump()
    assert not {"focal", "consistency", "adversarial", "adversarial_warm_up"} & set(dumped)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"adversarial": "2/0"}, "epsilon"),
        ({"adversarial": "4/255r3"}, "Expected an epsilon above 0 and steps"),
        ({"adversarial_warm_up": 2}, "adversarial_warm_up"),
        ({"adversarial": "4/255x3", "consistency": 1.0}, "one of"),
        ({"adversarial": "4/255x3", "augment": ["mixup(0.2)"]}, "mixup"),
        ({"focal": -1.0}, "focal"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, said):
    with pytest.raises(SettingsError, match=said):
        load_recipe("quick", **changes)


@pytest.mark.parametrize("name", ["adversarial", "augmix", "focal"])
def test_recipes_for_trust_are_there(name):
    recipe = load_recipe(name)
    assert recipe.adversarial or recipe.consistency or recipe.focal
