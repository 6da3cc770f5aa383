"""Nonlinearity of an architecture explained on a problem's data and skeleton, and kept in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from evonas.errors import RunError, SettingsError
from evonas.networks import build
from evonas.objectives.contract import Context
from evonas.proxies.initialize import reinitialize
from evonas.proxies.nlc import nonlinearity
from evonas.proxies.nlc_explained import explain_nlc, explain_nlc_choices
from evonas.proxies.nlc_profile import NOTE, NlcProfile
from evonas.runs.run import Run
from evonas.spaces import Architecture

__all__ = ["explain_architecture", "keep_profile"]

COMPARED = 2
"""Initializations behind each change of a choice."""


def explain_architecture(
    context: Context, architecture: Architecture, *, images: int = 32, repeats: int = 5, neighbors: int = 40
) -> NlcProfile:
    """Return where an architecture's nonlinearity comes from, on the first training images.

    Args:
        context: Space, skeleton, data and seed.
        architecture: Its canonical form is built.
        images: How many.
        repeats: Initializations.
        neighbors: Architectures that differ in one choice, at most; 0: none.

    Raises:
        SettingsError: No data, or a setting out of range.
        EvaluationError: The network or a part of it puts out the same for all images.
    """
    if context.data is None or images < 2 or len(context.data.train) < 2:
        raise SettingsError(f"Expected data and two images of them or more, got {images}")
    form = context.space.canonical(architecture)
    data = context.data.at(context.skeleton.resolution)
    batch = data.normalize(data.train.images[:images]).cpu()

    def measure(other: Architecture) -> Sequence[float]:
        network = build(context.space, context.skeleton, other).eval()
        seeds = [torch.Generator().manual_seed(context.seed + i) for i in range(COMPARED)]
        return [nonlinearity(reinitialize(network, seed), batch, products=4) for seed in seeds]

    profile = explain_nlc(
        lambda: build(context.space, context.skeleton, form), batch, repeats=repeats, seed=context.seed
    )
    if not neighbors:
        return profile
    changes, considered, failed = explain_nlc_choices(context.space, form, measure, most=neighbors, seed=context.seed)
    return replace(profile, changes=changes, considered=considered, failed=failed)


def keep_profile(path: str | Path, architecture: Architecture, profile: NlcProfile) -> None:
    """Store a profile in a run, whose report draws it with the architecture's details.

    Args:
        path: The run.
        architecture: Canonical.
        profile: What was found.

    Raises:
        RunError: The run did not evaluate the architecture, or is written to by another process.
    """
    with Run.open(path, write=True) as run:
        texts = {row.architecture for row in run.store.evaluations()}
        if str(architecture) not in texts:
            raise RunError(
                f"Expected an architecture that {path} evaluated, got {architecture}, which its report lacks"
            )
        run.store.note(str(architecture), NOTE, profile.nlc, profile.to_json())
