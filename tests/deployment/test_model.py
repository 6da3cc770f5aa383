from __future__ import annotations

import pytest
import torch
from numpy.random import default_rng

from evonas.data import load_data
from evonas.deployment import UnitInput, load_model, model_files
from evonas.errors import RunError
from evonas.networks import build
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def data():
    return load_data("digits", limit=200)


def make(name: str, data):
    space = load_space(name)
    skeleton = space.skeleton("small", resolution=data.resolution, in_channels=data.in_channels, classes=10)
    architecture = space.canonical(space.decode(space.sample(1, default_rng(3))[0]))
    return build(space, skeleton, architecture, seed=5).eval()


def write(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_unit_input_normalizes_as_the_data_do(data):
    images = data.test.images[:16]
    wrapped = UnitInput(torch.nn.Identity(), data.mean, data.std)
    torch.testing.assert_close(wrapped(images.float() / data.scale), data.normalize(images), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["darts", "mobilenet_v3"])
def test_a_network_is_rebuilt_from_its_files(name, data, tmp_path):
    network = make(name, data)
    folder = write(tmp_path / "model", model_files(network, data))
    rebuilt = load_model(folder)
    images = data.test.images[:8]
    with torch.inference_mode():
        assert torch.equal(rebuilt(data.normalize(images)), network(data.normalize(images)))
        unit = load_model(folder, unit_input=True)(images.float() / data.scale)
        torch.testing.assert_close(unit, network(data.normalize(images)), atol=1e-4, rtol=1e-4)
    assert rebuilt.skeleton == network.skeleton
    assert rebuilt.architecture == network.architecture
    assert not rebuilt.training
    assert all(parameter.requires_grad for parameter in rebuilt.parameters())
    assert load_space(folder / "space.toml").definition == network.space.definition


def test_damaged_models_are_refused(data, tmp_path):
    files = model_files(make("darts", data), data)
    with pytest.raises(RunError, match=r"has no network\.toml"):
        load_model(write(tmp_path / "a", {k: v for k, v in files.items() if k != "network.toml"}))
    half = files["weights.safetensors"][: len(files["weights.safetensors"]) // 2]
    with pytest.raises(RunError, match="is damaged"):
        load_model(write(tmp_path / "b", {**files, "weights.safetensors": half}))
    other = model_files(make("mobilenet_v3", data), data)
    with pytest.raises(RunError, match="is damaged"):
        load_model(write(tmp_path / "c", {**files, "weights.safetensors": other["weights.safetensors"]}))
    newer = files["network.toml"].replace(b"format = 1", b"format = 9")
    with pytest.raises(RunError, match=r"format 1 in .*, got 9"):
        load_model(write(tmp_path / "d", {**files, "network.toml": newer}))
