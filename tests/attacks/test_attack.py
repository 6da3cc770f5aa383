"""Known answers of attacks: those of the sheet of robustness studies, and what holds for any attack."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evonas.attacks.attack import Attack, read_attack
from evonas.attacks.gradient import ascend, random_start
from evonas.errors import EvaluationError, MissingExtraError, SettingsError
from evonas.networks.unit_input import UnitInput

WEIGHTS, MARGIN = (1.0, -2.0), 0.2
"""A linear classifier whose least change in the maximum norm that turns it is MARGIN / 3 = 0.0667."""


class Linear(nn.Module):
    """Two classes, told apart by ``w x + b``; the first is class 0."""

    def __init__(self, weights: tuple[float, ...], bias: float, sharpness: float = 1.0) -> None:
        super().__init__()
        self.weights, self.bias, self.sharpness = torch.tensor(weights), bias, sharpness

    def forward(self, images: Tensor) -> Tensor:
        margin = self.sharpness * (images.flatten(1) @ self.weights + self.bias)
        return torch.stack([margin, torch.zeros_like(margin)], 1)


@pytest.fixture
def linear() -> tuple[nn.Module, Tensor, Tensor]:
    """The classifier, an image whose margin is MARGIN, and its label."""
    image = torch.tensor([0.5, 0.4]).view(1, 1, 1, 2)
    bias = MARGIN - float((image.flatten() * torch.tensor(WEIGHTS)).sum())
    return Linear(WEIGHTS, bias).eval(), image, torch.tensor([0])


@pytest.fixture(scope="module")
def classifier() -> tuple[nn.Module, Tensor, Tensor]:
    """A small network of random weights with its own answers as labels, but for a tenth."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
    images = torch.rand(80, 1, 8, 8)
    labels = network.eval()(images).argmax(1)
    labels[:8] = (labels[:8] + 1) % 5
    return network, images, labels


@pytest.mark.parametrize("kind", ["fgsm", "pgd@{}x10"])
@pytest.mark.parametrize(("epsilon", "turned"), [("0.067", True), ("0.066", False)])
def test_a_linear_classifier_turns_at_its_margin_over_the_norm_of_its_weights(linear, kind, epsilon, turned):
    attack = read_attack(kind.format(epsilon) if "@" in kind else f"{kind}@{epsilon}")
    assert bool(attack.survivors(*linear)[0]) is not turned


@pytest.mark.parametrize(("epsilon", "turned"), [(0.0895, True), (0.0893, False)])
def test_in_the_euclidean_norm_it_turns_at_its_distance_from_the_plane(linear, epsilon, turned):
    for kind in ("fgsm", "pgd"):  # 0.2 / sqrt(5) = 0.08944
        attack = Attack(kind, epsilon, "l2", 1 if kind == "fgsm" else 10)
        assert bool(attack.survivors(*linear)[0]) is not turned


def test_a_sure_network_is_not_robust_for_lack_of_gradients(linear):
    network, image, label = linear
    network.sharpness = 400.0  # its probability is 1 in single precision, and the gradient 0
    assert not read_attack("fgsm@0.067").survivors(network, image, label)[0]


@pytest.mark.parametrize("text", ["fgsm@0", "pgd@0x3", "pgd@l2:0x3"])
def test_without_a_change_what_survives_is_what_was_right(classifier, text):
    network, images, labels = classifier
    right = network(images).argmax(1) == labels
    assert 0 < int(right.sum()) < len(right)
    torch.testing.assert_close(read_attack(text).survivors(*classifier), right)


def test_more_room_and_stronger_attacks_leave_no_more(classifier):
    network, images, labels = classifier
    clean = int((network(images).argmax(1) == labels).sum())
    counts = [int(read_attack(f"pgd@{e}/255x10").survivors(*classifier).sum()) for e in (1, 4, 12, 40, 255)]
    assert [clean, *counts] == sorted([clean, *counts], reverse=True)
    assert counts[0] > counts[2]
    assert counts[-1] == 0  # an unbounded attack reaches all
    weak = int(read_attack("fgsm@12/255").survivors(*classifier).sum())
    assert counts[2] <= weak <= clean
    assert int(read_attack("pgd@12/255x10r3").survivors(*classifier).sum()) <= counts[2]


def test_what_survives_is_the_same_however_the_network_is_normalized(classifier):
    network, images, labels = classifier
    # Read shifted and scaled values, the first layer undoing it.
    other = nn.Sequential(UnitInput(nn.Identity(), [0.3], [0.2]), UnitInput(network, [-1.5], [5.0])).eval()
    for text in ("fgsm@12/255", "pgd@12/255x5"):
        attack = read_attack(text)
        torch.testing.assert_close(attack.survivors(other, images, labels), attack.survivors(*classifier))


@pytest.mark.parametrize("text", ["fgsm@12/255", "pgd@12/255x5r2", "pgd@l2:0.5x5"])
def test_images_show_what_was_done_to_them(classifier, text):
    network, images, labels = classifier
    attack = read_attack(text)
    found = attack.attempt(*classifier)
    clean = network(images).argmax(1) == labels
    torch.testing.assert_close(clean & (network(found.images).argmax(1) == labels), found.survivors)
    torch.testing.assert_close(found.images[~clean], images[~clean])
    away = (found.images - images).flatten(1)
    assert float((away.abs().amax(1) if attack.norm == "linf" else away.norm(dim=1)).max()) <= attack.epsilon + 1e-6


def test_a_seed_is_one_result(classifier):
    network, images, labels = classifier
    attack = read_attack("pgd@12/255x2")
    first = attack.survivors(network, images, labels, seed=1)
    torch.testing.assert_close(attack.survivors(network, images, labels, seed=1), first)
    starts = [random_start(images, attack, torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    assert not torch.equal(*starts)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_steps_and_starts_stay_in_the_ball_and_among_images(norm):
    rng = torch.Generator().manual_seed(0)
    attack, clean = Attack("pgd", 0.3, norm, 3), torch.rand(20, 3, 4, 4, generator=rng)
    moved = random_start(clean, attack, rng)
    for _ in range(5):
        away = (moved - clean).flatten(1)
        size = away.abs().amax(1) if norm == "linf" else away.norm(dim=1)
        assert bool((size <= 0.3 + 1e-6).all())
        assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
        moved = ascend(moved, clean, torch.randn(clean.shape, generator=rng) * 1e-30, attack)
    assert float(size.max()) > 0.29  # tiny gradients move images as far as large ones


def test_outputs_that_are_not_finite_are_an_error():
    class Broken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1) * float("nan")

    with pytest.raises(EvaluationError, match="finite outputs"):
        read_attack("pgd").survivors(Broken().eval(), torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))


def test_a_network_in_training_mode_is_refused(classifier):
    _, images, labels = classifier
    with pytest.raises(SettingsError, match="evaluation mode"):
        read_attack("pgd").survivors(nn.Flatten().train(), images, labels)


def test_texts_of_attacks_are_read():
    assert read_attack("pgd") == Attack("pgd", 4 / 255, "linf", 10)
    assert read_attack("fgsm@8/255") == Attack("fgsm", 8 / 255)
    assert read_attack("pgd@4/255x20r5") == Attack("pgd", 4 / 255, "linf", 20, 5)
    assert read_attack("pgd@l2:0.5x3") == Attack("pgd", 0.5, "l2", 3)
    assert read_attack("pgd@l2:2x3").epsilon == 2  # a distance may be longer than a pixel is wide
    assert read_attack("square@0.1x300").steps == 300
    assert read_attack("pgd@4/255x10").text == "PGD-10, each pixel by 4/255 at most"
    assert Attack("pgd", 0.5, "l2", 3, 2).text == "PGD-3, 2 starts, an image's distance by 0.5 at most"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pgd@1.5", "epsilon of 0 to 1"),
        ("pgd@300/255x3", "epsilon of 0 to 1"),
        ("pgd@-1/255", "Expected an attack KIND@EPSILON"),
        ("pgd@4/0", "Expected an epsilon such as"),
        ("pgd@", "Expected an attack KIND@EPSILON"),
        ("pgd@4/255x0", "at least one step"),
        ("fgsm@4/255x3", "takes no number of steps"),
        ("fgsm@4/255r3", "'fgsm' takes no number of starts"),
        ("autoattack@4/255r5", "'autoattack' takes no number of starts"),
        ("autoattack@4/255x5", "'autoattack' takes no number of steps"),
        ("pdg@4/255", "Unknown attack 'pdg'.*Did you mean 'pgd'"),
    ],
)
def test_texts_that_are_no_attack_are_refused_in_one_line(text, said):
    with pytest.raises(SettingsError, match=said):
        read_attack(text)


def test_what_needs_the_toolbox_says_how_to_get_it(monkeypatch):
    # The toolbox may be installed here.
    monkeypatch.setattr("evonas.attacks.settings.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[robust\]'"):
        read_attack("square").check_installed()
    read_attack("pgd").check_installed()


def test_costs_are_counted_in_clean_readings():
    """A reading before and one after; a gradient is three; AutoAttack's Square asks for most of its outputs."""
    assert read_attack("fgsm").passes == 2 + 3
    assert read_attack("pgd@4/255x10r5").passes == 2 + 3 * 50
    assert read_attack("square@4/255x500").passes == 2 + 500
    assert read_attack("autoattack").passes == 2 + 3 * (2 * 500 + 1000) + 5 * 5000


@pytest.mark.slow
def test_two_classes_are_attacked_by_all_that_needs_no_third(linear):
    pytest.importorskip("art", reason="the extra 'robust' is not installed")

    _, pixels, label = linear
    image = torch.full((1, 1, 8, 8), 0.5)  # Square needs room
    image[0, 0, 0, :2] = pixels
    network = Linear((*WEIGHTS, *(0.0 for _ in range(62))), MARGIN - (0.5 - 0.8)).eval()
    for epsilon, turned in (("0.08", True), ("0.06", False)):  # its margin is 0.0667
        assert bool(read_attack(f"autoattack@{epsilon}").survivors(network, image, label)[0]) is not turned


@pytest.mark.slow
def test_the_toolbox_agrees_with_the_package_on_the_same_network(classifier):
    pytest.importorskip("art", reason="the extra 'robust' is not installed")
    from evonas.attacks.toolbox import attempt_toolbox

    network, images, labels = classifier
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    counts = {"ours": int(Attack("pgd", 12 / 255, steps=20).survivors(*classifier).sum())}
    for kind in ("pgd", "apgd", "square", "autoattack"):
        attack = Attack(kind, 12 / 255, steps=200 if kind == "square" else 20)
        counts[kind] = int(attempt_toolbox(attack, network, images, labels, 0).survivors.sum())
    assert abs(counts["ours"] - counts["pgd"]) <= 2
    assert counts["autoattack"] <= min(counts["apgd"], counts["square"]) + 1
    assert max(counts.values()) <= int((network(images).argmax(1) == labels).sum())
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002  # the global generator is put back
