"""Predictors: objectives learnt from evaluations.

- `describe` takes an architecture apart, `Encoder` counts the parts and joins statistics that cost nothing.
- `fit_predictor` learns a number by the one of `regressors` that ranks unseen architectures best, and says how well
  each does: `Choice`.

All by scikit-learn; nothing is random, so equal evaluations give equal predictions.
"""

from evonas.predictors.description import describe
from evonas.predictors.encoding import Columns, Encoded, Encoder, Tokens
from evonas.predictors.predictor import Choice, Predictor, Scale, fit_predictor
from evonas.predictors.regressors import Regressor, regressors

__all__ = [
    "Choice",
    "Columns",
    "Encoded",
    "Encoder",
    "Predictor",
    "Regressor",
    "Scale",
    "Tokens",
    "describe",
    "fit_predictor",
    "regressors",
]
