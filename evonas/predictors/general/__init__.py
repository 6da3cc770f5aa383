"""General predictor: what trainings of some spaces teach about architectures of any.

- `GeneralPredictor` scores traits; `fit_general` learns one from tables of several spaces.
- `PredictorFile` is one on disk, with the variants that leave a space out; `read_predictor` and `write_predictor`.
- `shipped_predictor` reads the one that comes with the package.
"""

from evonas.predictors.general.general import GENERAL_TRAITS, GeneralPredictor, TraitTable, fit_general
from evonas.predictors.general.predictor_file import (
    PredictorFile,
    TrainedOn,
    open_predictor,
    read_predictor,
    shipped_predictor,
    write_predictor,
)

__all__ = [
    "GENERAL_TRAITS",
    "GeneralPredictor",
    "PredictorFile",
    "TrainedOn",
    "TraitTable",
    "fit_general",
    "open_predictor",
    "read_predictor",
    "shipped_predictor",
    "write_predictor",
]
