from __future__ import annotations

import json

from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from evonas.data import load_data
from evonas.networks import build
from evonas.spaces import load_space, shipped
from evonas.supernet import PathEvaluator, SupernetSettings, train_supernet


def test_an_architecture_is_trained_and_read_at_its_own_resolution(tmp_path):
    text = shipped()["mobilenet_v3"].read_text().replace("norm_eps", "resolutions = [8, 16]\nnorm_eps", 1)
    file = tmp_path / "two.toml"
    file.write_text(text)
    space = load_space(file)
    data = load_data("digits", resolution=16, limit=200)
    skeleton = space.skeleton("small", resolution=16, in_channels=1, classes=10, width=0.1)
    network = build(space, skeleton)
    seen = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[-1]))
    train_supernet(network, data, "uniform", SupernetSettings(epochs=4, batch_size=40))
    assert set(seen) == {8, 16}
    lists = {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5}
    evaluator = PathEvaluator(network, data, data.search)
    small, large = (space.canonical(space.parse(json.dumps({**lists, "r": r}))) for r in (8, 16))
    sides = []
    with register_module_forward_pre_hook(
        lambda module, inputs: sides.append(inputs[0].shape[-1]) if isinstance(module, nn.Conv2d) else None
    ):
        evaluator(small)
        assert max(sides) == 8
        evaluator(large)
        assert max(sides) == 16
