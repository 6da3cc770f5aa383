"""Ranker: what orders architectures by all that is known of them, a few trainings (anchors) among it.

- `JointScore` joins scores that cost no training, and is the ranker where there are no anchors.
- `SignalEncoder` makes `Signals` of architectures; `Ranker` learns from anchors and predicts, with uncertainty.
- `propose_anchors` says what to train next.
"""

from evonas.predictors.ranker.joint_score import FREE_SCORES, JointScore
from evonas.predictors.ranker.proposals import propose_anchors
from evonas.predictors.ranker.ranker import UNKNOWN_SHORTNESS, Ranker, shared_weight
from evonas.predictors.ranker.signals import SignalEncoder, Signals, StatisticsEncoder

__all__ = [
    "FREE_SCORES",
    "UNKNOWN_SHORTNESS",
    "JointScore",
    "Ranker",
    "SignalEncoder",
    "Signals",
    "StatisticsEncoder",
    "propose_anchors",
    "shared_weight",
]
