"""Registry of regressors that read arrays, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType

from evonas.predictors.regressors.boosted_trees import BoostedTrees
from evonas.predictors.regressors.gaussian_process import GaussianProcess
from evonas.predictors.regressors.regressor import Regressor
from evonas.predictors.regressors.ridge import Ridge

__all__ = ["REGRESSORS"]

_installed: dict[str, Callable[[], Regressor]] = {"gaussian-process": GaussianProcess, "ridge": Ridge}
if find_spec("lightgbm"):
    _installed["lightgbm"] = BoostedTrees
REGRESSORS: Mapping[str, Callable[[], Regressor]] = MappingProxyType(_installed)
"""Name -> class, in the order of preference among equals; those of packages that are not installed are left out."""
