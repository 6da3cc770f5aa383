from __future__ import annotations

from dataclasses import replace

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


COUNTING = """
from evonas.tasks import Regression

class Counting(Regression):
    name, title = "counting", "counting of things"

    def __init__(self, data):
        super().__init__(data.target_mean, data.target_std)
"""


def test_the_task_of_another_package_is_made_again_and_its_absence_named(install, tmp_path):
    data = load_data("digits", limit=100)
    parts = {name: replace(getattr(data, name), labels=torch.tensor([[2.0], [6.0]])) for name in ("train", "search")}
    counted = replace(data, task="counting", classes=("things",), **parts)
    space = load_space("nasbench201")
    skeleton = space.skeleton("small", in_channels=1, classes=1, resolution=8)
    network = build(space, skeleton, space.decode(space.cardinalities - 1), seed=0).eval()
    for name, content in model_files(network, counted).items():
        (tmp_path / name).write_bytes(content)
    image = torch.rand(2, 1, 8, 8)
    bare = load_model(tmp_path)
    with pytest.raises(RunError, match=r"the task 'counting', which no installed package has: install the package"):
        load_model(tmp_path, unit_input=True)
    install(COUNTING, {"evonas.tasks": {"counting": "Counting"}})
    normalized = (image - torch.tensor(data.mean)) / torch.tensor(data.std)
    with torch.no_grad():  # mean 4, deviation 2
        torch.testing.assert_close(load_model(tmp_path, unit_input=True)(image), 4 + 2 * bare(normalized))
