"""Published networks compute here what their reference networks compute."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evonas.networks import build
from evonas.spaces import load_space
from evonas.training.weights import load_entry, locate
from evonas.training.weights.load import load_published, published_network, start_supernet


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / a.abs().max())


@pytest.mark.parametrize("number", [0, 1, 2])
def test_lite_equals_the_reference_network(number):
    reference = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="the extra 'pretrained' is not installed: it holds the reference network"
    )
    entry = load_entry(f"efficientnet_lite{number}")
    found = locate(entry)
    if found.path is None:
        pytest.skip(f"the published weights are not here: {found.lack}")
    theirs = reference.EfficientNet.from_name(f"efficientnet-lite{number}", image_size=None).eval()
    theirs.load_state_dict(torch.load(found.path, weights_only=True))
    ours = published_network(entry, found.path)
    generator = torch.Generator().manual_seed(0)
    for side in (224, 96, 65):
        images = torch.randn(2, 3, side, side, generator=generator)
        with torch.no_grad():
            assert difference(theirs(images), ours(images)) < 1e-5


@pytest.mark.parametrize("name", ["mobilenetv2_100", "tf_efficientnet_lite0"])
def test_timm_networks(name, timm_network, tmp_path, monkeypatch):
    theirs = timm_network(name)
    monkeypatch.setenv("EVONAS_WEIGHTS", str(tmp_path))
    save_file(theirs.state_dict(), tmp_path / f"{name}.safetensors")
    entry = load_entry(name)
    assert not entry.verified
    path = locate(entry).path
    assert path is not None
    ours = published_network(entry, path)
    space = load_space(entry.space)
    supernet = start_supernet(space, space.skeleton(entry.skeleton), ours).eval()
    # The largest path computes it too, a smaller kernel standing at the center of the largest.
    largest = space.under(space.skeleton(entry.skeleton))
    form = largest.form(largest.cardinalities - 1)
    for side in (64, 65):
        images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))
        with torch.no_grad():
            expected = theirs(images)
            assert difference(expected, ours(images)) < 1e-5
            assert difference(expected, supernet(images, space.path(form))) < 1e-5


@pytest.mark.parametrize("width", [1.0, 1.2])
def test_once_for_all_supernets(width, ofa_network, tmp_path, monkeypatch):
    theirs = ofa_network(width)
    monkeypatch.setenv("EVONAS_WEIGHTS", str(tmp_path))
    entry = load_entry(f"ofa_mbv3_w{width}")
    torch.save({"state_dict": theirs.state_dict(), "epoch": 3}, tmp_path / entry.source.file)
    path = locate(entry).path
    assert path is not None
    ours = published_network(entry, path)
    rng = np.random.default_rng(0)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for genome in ours.space.sample(22 if width == 1.0 else 4, rng, by="choice"):
        form = ours.space.canonical(ours.space.decode(genome))
        said = json.loads(str(form))
        with torch.no_grad():
            expected = theirs(images, said["ks"], said["e"], said["d"])
            assert difference(expected, ours(images, ours.space.path(form))) < 1e-5
            assert difference(expected, ours.extract(form)(images)) < 1e-5


def test_another_classifier_keeps_its_own_weights_and_is_named(timm_network, tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_WEIGHTS", str(tmp_path))
    save_file(timm_network("tf_efficientnet_lite0").state_dict(), tmp_path / "tf_efficientnet_lite0.safetensors")
    entry = load_entry("tf_efficientnet_lite0")
    published = published_network(entry, tmp_path / "tf_efficientnet_lite0.safetensors")
    space = load_space(entry.space)
    network = build(space, space.skeleton(entry.skeleton, classes=7), published.architecture)
    before = network.classifier[0].weight.clone()
    assert load_published(network, published) == ["classifier.0.weight", "classifier.0.bias"]
    assert torch.equal(network.classifier[0].weight, before)
    assert torch.equal(network.stem[0].weight, published.stem[0].weight)
