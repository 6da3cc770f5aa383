"""A checkpoint by its path alone is recognized by its names."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from evonas.errors import TrainingError
from evonas.training.weights.load import published_network
from evonas.training.weights.recognize import recognize


@pytest.mark.parametrize("name", ["mobilenetv2_100", "tf_efficientnet_lite0"])
def test_names_tell_the_network(name, timm_network, tmp_path):
    theirs = timm_network(name)
    save_file(theirs.state_dict(), tmp_path / "mine.safetensors")
    entry = recognize(tmp_path / "mine.safetensors")
    assert entry.name == name
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = published_network(entry, tmp_path / "mine.safetensors")(images)
        assert torch.allclose(ours, theirs(images), rtol=1e-4, atol=1e-4)


def test_a_state_dict_inside_is_found(ofa_network, tmp_path):
    torch.save({"state_dict": ofa_network(1.0).state_dict()}, tmp_path / "mine.pth")
    entry = recognize(tmp_path / "mine.pth")
    assert (entry.space, entry.source.inside) == ("mobilenet_v3", "state_dict")


def test_a_network_that_is_nearly_one_is_refused_by_its_keys(timm_network, tmp_path):
    state = timm_network("tf_efficientnet_lite0").state_dict()
    state["conv_extra.weight"] = state.pop("conv_head.weight")
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(TrainingError, match=r"missing conv_head\.weight; not known here conv_extra\.weight"):
        published_network(recognize(tmp_path / "mine.pth"), tmp_path / "mine.pth")


def test_names_that_nothing_has(tmp_path):
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "mine.pth")
    with pytest.raises(TrainingError, match=r"no name of weights that are known here, such as a\.weight"):
        recognize(tmp_path / "mine.pth")
