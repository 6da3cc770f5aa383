from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from evonas.data import Dataset
from evonas.data.resize import resize
from evonas.errors import SettingsError
from evonas.networks import Network, build
from evonas.spaces import load_space
from evonas.training import TrainingRecipe
from evonas.training.imitation import Imitation, selectivity_loss
from evonas.training.train import train

Maker = Callable[[int], nn.Sequential]


def network(channels: int = 4, seed: int = 0, classes: int = 3) -> Network:
    space = load_space("nasbench201")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=classes, channels=channels, cells=1)
    genome = space.cardinalities - 2  # a 3x3 convolution on every edge
    return build(space, skeleton, space.canonical(space.decode(genome)), seed=seed)


def test_selectivity_is_that_of_the_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.rand(2, c, 3, 3, generator=generator) for c in (4, 5))
    total = 0.0
    for own, other in zip(student.flatten(2), teacher.flatten(2), strict=True):
        own, other = (maps / maps.norm(dim=1, keepdim=True) for maps in (own, other))
        mean = lambda a, b: sum(float(x @ y) ** 2 for x in a for y in b) / (len(a) * len(b))  # noqa: E731
        total += mean(other, other) + mean(own, own) - 2 * mean(own, other)
    assert float(selectivity_loss(student, teacher)) == pytest.approx(total / 2, rel=1e-5)


def test_channels_that_respond_alike_lose_nothing() -> None:
    maps = torch.rand(3, 4, 5, 5, generator=torch.Generator().manual_seed(1))
    assert float(selectivity_loss(maps, maps)) == pytest.approx(0, abs=1e-6)
    assert float(selectivity_loss(maps, 7 * maps.flip(1))) == pytest.approx(0, abs=1e-6)  # scale and order do not count
    assert float(selectivity_loss(maps, torch.rand(3, 9, 10, 10))) > 1e-3


@pytest.mark.parametrize("what", ["outputs", "features"])
def test_a_student_equal_to_its_teacher_loses_nothing(what: str) -> None:
    student, teacher = network().eval(), network().eval()
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    different = network(seed=1).eval()
    imitate = nn.MSELoss()
    with Imitation(student, teacher, what, imitate) as same:
        assert float(same(images, student(images)).detach()) == pytest.approx(0, abs=1e-5)
    with Imitation(different, teacher, what, imitate) as other:
        assert float(other(images, different(images)).detach()) > 1e-3
    assert not any(module._forward_pre_hooks for module in (*student.modules(), *teacher.modules()))


def test_a_teacher_of_another_resolution_reads_the_images_at_its_own() -> None:
    space = load_space("nasbench201")
    skeleton = space.skeleton("small", resolution=16, in_channels=1, classes=3, channels=4, cells=1)
    teacher = build(space, skeleton, space.canonical(space.decode(space.cardinalities - 2))).eval()
    seen: list[torch.Size] = []
    teacher.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    images, student = torch.randn(2, 1, 8, 8), network().eval()
    with Imitation(student, teacher, "outputs", nn.MSELoss()) as imitation, torch.no_grad():
        loss = float(imitation(images, student(images)))
        expected = nn.MSELoss()(student(images), teacher(resize(images, 16)))
    assert seen == [(2, 1, 16, 16)] * 2
    assert loss == pytest.approx(float(expected), rel=1e-6)


def test_features_of_a_wider_teacher_are_imitated(data: Dataset, plain: TrainingRecipe) -> None:
    recipe = plain.model_copy(update={"imitate": "features", "labels": 0.0, "all_data": False})
    student, teacher = network(4), network(6, seed=1)
    with torch.no_grad():
        images = data.normalize(data.train.images[:32])
    before = []
    for _ in range(2):
        student.eval()
        with Imitation(student, teacher.eval(), "features", nn.MSELoss()) as imitation, torch.no_grad():
            before.append(float(imitation(images, student(images))))
        train(student, data, recipe, device="cpu", teacher=teacher)
    assert before[1] < before[0]


def test_what_cannot_be_imitated_is_refused(data: Dataset, tiny: Maker, plain: TrainingRecipe) -> None:
    features = plain.model_copy(update={"imitate": "features"})
    with pytest.raises(SettingsError, match="as teacher whose features are imitated, got a Sequential"):
        train(network(), data, features, device="cpu", teacher=tiny(0))
    with pytest.raises(SettingsError, match=r"Expected a teacher of 3 classes or outputs, .* got one of 4"):
        train(network(), data, plain, device="cpu", teacher=network(classes=4))
