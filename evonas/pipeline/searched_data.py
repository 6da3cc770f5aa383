"""Data of a search, and the task that their targets are of."""

from __future__ import annotations

from evonas.config import Settings
from evonas.data import Dataset, load_data
from evonas.errors import SettingsError
from evonas.pipeline.allowed_resolution import default_resolution
from evonas.pipeline.defaults import data_options
from evonas.spaces import Space
from evonas.tasks import Task, make_task
from evonas.training.weights.entry import WeightsEntry

__all__ = ["read_data", "task_of"]


def read_data(settings: Settings, space: Space, published: WeightsEntry | None, device: str) -> Dataset | None:
    """Return the data of a search; one on a table needs none unless some is named.

    Args:
        settings: Of the search.
        space: What is searched; it may allow some resolutions only.
        published: Weights that the search starts from, whose images these are to be like; None: none.
        device: Where they live.
    """
    if settings.table and settings.data is None:
        return None
    definition, channels, statistics = space.definition, None, None
    resolution = settings.resolution or (max(definition.resolutions) if definition.resolutions else None)
    if published is not None:
        assert published.preprocessing is not None
        usual = published.preprocessing.resolution
        resolution = (
            resolution
            or max(settings.resolutions, default=0)
            or default_resolution(definition.search_resolutions, usual)
        )
        channels, statistics = 3, (published.preprocessing.mean, published.preprocessing.std)
    return load_data(
        settings.data or "digits",
        resolution=resolution,
        limit=settings.train_limit,
        validation=settings.validation,
        seed=settings.seed,
        device=device,
        channels=channels,
        statistics=statistics,
        options=data_options(settings),
    )


def task_of(data: Dataset) -> Task:
    """Return the task of a data set.

    Raises:
        SettingsError: No such task, or one of other targets.
    """
    task, labels = make_task(data), data.train.labels
    if (labels.dtype, tuple(labels.shape[1:])) != (task.dtype, tuple(task.target_shape)):
        raise SettingsError(
            f"Expected targets of {task.dtype} and shape {tuple(task.target_shape)} for the task '{task.name}', got "
            f"{labels.dtype} and {tuple(labels.shape[1:])} in '{data.name}': leave --task out, or give other data"
        )
    return task
