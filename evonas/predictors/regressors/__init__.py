"""Regressors: one number, learned from features of architectures; one file each, behind the contract `Regressor`."""

from evonas.predictors.regressors.boosted_trees import BoostedTrees
from evonas.predictors.regressors.gaussian_process import GaussianProcess
from evonas.predictors.regressors.registry import REGRESSORS
from evonas.predictors.regressors.regressor import Regressor
from evonas.predictors.regressors.ridge import Ridge

__all__ = ["REGRESSORS", "BoostedTrees", "GaussianProcess", "Regressor", "Ridge"]
