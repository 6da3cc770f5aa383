"""Sources of a network's nonlinearity: its stages, its activations, and the choices that would change it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.activation_paths import read_activations, stage_of
from evonas.proxies.initialize import reinitialize
from evonas.proxies.nlc import prefix_nonlinearity
from evonas.proxies.nlc_profile import ChangedChoice, NlcProfile, StageNlc
from evonas.spaces import Architecture, Space

__all__ = ["explain_nlc", "explain_nlc_choices"]

PRODUCTS = 8
"""Forward-mode products behind each coefficient."""
STUDENT = (math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Quantiles 0.975 of Student's t for 0 to 9 degrees of freedom; beyond them the last holds, on the safe side."""


def explain_nlc(
    make: Callable[[], nn.Module], images: Tensor, *, repeats: int = 5, seed: int = 0, products: int = PRODUCTS
) -> NlcProfile:
    """Return how nonlinear a network is with fresh weights, and by which of its parts.

    Args:
        make: Returns the network; its weights are drawn again by torch's defaults.
        images: Normalized, shape (n, channels, height, width), n >= 2.
        repeats: Initializations, >= 1.
        seed: Of the first.
        products: Forward-mode products behind each coefficient.

    Raises:
        SettingsError: Fewer than one initialization.
        EvaluationError: The network or a part puts out the same for all images.
    """
    if repeats < 1:
        raise SettingsError(f"Expected one initialization or more, got {repeats}")
    network = make().eval()
    stages = tuple(dict.fromkeys(stage_of(network, name) for name, _ in network.named_modules() if name))
    found, activations = [], None
    for repeat in range(repeats):
        reinitialize(network, torch.Generator().manual_seed(seed + repeat))
        found.append(prefix_nonlinearity(network, images, products, stages))
        if activations is None:
            activations = read_activations(network, images)
    assert activations is not None
    logs = {stage: [math.log(one[stage]) for one in found] for stage in found[0]}
    # The last part's output is the network's own, and stands there under no name.
    last = [stage for stage in logs if stage][-1:]
    named = [stage for stage in logs if stage not in last or activations.depths[stage] < activations.depths[""]]
    middle, half = float(np.mean(logs[""])), _half(logs[""])
    return NlcProfile(
        nlc=math.exp(middle),
        low=math.exp(middle - half),
        high=math.exp(middle + half),
        repeats=repeats,
        stages=tuple(
            StageNlc(
                stage or "whole network",
                math.exp(float(np.mean(logs[stage]))),
                activations.products[stage],
                activations.depths[stage],
            )
            for stage in named
        ),
        activations=activations.found,
    )


def explain_nlc_choices(
    space: Space,
    architecture: Architecture,
    measure: Callable[[Architecture], Sequence[float]],
    *,
    most: int,
    seed: int = 0,
) -> tuple[tuple[ChangedChoice, ...], int, int]:
    """Return how the coefficient changes with one choice, and how many such changes there are.

    Changes that leave the canonical form as it is are left out, and so is all but the first of those that lead to
    one form.

    Args:
        space: The space.
        architecture: Whose choices are changed.
        measure: Returns coefficients of an architecture's networks, of the same seeds for every one.
        most: Changes measured at most; of more, that many are drawn.
        seed: Of that draw.

    Raises:
        SettingsError: `most` is below 0.
    """
    if most < 0:
        raise SettingsError(f"Expected 0 changes of a choice or more, got {most}")
    genome = np.asarray(space.encode(architecture))
    forms = {str(space.canonical(architecture))}
    changes: list[tuple[int, int, Architecture]] = []
    for gene, options in enumerate(space.cardinalities.tolist()):
        for option in range(options):
            other = genome.copy()
            other[gene] = option
            form = space.canonical(space.decode(other))
            if str(form) not in forms:
                forms.add(str(form))
                changes.append((gene, option, form))
    considered = len(changes)
    if considered > most:
        kept = np.sort(np.random.default_rng(seed).choice(considered, most, replace=False))
        changes = [changes[i] for i in kept]
    base = np.log(measure(space.canonical(architecture))) if changes else np.zeros(1)
    found, failed = [], 0
    for gene, option, form in changes:
        try:
            factor = math.exp(float(np.mean(np.log(measure(form)) - base)))
        except EvaluationError:  # no path leads to its outputs: it has no coefficient
            failed += 1
            continue
        name = space.choices[gene]
        before, after = (_option(space, gene, value) for value in (int(genome[gene]), option))
        found.append(ChangedChoice(name, before, after, factor))
    return tuple(sorted(found, key=lambda one: -one.factor)), considered, failed


def _option(space: Space, gene: int, option: int) -> str:
    """Return an option in words where its sort has some, else its number."""
    sort = space.choices[gene].rpartition(".")[2].rstrip("0123456789")
    options = space.describe_choices().get(sort, ())
    return str(options[option]) if len(options) == space.cardinalities[gene] else f"option {option}"


def _half(logs: Sequence[float]) -> float:
    """Return half of the 95 % interval of a mean."""
    if len(logs) < 2:
        return math.nan
    return STUDENT[min(len(logs), len(STUDENT)) - 1] * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
