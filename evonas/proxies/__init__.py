"""Training-free scores: numbers read off an untrained network and a few images.

A `Proxy` has a name, a direction and needs (skeleton, initialization, batch); ``score(network, images,
generator, labels)`` gives a finite float or raises `EvaluationError` with the cause. It knows neither spaces
nor search: any `torch.nn.Module` that maps images to logits will do. `load_proxy` finds one by name; another
package adds its own under the entry points group ``evonas.proxies``.

    proxy = load_proxy("swap", repeats=4)
    proxy.score(network, images[: proxy.needs.batch], torch.Generator().manual_seed(0))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.proxies.batch_scoring import score_all
    from evonas.proxies.epsinas import Epsinas
    from evonas.proxies.flops import Flops
    from evonas.proxies.forward import Forward
    from evonas.proxies.grad_norm import GradNorm
    from evonas.proxies.jacov import Jacov
    from evonas.proxies.naive import naive_counts, naive_patterns
    from evonas.proxies.naswot import Naswot
    from evonas.proxies.nlc import Nlc
    from evonas.proxies.params import Params
    from evonas.proxies.patterns import count_patterns
    from evonas.proxies.proxy import Needs, Proxy
    from evonas.proxies.registry import is_proxy, load_proxy, proxies
    from evonas.proxies.snip import Snip
    from evonas.proxies.swap import SaturationWarning, Swap, regularization, swap_counts
    from evonas.proxies.swap_regularized import SwapRegularized
    from evonas.proxies.synflow import Synflow
    from evonas.proxies.zen import Zen

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "batch_scoring": ("score_all",),
        "epsinas": ("Epsinas",),
        "flops": ("Flops",),
        "forward": ("Forward",),
        "grad_norm": ("GradNorm",),
        "jacov": ("Jacov",),
        "naive": (
            "naive_counts",
            "naive_patterns",
        ),
        "naswot": ("Naswot",),
        "nlc": ("Nlc",),
        "params": ("Params",),
        "patterns": ("count_patterns",),
        "proxy": (
            "Needs",
            "Proxy",
        ),
        "registry": (
            "is_proxy",
            "load_proxy",
            "proxies",
        ),
        "snip": ("Snip",),
        "swap": (
            "SaturationWarning",
            "Swap",
            "regularization",
            "swap_counts",
        ),
        "swap_regularized": ("SwapRegularized",),
        "synflow": ("Synflow",),
        "zen": ("Zen",),
    },
)

__all__ = [
    "Epsinas",
    "Flops",
    "Forward",
    "GradNorm",
    "Jacov",
    "Naswot",
    "Needs",
    "Nlc",
    "Params",
    "Proxy",
    "SaturationWarning",
    "Snip",
    "Swap",
    "SwapRegularized",
    "Synflow",
    "Zen",
    "count_patterns",
    "is_proxy",
    "load_proxy",
    "naive_counts",
    "naive_patterns",
    "proxies",
    "regularization",
    "score_all",
    "swap_counts",
]
