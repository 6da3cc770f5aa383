"""Manifest of a run: where and with what it was made, and what of it forbids to go on elsewhere."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from evonas.files.processor import processor
from evonas.runs.store import SCHEMA

_LIBRARIES = ("torch", "numpy", "pymoo", "moocore", "onnx", "onnxruntime", "onnxscript", "scikit-learn")
_DECIDING = ("schema", "seed", "space", "data")  # a run made with another one of these has other results


def new_manifest(*, seed: int, space: Any = None, data: Any = None, **more: Any) -> dict[str, Any]:
    """Return what a run must remember of where and with what it was made.

    Args:
        seed: The seed of everything.
        space: What distinguishes the space from others, such as its name and a fingerprint.
        data: The same of the data.
        more: Further entries.
    """
    return {
        "schema": SCHEMA,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seed": seed,
        "space": space,
        "data": data,
        "versions": _versions(),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "timings": {},
        **more,
    }


def compare_manifest(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what differs between a run's manifest and this process's.

    Args:
        old: The manifest in the run directory.
        new: What `new_manifest` gives now.

    Returns:
        Differences that forbid to continue (schema, seed, space, data), and those that deserve a warning, for
        results may differ in their last bits (versions, machine); each as "name: old in the run, new now".
    """
    warn = [line for group in ("versions", "machine") for line in _differences(old.get(group, {}), new.get(group, {}))]
    return _differences(old, new, _DECIDING), warn


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str] | None = None) -> list[str]:
    names = dict.fromkeys([*old, *new]) if names is None else names
    pairs = ((name, old.get(name), new.get(name)) for name in names)
    return [f"{name}: {before} in the run, {now} now" for name, before, now in pairs if before != now]


def _versions() -> dict[str, str | None]:
    from evonas.version import __version__

    versions: dict[str, str | None] = {"evonas": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions
