from __future__ import annotations

import tomllib

import pytest

from evonas.config import Settings, make_settings
from evonas.errors import SettingsError
from evonas.files.toml import to_toml


def test_defaults_are_the_main_job():
    settings = make_settings()
    assert settings.objectives == ("acc", "flops")
    assert (settings.space, settings.pretrained, settings.sharing) == ("auto", "auto", "disturbance-immune")
    assert (settings.population, settings.generations, settings.warm_start) == (40, 30, 500)


def test_a_file_is_overridden_by_what_is_given(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text('space = "mobilenet_v3"\nseed = 3\nobjectives = ["acc", "latency"]\n')
    settings = make_settings(file, seed=7, population=None)
    assert (settings.space, settings.seed, settings.population) == ("mobilenet_v3", 7, 40)
    assert settings.objectives == ("acc", "latency")


def test_settings_survive_toml():
    settings = make_settings(constraint=("flops<=2e7",), time="1h30m", train_limit=100)
    assert make_settings(**tomllib.loads(to_toml(settings.content()))) == settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"popluation": 3}, "Did you mean 'population'"),
        ({"population": 1}, "population"),
        ({"validation": 1.5}, "validation"),
        ({"time": "soon"}, "30m"),
        ({"seed": -1}, "seed"),
        ({"epochs": "many"}, "epochs"),
    ],
)
def test_nonsense_is_named_in_one_line(given, expected):
    with pytest.raises(SettingsError, match=expected) as caught:
        make_settings(**given)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere"):
        make_settings(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = = 3")
    with pytest.raises(SettingsError, match=r"broken\.toml is not TOML"):
        make_settings(broken)


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())
