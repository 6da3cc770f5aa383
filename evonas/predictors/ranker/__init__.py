"""Ranker: what orders architectures by all that is known of them, a few trainings (anchors) among it.

- `JointScore` joins scores that cost no training, and is the ranker where there are no anchors.
- `SignalEncoder` makes `Signals` of architectures; `Ranker` learns from anchors and predicts, with uncertainty.
- `propose_anchors` says what to train next.
- `fuse_levels` brings trainings of several fidelities to one scale, `Calibration` turns scores into accuracies.
"""

from evonas.predictors.ranker.calibration import Calibration
from evonas.predictors.ranker.joint_score import FREE_SCORES, JointScore
from evonas.predictors.ranker.levels import Fused, fuse_levels
from evonas.predictors.ranker.proposals import propose_anchors
from evonas.predictors.ranker.ranker import Ranker, shared_weight
from evonas.predictors.ranker.signals import SignalEncoder, Signals

__all__ = [
    "FREE_SCORES",
    "Calibration",
    "Fused",
    "JointScore",
    "Ranker",
    "SignalEncoder",
    "Signals",
    "fuse_levels",
    "propose_anchors",
    "shared_weight",
]
