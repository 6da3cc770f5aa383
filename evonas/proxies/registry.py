"""Registry of proxies: the shipped ones and those of other packages by name, each imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from evonas.errors import SettingsError, suggest
from evonas.files.options import read_options

if TYPE_CHECKING:
    from evonas.proxies.proxy import Proxy

__all__ = ["DESCRIPTIONS", "check_proxy", "is_proxy", "load_proxy", "proxies", "proxy_names"]

SHIPPED: Mapping[str, str] = MappingProxyType(
    {
        "swap": "evonas.proxies.swap:Swap",
        "swap_regularized": "evonas.proxies.swap_regularized:SwapRegularized",
        "epsinas": "evonas.proxies.epsinas:Epsinas",
        "nlc": "evonas.proxies.nlc:Nlc",
        "naswot": "evonas.proxies.naswot:Naswot",
        "synflow": "evonas.proxies.synflow:Synflow",
        "jacov": "evonas.proxies.jacov:Jacov",
        "grad_norm": "evonas.proxies.grad_norm:GradNorm",
        "snip": "evonas.proxies.snip:Snip",
        "zen": "evonas.proxies.zen:Zen",
        "params": "evonas.proxies.params:Params",
        "flops": "evonas.proxies.flops:Flops",
    }
)
"""Name -> module and class."""
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "swap": "SWAP-Score: distinct sample-wise activation patterns (Peng et al., 2024)",
        "swap_regularized": "SWAP-Score times a preference for a size (Peng et al., 2024)",
        "epsinas": "difference of a network's outputs under two constant weights (Gracheva, 2024)",
        "nlc": "nonlinearity coefficient (Philipp and Carbonell, 2018)",
        "naswot": "log-determinant of the kernel of activation codes (Mellor et al., 2021)",
        "synflow": "synaptic flow, all weights made positive (Tanaka et al., 2020)",
        "jacov": "correlation of the gradients at different images (Mellor et al., 2020)",
        "grad_norm": "norm of the loss's gradient (Abdelfattah et al., 2021)",
        "snip": "sensitivity of the loss to each weight (Lee et al., 2019)",
        "zen": "Zen-score: Gaussian complexity of the features (Lin et al., 2021)",
        "params": "number of parameters, a floor for the others",
        "flops": "multiply-adds, a floor for the others",
    }
)
"""Name -> what it is, in half a sentence, with its source."""


def proxy_names() -> list[str]:
    """Return the names of all proxies, the shipped ones first.

    Raises:
        SettingsError: A package adds a proxy under a name that is taken.
    """
    return [*SHIPPED, *_added()]


def _added() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group="evonas.proxies"):
        if point.name in SHIPPED or point.name in found:
            raise SettingsError(f"expected a new proxy name, got '{point.name}' from {point.value}: rename it")
        found[point.name] = point
    return found


def proxies() -> dict[str, type[Proxy]]:
    """Return every proxy's class by name: the shipped ones, then those of the entry points ``evonas.proxies``.

    Raises:
        SettingsError: A package adds a proxy under a name that is taken, or one that does not load.
    """
    return {name: _class(name) for name in proxy_names()}


def _class(name: str) -> type[Proxy]:
    if name in SHIPPED:
        module, _, attribute = SHIPPED[name].partition(":")
        shipped: type[Proxy] = getattr(importlib.import_module(module), attribute)
        return shipped
    point = _added()[name]
    try:
        added: type[Proxy] = point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"expected a proxy at {point.value}, got {error}: mend or remove it") from error
    return added


def load_proxy(name: str, **options: Any) -> Proxy:
    """Make a proxy by its name.

    Args:
        name: Such as ``"swap"``, or with options ``"swap(mu=40,sigma=900)"``.
        options: Arguments of the proxy's class, such as ``repeats=4``; they go before those in the name.

    Raises:
        SettingsError: No such proxy, or options that it refuses.
    """
    base = _base(name)
    rest = name[len(base) + 1 :]
    written = read_options(rest[:-1], name) if rest else {}
    try:
        return _class(base)(**{**written, **options})
    except TypeError as error:
        raise SettingsError(f"expected options of the proxy '{base}', got {error}: leave them out") from error


def check_proxy(name: str) -> None:
    """Refuse a name that is no proxy's, or options that it does not take; a plain name imports nothing.

    Raises:
        SettingsError: As `load_proxy`.
    """
    if _base(name) != name or name not in SHIPPED:
        load_proxy(name)


def is_proxy(name: str) -> bool:
    """Return whether a name, its options aside, is that of a proxy."""
    return name.partition("(")[0] in proxy_names()


def _base(name: str) -> str:
    """Return a proxy's name without its options."""
    base, _, rest = name.partition("(")
    known = proxy_names()
    if base not in known or (rest and not rest.endswith(")")):
        raise SettingsError(
            f"expected one of the proxies {', '.join(sorted(known))}, or one with options such as "
            f"swap(mu=40,sigma=900), got '{name}'.{suggest(base, known)}"
        )
    return base
