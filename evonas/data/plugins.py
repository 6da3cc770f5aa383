"""Data sets that other packages bring, by the entry point group `evonas.data`."""

from __future__ import annotations

from collections.abc import Mapping

from evonas.data.arrays import from_arrays
from evonas.data.names import plugins
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.errors import DataError


def read_plugin(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of the entry point named `source`; None where there is none.

    An entry point is a callable without arguments that returns a mapping of raw arrays as `from_arrays` takes
    it, the very arrays of an `.npz` file. In a package's pyproject.toml::

        [project.entry-points."evonas.data"]
        flowers = "my_package.flowers:load"

    Raises:
        DataError: It cannot be imported, raises, or returns something else.
    """
    point = plugins().get(source)
    if point is None:
        return None
    try:
        arrays = point.load()()
    except Exception as error:  # foreign code raises anything
        raise DataError(f"Data '{source}' ({point.value}) failed: {type(error).__name__}: {error}") from error
    if not isinstance(arrays, Mapping):
        raise DataError(
            f"Expected '{source}' ({point.value}) to return a mapping of arrays, got {type(arrays).__name__}"
        )
    return from_arrays(arrays, source, options.layout, options.group)
