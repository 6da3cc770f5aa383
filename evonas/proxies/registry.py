"""Proxies by name: those of this package and those that other packages add."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from evonas.errors import SettingsError, suggest
from evonas.files.options import read_options
from evonas.proxies.epsinas import Epsinas
from evonas.proxies.flops import Flops
from evonas.proxies.grad_norm import GradNorm
from evonas.proxies.jacov import Jacov
from evonas.proxies.naswot import Naswot
from evonas.proxies.nlc import Nlc
from evonas.proxies.params import Params
from evonas.proxies.proxy import Proxy
from evonas.proxies.snip import Snip
from evonas.proxies.swap import Swap
from evonas.proxies.synflow import Synflow
from evonas.proxies.zen import Zen

SHIPPED: Mapping[str, type[Proxy]] = {
    proxy.name: proxy for proxy in (Swap, Epsinas, Nlc, Naswot, Synflow, Jacov, GradNorm, Snip, Zen, Params, Flops)
}


def proxies() -> dict[str, type[Proxy]]:
    """Return every proxy by name: the shipped ones, then those of the entry points ``evonas.proxies``.

    Raises:
        SettingsError: A package adds a proxy under a name that is taken, or one that does not load.
    """
    found = dict(SHIPPED)
    for point in entry_points(group="evonas.proxies"):
        if point.name in found:
            raise SettingsError(f"expected a new proxy name, got '{point.name}' from {point.value}: rename it")
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"expected a proxy at {point.value}, got {error}: mend or remove it") from error
    return found


def load_proxy(name: str, **options: Any) -> Proxy:
    """Make a proxy by its name.

    Args:
        name: Such as ``"swap"``, or with options ``"swap(mu=40,sigma=900)"``.
        options: Arguments of the proxy's class, such as ``repeats=4``; they go before those in the name.

    Raises:
        SettingsError: No such proxy, or options that it refuses.
    """
    base, _, rest = name.partition("(")
    known = proxies()
    if base not in known or (rest and not rest.endswith(")")):
        raise SettingsError(
            f"expected one of the proxies {', '.join(sorted(known))}, or one with options such as "
            f"swap(mu=40,sigma=900), got '{name}'.{suggest(base, known)}"
        )
    written = read_options(rest[:-1], name) if rest else {}
    try:
        return known[base](**{**written, **options})
    except TypeError as error:
        raise SettingsError(f"expected options of the proxy '{base}', got {error}: leave them out") from error


def is_proxy(name: str) -> bool:
    """Return whether a name, its options aside, is that of a proxy."""
    return name.partition("(")[0] in proxies()
