from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.proxies import Params, load_proxy, proxies

OURS = "from evonas.proxies.params import Params"


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(SettingsError, match=r"got 'synflw'\. Did you mean 'synflow'\?"):
        load_proxy("synflw")


def test_unknown_options_are_refused():
    with pytest.raises(SettingsError, match=r"expected options of the proxy 'swap', got .*colour"):
        load_proxy("swap", colour=1)


def test_another_package_adds_a_proxy(install):
    install(OURS, {"evonas.proxies": {"mine": "Params"}})
    assert isinstance(load_proxy("mine"), Params)


@pytest.mark.parametrize(
    ("name", "attribute", "message"),
    [
        ("swap", "Params", "expected a new proxy name, got 'swap'"),
        ("mine", "Mine", "expected a proxy at plugged:Mine"),
    ],
)
def test_bad_plugins_are_refused(install, name, attribute, message):
    install(OURS, {"evonas.proxies": {name: attribute}})
    with pytest.raises(SettingsError, match=message):
        proxies()
