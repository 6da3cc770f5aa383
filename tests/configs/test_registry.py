"""Named configurations: read, listed, refused, taken by the settings."""

from __future__ import annotations

import pytest

from evonas.config import Settings, make_settings
from evonas.configs import describe_configs, load_config, named_configs
from evonas.errors import SettingsError
from evonas.pipeline.catalog import list_entries
from evonas.pipeline.checks import check_settings

NAMES = {"fairnas", "msunas", "nsga-net", "ofa-nsga2", "rank-nosh", "spos", "swap-nas"}


def test_the_published_methods_are_there_and_listed_with_source_and_what_differs():
    assert set(named_configs()) == NAMES
    assert [(entry.name, entry.text) for entry in list_entries("configs")] == list(describe_configs())
    for name, text in describe_configs():
        config = load_config(name)
        assert "arXiv" in config.source
        assert text == f"{config.source}; differs: {config.differs}"
        assert "\n" not in text


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_configuration_is_settings_and_what_is_given_goes_first(name):
    config = load_config(name)
    settings = make_settings(name)
    check_settings(settings)
    for key, value in config.settings.items():
        held = getattr(settings, key.replace("-", "_"))
        assert (list(held) if isinstance(held, tuple) else held) == value
    assert set(settings.content()) >= set(config.settings)
    assert make_settings(name, population=4, seed=3).population == 4


def test_no_two_configurations_are_the_same_and_none_is_the_default():
    made = [make_settings(name) for name in named_configs()]
    assert all(made.count(settings) == 1 for settings in made)
    assert Settings() not in made


def test_another_name_is_refused_and_a_file_is_still_a_file(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match=r"configuration of fairnas, .* got 'spo'. Did you mean 'spos'\?"):
        make_settings("spo")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("seed = 5\n")  # a file needs no suffix
    assert make_settings("mine").seed == 5
    with pytest.raises(SettingsError, match="Cannot read the settings"):
        make_settings("nowhere.toml")


def test_a_configuration_without_a_source_is_refused(tmp_path, monkeypatch):
    (tmp_path / "odd.toml").write_text("[settings]\nseed = 1\n")
    # A folder of configurations that do not ship.
    monkeypatch.setattr("evonas.configs.registry._FOLDER", tmp_path)
    with pytest.raises(SettingsError, match="Expected source, differs and"):
        load_config("odd")
