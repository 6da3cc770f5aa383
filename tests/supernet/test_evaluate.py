from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import score_network
from evonas.tasks import Measure, Task


def test_reading_is_independent_of_order_and_leaves_the_supernet_alone(make_network, data):
    network = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    evaluator = PathEvaluator(network, data, data.search, norm_images=32, batch_size=10)
    architectures = [network.space.parse(t) for t in ("conv-skip-separable", "skip-skip-skip", "conv-conv-conv")]
    forward = [evaluator(architecture) for architecture in architectures]
    backward = [evaluator(architecture) for architecture in reversed(architectures)]
    assert forward == backward[::-1]
    assert len({tuple(score.values()) for score in forward}) == 3
    assert network.training
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_norms_are_estimated_on_the_path_s_own_inputs(make_network, data):
    network = make_network()
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.fill_(1000.0)
    prepared = PathEvaluator(network, data, data.search).prepare(network.space.parse("conv-skip-skip"))
    assert not prepared.training
    values = prepared.stem[0](data.normalize(data.train.images))
    torch.testing.assert_close(prepared.stem[1].running_mean, values.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)


class Fixed(nn.Module):
    def forward(self, images):
        return images.flatten(1)


def test_scores_of_known_logits():
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0], [0.0, math.log(9.0)]])
    labels = torch.tensor([0, 1, 0])
    score = score_network(Fixed(), logits[:, :, None, None].split(2), labels.split(2))
    probabilities = [0.75, 0.5, 0.1]
    assert score["accuracy"] == pytest.approx(1 / 3)
    assert score["probability"] == pytest.approx(sum(probabilities) / 3)
    assert score["loss"] == pytest.approx(-sum(map(math.log, probabilities)) / 3)


def test_outputs_that_are_not_finite_are_an_error():
    with pytest.raises(EvaluationError, match="loss is nan"):
        score_network(Fixed(), [torch.full((2, 2, 1, 1), float("nan"))], [torch.tensor([0, 1])])


def test_senseless_settings_are_refused(make_network, data):
    with pytest.raises(SettingsError, match="at least one image"):
        PathEvaluator(make_network(), data, data.search, norm_images=0)
    empty = SimpleNamespace(images=data.search.images[:0], labels=data.search.labels[:0])
    with pytest.raises(SettingsError, match="empty part"):
        PathEvaluator(make_network(), data, empty)


def test_kept_activations_change_no_bit_and_stay_within_their_memory():
    from evonas import build, load_space

    space = load_space("nasbench_macro")
    network = build(space, space.skeleton("cifar", width=0.1, resolution=8, in_channels=1, classes=3))
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (30, 1, 8, 8), generator=generator).to(torch.uint8)
    part = SimpleNamespace(images=images, labels=torch.arange(30) % 3)
    data = SimpleNamespace(train=part, fingerprint="x", normalize=lambda x: x.float() / 127.5 - 1.0)
    texts = ("22222222", "22222221", "22222222", "12222222", "22000000")
    forms = [space.canonical(space.parse(text)) for text in texts]
    options = {"norm_images": 20, "batch_size": 7}
    fresh = [PathEvaluator(network, data, part, **options)(form) for form in forms]
    assert len({tuple(score.values()) for score in fresh}) == 4
    for memory in (2**14, 2**18, 2**24):
        keeping = PathEvaluator(network, data, part, **options, memory=memory)
        assert [keeping(form) for form in forms] == fresh
        assert keeping._kept._bytes <= memory
    whole = [score_network(PathEvaluator(network, data, part, **options).prepare(form), data.normalize(images).split(7),
                     part.labels.split(7)) for form in forms]  # fmt: skip
    assert [one["accuracy"] for one in whole] == [one["accuracy"] for one in fresh]
    assert [one["loss"] for one in whole] == pytest.approx([one["loss"] for one in fresh], rel=1e-5)


def test_a_path_is_computed_from_where_it_leaves_those_read_before():
    from evonas.supernet.evaluate import Kept

    kept, state = Kept(4 * 4 * 12), ([torch.zeros(4)], [torch.zeros(8)])
    for names in (["None", "a"], ["None", "a", "b"], ["None", "a", "c"]):
        kept.put(names, state)
    assert kept.longest(["None", "a", "b", "d", "head"])[0] == 3
    assert kept.longest(["None", "a", "x", "head"])[0] == 2
    assert kept.longest(["8", "a", "b", "head"]) == (0, None)
    for extra in ("e", "f"):
        kept.put(["None", "a", extra], state)
    assert kept.longest(["None", "a", "c", "head"])[0] == 2  # given up first: the others were used since
    kept.put(["None", "large"], ([torch.zeros(100)], []))
    assert kept.longest(["None", "large", "head"]) == (0, None)


class Overlap(Task):
    """A task of another package: how far the outputs above their mean are the target's."""

    name = title = "overlap"
    dtype = torch.int64
    target_shape = ()
    outputs = 3
    measures = (Measure("miou", "fraction", "max"),)
    primary = "miou"

    def loss(self, outputs, targets):
        return outputs.square().mean()

    def imitate(self, outputs, teacher):
        return (outputs - teacher).square().mean()

    def measure(self, outputs, targets):
        true = torch.nn.functional.one_hot(targets, outputs.shape[1]).bool()
        above = outputs > outputs.mean(1, keepdim=True)
        return {"miou": (above & true).sum(1) / (above | true).sum(1)}


def test_a_task_of_another_package_is_measured_by_its_own_name(make_network, data):
    network = make_network()
    form = network.space.parse("conv-skip-conv")
    evaluator = PathEvaluator(network, data, data.search, task=Overlap())
    score = evaluator(form)
    assert list(score) == ["miou"]
    assert score["miou"] == pytest.approx(float(evaluator.each(form)["miou"].mean()))
    assert 0 < score["miou"] < 1
    with pytest.raises(EvaluationError, match="miou is nan"):
        score_network(Fixed(), [-torch.ones(2, 2, 1, 1)], [torch.tensor([0, 1])], task=Broken())


class Broken(Overlap):
    def measure(self, outputs, targets):
        return {"miou": torch.full((len(outputs),), math.nan)}
