"""What a user ships: trained members, and the folder of a deployed one.

`train_members` trains members of a run's front into its folder ``models/`` and notes the accuracy in the run's
store; `deploy` turns a member into a folder with a checked ``model.onnx``, never training::

    train_members(run, "knee", "quick")
    deployment = deploy(run, "knee", "digit-reader")
    print(*summary(deployment), sep="\\n")

Every folder with a ``network.toml`` and its weights is rebuilt by `load_model`. Test images are read here alone:
once by `train_members`, after training, and by `deploy`.
"""

from evonas.deploy.choice import Choice, choose
from evonas.deploy.deployment import Deployment, summary
from evonas.deploy.fresh_process import Fresh, run_fresh
from evonas.deploy.judge import Figures
from evonas.deploy.largest import largest
from evonas.deploy.make import deploy
from evonas.deploy.member import train_members
from evonas.deploy.model import UnitInput, load_model, model_files
from evonas.deploy.quantize import quantize
from evonas.deploy.trained import Trained, agreement, trained_models, training_summary

__all__ = [
    "Choice",
    "Deployment",
    "Figures",
    "Fresh",
    "Trained",
    "UnitInput",
    "agreement",
    "choose",
    "deploy",
    "largest",
    "load_model",
    "model_files",
    "quantize",
    "run_fresh",
    "summary",
    "train_members",
    "trained_models",
    "training_summary",
]
