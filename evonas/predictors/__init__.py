"""Predictors: objectives learned from evaluations.

- `encoders`: architectures as what a regressor learns from, behind the contract `Encoder` (describe, fit, transform).
- `regressors`: one number learned from features, behind the contract `Regressor`.
- `fit_predictor` learns a number by the one of the regressors that ranks unseen architectures best, and says how
  well each does: `RegressorChoice`.

All by scikit-learn and, where installed, LightGBM; nothing is random, so equal evaluations give equal predictions.
"""

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.predictors.encoders import Described, Encoder, TokenEncoder, Tokens, token_groups
    from evonas.predictors.predictor import Predictor, RegressorChoice, fit_predictor
    from evonas.predictors.regressors import REGRESSORS, Regressor
    from evonas.predictors.scale import ScoreScale

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "encoders": ("Described", "Encoder", "TokenEncoder", "Tokens", "token_groups"),
        "predictor": ("Predictor", "RegressorChoice", "fit_predictor"),
        "regressors": ("REGRESSORS", "Regressor"),
        "scale": ("ScoreScale",),
    },
)

__all__ = [
    "REGRESSORS",
    "Described",
    "Encoder",
    "Predictor",
    "Regressor",
    "RegressorChoice",
    "ScoreScale",
    "TokenEncoder",
    "Tokens",
    "fit_predictor",
    "token_groups",
]
