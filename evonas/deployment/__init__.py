"""Shipping of members: trained ones, and the folder of a deployed one.

`train_members` trains members of a run's front into its folder ``models/`` and notes the accuracy in the run's
store; `deploy` turns a member into a folder with a checked ``model.onnx``, never training::

    train_members(run, "knee", "quick")
    deployment = deploy(run, "knee", "digit-reader")
    print(*deployment_summary(deployment), sep="\\n")

Every folder with a ``network.toml`` and its weights is rebuilt by `load_model`. Of a run, test images are read in this
room alone, after the search: by `train_members`, `deploy`, `verify` and what plain transfer is measured on.
"""

from evonas.deployment.check import Figures
from evonas.deployment.compression.qdq import quantize
from evonas.deployment.deployment import Deployment, deployment_summary
from evonas.deployment.isolated_check import Fresh, run_fresh
from evonas.deployment.member import train_members
from evonas.deployment.model import load_model, model_files
from evonas.deployment.ranking import verify_ranking
from evonas.deployment.ranking_check import RankedNetwork, RankingCheck
from evonas.deployment.trained import Trained, estimate_agreement, trained_models, training_summary
from evonas.networks.unit_input import UnitInput

__all__ = [
    "Deployment",
    "Figures",
    "Fresh",
    "RankedNetwork",
    "RankingCheck",
    "Trained",
    "UnitInput",
    "deployment_summary",
    "estimate_agreement",
    "load_model",
    "model_files",
    "quantize",
    "run_fresh",
    "train_members",
    "trained_models",
    "training_summary",
    "verify_ranking",
]
