from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from evonas.errors import SettingsError
from evonas.proxies import Params, load_proxy, proxies


def plug(monkeypatch, name, value):
    point = EntryPoint(name=name, value=value, group="evonas.proxies")
    monkeypatch.setattr("evonas.proxies.registry.entry_points", lambda group: [point] * (group == point.group))


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(SettingsError, match=r"got 'synflw'\. Did you mean 'synflow'\?"):
        load_proxy("synflw")


def test_unknown_options_are_refused():
    with pytest.raises(SettingsError, match=r"expected options of the proxy 'swap', got .*colour"):
        load_proxy("swap", colour=1)


def test_another_package_adds_a_proxy(monkeypatch):
    plug(monkeypatch, "mine", "evonas.proxies.params:Params")
    assert isinstance(load_proxy("mine"), Params)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("swap", "evonas.proxies.params:Params", "expected a new proxy name, got 'swap'"),
        ("mine", "evonas.nowhere:Mine", "expected a proxy at evonas.nowhere:Mine"),
    ],
)
def test_bad_plugins_are_refused(monkeypatch, name, value, message):
    plug(monkeypatch, name, value)
    with pytest.raises(SettingsError, match=message):
        proxies()
