"""What evonas computes today for the methods that were compared with their originals, and was found equal.

Inputs and weights follow from seeds by numpy, so that neither torch's initialization nor its order matters; what a
score draws itself comes from torch's generator. Counts and texts are compared exactly, numbers to `RELATIVE`.

    python tests/golden/make.py          # writes the files again, after a change on purpose: say why in its commit
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from evonas.evolution.integer_problems import grid_problem
from evonas.networks import build, import_lhd
from evonas.pareto.correlation import kendall, precision_at, spearman
from evonas.pareto.indicators import hypervolume, hypervolume_curve, igd, igd_plus
from evonas.proxies import load_proxy
from evonas.spaces import CellWeights, discretize, load_space
from evonas.supernet.projector import Projector
from evonas.training import learning_rate, load_recipe
from evonas.training.auxiliary import AuxiliaryHead

FOLDER = Path(__file__).parent
RELATIVE, ABSOLUTE = 1e-4, 1e-6
"""Tolerance of numbers: beyond what processors and libraries of linear algebra differ by."""

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
PC_DARTS_CIFAR = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))"
)
PC_DARTS_IMAGE = (
    "Genotype(normal=[('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 1), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('dil_conv_5x5', 4)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 2), ('max_pool_3x3', 1), ('sep_conv_3x3', 2), "
    "('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 3)], reduce_concat=range(2, 6))"
)
SDARTS_RS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 0), "
    "('sep_conv_3x3', 3), ('skip_connect', 1), ('sep_conv_3x3', 1), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), "
    "reduce=[('max_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('dil_conv_5x5', 3), "
    "('max_pool_3x3', 0), ('sep_conv_3x3', 2), ('sep_conv_5x5', 3)], reduce_concat=range(2, 6))"
)
SDARTS_ADV = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), "
    "('sep_conv_5x5', 0), ('dil_conv_3x3', 3), ('dil_conv_3x3', 4), ('skip_connect', 0)], normal_concat=range(2, 6), "
    "reduce=[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('skip_connect', 3), "
    "('skip_connect', 2), ('skip_connect', 2), ('sep_conv_5x5', 4)], reduce_concat=range(2, 6))"
)
FBNET_A = (
    "skip/k3e3-k3e1-skip-skip/k5e6-k3e3-k5e1-k3e3/k5e6-k5e3-k5e1g2-k5e6/"
    "k3e6-k5e1g2-k5e3-k3e1g2/k5e6-k5e6-k5e3-k5e6/k5e6"
)
FBNET_B = (
    "k3e1/k3e6-k5e1-k3e1-k3e1/k5e6-k5e3-k3e6-k5e6/k5e6-k5e6-skip-k5e3/k5e6-k3e1-k5e1-k5e3/k5e6-k5e1-k5e6-k5e6/k3e6"
)
FBNET_C = (
    "k3e1/k3e6-skip-k3e1-k3e1/k5e6-k5e3-k5e6-k3e6/k5e6-k5e3-k5e6-k5e6/k5e6-k5e6-k5e6-k5e3/k5e6-k5e6-k5e6-k5e6/k3e6"
)
NB201 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|"
NETWORKS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    # space, architecture (None: drawn by seed), changes of the published skeleton that make it quick
    "darts": ("darts", DARTS_V2, {"channels": 4, "cells": 3}),
    "darts_imagenet_stem": ("darts", DARTS_V2, {"channels": 4, "cells": 3, "stem": "imagenet", "resolution": 64}),
    "pc_darts_cifar": ("darts", PC_DARTS_CIFAR, {"channels": 4, "cells": 3}),
    "pc_darts_image": ("darts", PC_DARTS_IMAGE, {"channels": 4, "cells": 3, "stem": "imagenet", "resolution": 64}),
    "sdarts_rs": ("darts", SDARTS_RS, {"channels": 4, "cells": 3}),
    "sdarts_adv": ("darts", SDARTS_ADV, {"channels": 4, "cells": 3}),
    "nasbench201": ("nasbench201", NB201, {"cells": 1}),
    "nasbench_macro": ("nasbench_macro", "01212021", {"width": 0.25}),
    "lhd": ("lhd", None, {"channels": 4, "cells": 3}),
    "lhd_3ops": ("lhd_3ops", None, {"channels": 4, "cells": 3}),
    "mobilenet_v3": ("mobilenet_v3", None, {"width": 0.25, "resolution": 32}),
    "mobilenet_v2": ("mobilenet_v2", None, {"width": 0.25, "resolution": 32}),
    "proxyless": ("proxyless", None, {"width": 0.25, "resolution": 32}),
    "fbnet": ("fbnet", None, {"width": 0.25, "resolution": 32}),
    "fbnet_a": ("fbnet", FBNET_A, {"width": 0.25, "resolution": 32}),
    "fbnet_b": ("fbnet", FBNET_B, {"width": 0.25, "resolution": 32}),
    "fbnet_c": ("fbnet", FBNET_C, {"width": 0.25, "resolution": 32}),
    "efficientnet_lite": ("efficientnet_lite", None, {"width": 0.25, "resolution": 32}),
}
SCORES = (
    "swap", "swap_regularized", "naswot", "synflow", "zen", "jacov", "grad_norm", "snip", "epsinas", "nlc",
)  # fmt: skip


def cases() -> dict[tuple[str, str], Callable[[], dict[str, Any]]]:
    """Return what computes each case, by file and name."""
    found: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {}
    found |= {("networks", name): partial(network, *case) for name, case in NETWORKS.items()}
    found |= {("proxies", name): partial(score, name) for name in SCORES}
    found |= {("proxies", "swap_published"): published_swap}
    return found | {("methods", name): method for name, method in METHODS.items()}


def images(n: int, channels: int, side: int, seed: int = 0) -> torch.Tensor:
    """Return standard normal images."""
    values = np.random.default_rng(seed).standard_normal((n, channels, side, side))
    return torch.from_numpy(values.astype(np.float32))


@torch.no_grad()
def fill(module: nn.Module, seed: int = 0) -> nn.Module:
    """Set weights to N(0, 2 / fan-in), norms near scale 1 and shift 0, in the order of the state, by seed."""
    rng = np.random.default_rng(seed)
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            continue
        drawn = torch.from_numpy(rng.standard_normal(tuple(value.shape)).astype(np.float32))
        if value.ndim > 1:
            value.copy_(drawn * math.sqrt(2 / value[0].numel()))
        elif name.endswith("running_var") or name.endswith("weight"):
            value.copy_(1 + 0.1 * drawn.clamp(-3, 3))
        else:
            value.copy_(0.1 * drawn)
    return module


def summary(values: torch.Tensor) -> dict[str, Any]:
    """Return a few values of outputs, and sums that any other change would move."""
    own = values.double().flatten()
    return {
        "shape": list(values.shape), "first": own[:6].tolist(), "mean_square": own.square().mean().item(),
        "weighted": (own * torch.linspace(-1, 1, len(own), dtype=torch.float64)).mean().item(),
    }  # fmt: skip


def network(space_name: str, text: str | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Return texts, counts and logits of a network."""
    space = load_space(space_name)
    genome = space.sample(1, np.random.default_rng(0))[0]
    architecture = space.decode(genome) if text is None else space.parse(text)
    published = space.literature_skeleton()
    with torch.device("meta"):
        params = sum(value.numel() for value in build(space, published, architecture).parameters())
    skeleton = published.replace(**changes, classes=10)
    made = fill(build(space, skeleton, architecture)).eval()
    with torch.no_grad():
        logits = made(images(2, skeleton.in_channels, skeleton.resolution))
    return {
        "architecture": str(architecture), "canonical": str(space.canonical(architecture)), "genome": genome.tolist(),
        "params": params, "keys": len(made.state_dict()), "logits": summary(logits),
    }  # fmt: skip


def score(name: str) -> dict[str, Any]:
    """Return a training-free score of a small network of NAS-Bench-201."""
    space = load_space("nasbench201")
    skeleton = space.skeleton("cifar", channels=4, cells=1, resolution=8)
    made = fill(build(space, skeleton, space.parse(NB201)))
    labels = torch.arange(16) % 10
    proxy = load_proxy(name)
    generator = torch.Generator().manual_seed(0)
    options = {"target_parameters": 100_000} if proxy.needs.sizes else {}
    if name == "swap_regularized":
        proxy = proxy.fitted([3_000, 4_000, 5_000, 9_000])
    return {"score": float(proxy.score(made, images(16, 3, 8), generator, labels, **options))}


def published_swap() -> dict[str, Any]:
    """SWAP of a genotype on the published network of one cell, plain and by each published setting."""
    space = load_space("darts_open")
    skeleton = space.skeleton("proxy_paper")
    made = build(space, skeleton, space.parse(DARTS_V2))
    found = {"params": sum(p.numel() for p in made.parameters())}
    for text in ("swap", *(f"swap_regularized(setting=paper_{name})" for name in "abc")):
        generator = torch.Generator().manual_seed(0)
        found[text] = float(load_proxy(text).score(fill(made), images(16, 3, 32), generator))
    return found


def projector() -> dict[str, Any]:
    """Orthogonal projector after two batches, as the recursion gives it."""
    made = Projector(12, alpha=0.1)
    rng = np.random.default_rng(0)
    for _ in range(2):
        made.absorb(torch.from_numpy(rng.standard_normal((1, 5, 12))))
    return summary(made.matrix())


def schedules() -> dict[str, Any]:
    """Learning rates of the recipes of DARTS and PC-DARTS."""
    found = {}
    for name in ("darts_cifar", "pcdarts_imagenet"):
        recipe = load_recipe(name)
        steps = [0, 1, 10 * 7, 100 * 7 + 3, (recipe.epochs - 1) * 7]
        found[name] = [learning_rate(recipe, step, 7) for step in steps]
    return found


def auxiliary() -> dict[str, Any]:
    """The auxiliary head of DARTS."""
    head = fill(AuxiliaryHead(16, 8, 10)).eval()
    with torch.no_grad():
        return {"params": sum(p.numel() for p in head.parameters())} | summary(head(images(2, 16, 8)))


def discretized() -> dict[str, Any]:
    """Architecture that weights of LHD become."""
    rng, space = np.random.default_rng(0), load_space("lhd")
    weights = [CellWeights(rng.random((20, 7)), rng.random((2, 5))) for _ in range(2)]
    found = {"base": str(discretize(space, weights)), "4out": str(discretize(space, weights, most=4))}
    for policy in ("1m", "3ops"):
        of, architecture, skeleton = import_lhd(*weights, policy)
        found[policy] = [of.name, str(architecture), skeleton.channels, skeleton.cells]
    return found


def rankings() -> dict[str, Any]:
    """Indicators of fronts and rankings."""
    rng = np.random.default_rng(0)
    points, first, second = rng.random((12, 3)), rng.integers(0, 9, 20), rng.integers(0, 9, 20)
    front = rng.random((7, 3)) / 2
    return {
        "hypervolume_curve": hypervolume_curve(points, np.ones(3), (1, 4, 12)).tolist(),
        "igd": igd(points, front), "igd_plus": igd_plus(points, front),
        "hypervolume": hypervolume(points, np.ones(3)), "kendall": kendall(first, second),
        "spearman": spearman(first, second), "precision": precision_at(first, second, 5),
    }  # fmt: skip


def integer_problems() -> dict[str, Any]:
    """ZDT and DTLZ on a grid: values of a genome, and size and mean of the true front."""
    found = {}
    for name in ("zdt1", "zdt2", "zdt3", "zdt4", "zdt6", "dtlz1", "dtlz2", "dtlz3", "dtlz7"):
        problem = grid_problem(name, 5, 8)
        genome = np.random.default_rng(0).integers(0, 5, (1, 8))
        found[name] = [problem.values(genome)[0].tolist(), len(problem.front), problem.front.mean(axis=0).tolist()]
    return found


METHODS: dict[str, Callable[[], dict[str, Any]]] = {
    "projector": projector,
    "schedules": schedules,
    "auxiliary_head": auxiliary,
    "lhd_discretization": discretized,
    "indicators": rankings,
    "integer_problems": integer_problems,
}


def main() -> None:
    """Write the files."""
    files: dict[str, dict[str, Any]] = {}
    for (file, name), work in cases().items():
        files.setdefault(file, {})[name] = work()
    for file, content in files.items():
        lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(case)}" for name, case in content.items())
        (FOLDER / f"{file}.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
