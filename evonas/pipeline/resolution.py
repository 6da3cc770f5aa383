"""The resolution of a search that starts from published weights: what a short probe of frozen features finds."""

from __future__ import annotations

import time

import torch

from evonas.config import Settings
from evonas.data import Part, load_data
from evonas.files.duration import parse_time
from evonas.files.progress import Progress
from evonas.networks import build
from evonas.pipeline.allowed_resolution import default_resolution
from evonas.pipeline.defaults import data_options
from evonas.pipeline.start import PublishedStart
from evonas.spaces import load_space
from evonas.supernet.classifier import features_of, fit_layer, last_layer
from evonas.tasks import make_task
from evonas.training import resolve_device
from evonas.training.weights.load import load_published

__all__ = ["probe_resolution"]

SIZES = (64, 96, 128)
"""Sides in pixels that are tried."""
PROBED_IMAGES = 400
"""Training images that are read, at most; half of them fit a classifier, half measure it."""
BUDGET_SHARE = 0.05
"""Of a budget of time, what the probe may take: no further size is begun beyond it."""


def probe_resolution(settings: Settings, start: PublishedStart, progress: Progress) -> int:
    """Side in pixels at which more pixels no longer help frozen features by more than their noise.

    A classifier is fitted on frozen features of half the probed images and measured on the other half, at rising sizes;
    the next size is taken while it gets right more than one standard error of the difference.

    Args:
        settings: Data, seed and budget.
        start: The published weights.
        progress: Shows what was found.
    """
    entry = start.entry
    assert entry.preprocessing is not None
    space = load_space(entry.space)
    allowed = space.definition.search_resolutions
    sizes = [side for side in SIZES if not allowed or side in allowed]
    if not sizes:  # a space may allow none of them
        return default_resolution(allowed, entry.preprocessing.resolution)
    published, device = start.network(), str(resolve_device(settings.device))
    allowance = BUDGET_SHARE * parse_time(settings.time) if settings.time else float("inf")
    began, found, right = time.perf_counter(), 0, None
    said = []
    for side in sizes:
        if right is not None and 2 * (time.perf_counter() - began) > allowance:
            break  # the next size costs about as much as all before together
        data = load_data(
            settings.data or "digits", resolution=side, limit=min(PROBED_IMAGES, settings.train_limit or PROBED_IMAGES),
            validation=0.5, seed=settings.seed, device=device, channels=3,
            statistics=(entry.preprocessing.mean, entry.preprocessing.std), options=data_options(settings),
        )  # fmt: skip
        task = make_task(data)
        skeleton = space.skeleton(entry.skeleton, classes=task.head.outputs, resolution=side)
        network = build(space, skeleton, published.architecture).to(device)
        load_published(network, published)
        validation = _joined(data.search, data.report)
        layer = last_layer(network)
        fit_layer(layer, features_of(network, data.train.images, data, None).double(), data.train.labels, task)
        with torch.no_grad():
            figures = task.measure(layer(features_of(network, validation.images, data, None)), validation.labels)
            quality = task.quality(figures).double()
        said.append(f"{side} px: {task.primary} {task.score(figures)[task.primary]:.3f}")
        if right is not None:
            gain = quality - right
            if float(gain.mean()) <= float(gain.std() / len(gain) ** 0.5):
                break
        found, right = side, quality
    progress.say(f"Resolution {found} px, by a probe of frozen features ({', '.join(said)})")
    return found


def _joined(first: Part, second: Part) -> Part:
    return Part(torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels]))
