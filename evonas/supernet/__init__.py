"""Weight sharing: one set of weights that every architecture of a space can run on.

`train_supernet` trains them, `PathEvaluator` reads how good an architecture is with them:

    network = evonas.build(space, skeleton)
    train_supernet(network, data, "disturbance-immune", epochs=20)
    score = PathEvaluator(network, data, data.search)(architecture)

How the weights are updated is an `UpdateRule`: it plans which paths make the next update, and may transform
the optimizer's final update before it is applied. `RULES` holds those that ship, by name; any factory
`(RuleContext) -> UpdateRule` will do. Of the layers' inputs a rule is given what its `summary` keeps.
Parameters, momentum and projectors off the path do not move, nor do entries of elastic weights outside the
part in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.supernet.checkpoint import load_weights, read_checkpoint, weights_fingerprint, write_checkpoint
    from evonas.supernet.evaluate import PathEvaluator, measure
    from evonas.supernet.forgetting import Forgetting, ForgettingProbe, summarize
    from evonas.supernet.layers import Call, Inputs, mean_patch, sampled_patches
    from evonas.supernet.norms import reestimate_norms
    from evonas.supernet.projector import Projector, closed_form, woodbury
    from evonas.supernet.rules.contract import Pass, RuleContext, RuleFactory, UpdateRule, draw_from
    from evonas.supernet.rules.disturbance import DisturbanceImmune
    from evonas.supernet.rules.fair import Fair
    from evonas.supernet.rules.gradient_space import GradientSpace
    from evonas.supernet.rules.nsas import NSAS
    from evonas.supernet.rules.protection import STRENGTHS, Protection
    from evonas.supernet.rules.registry import RULES, find_rule
    from evonas.supernet.rules.sandwich import Sandwich
    from evonas.supernet.rules.uniform import Uniform
    from evonas.supernet.sampling import SAMPLINGS, FairSampler, Sampler, Unique, Warm, make_sampler
    from evonas.supernet.sgd import SGD, Updates
    from evonas.supernet.throughput import time_update
    from evonas.supernet.train import History, Progress, train_supernet

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "checkpoint": (
            "load_weights",
            "read_checkpoint",
            "weights_fingerprint",
            "write_checkpoint",
        ),
        "evaluate": (
            "PathEvaluator",
            "measure",
        ),
        "forgetting": (
            "Forgetting",
            "ForgettingProbe",
            "summarize",
        ),
        "layers": (
            "Call",
            "Inputs",
            "mean_patch",
            "sampled_patches",
        ),
        "norms": ("reestimate_norms",),
        "projector": (
            "Projector",
            "closed_form",
            "woodbury",
        ),
        "rules.protection": (
            "STRENGTHS",
            "Protection",
        ),
        "rules.contract": (
            "Pass",
            "RuleFactory",
            "RuleContext",
            "UpdateRule",
            "draw_from",
        ),
        "rules.disturbance": ("DisturbanceImmune",),
        "rules.fair": ("Fair",),
        "rules.gradient_space": ("GradientSpace",),
        "rules.nsas": ("NSAS",),
        "rules.registry": (
            "RULES",
            "find_rule",
        ),
        "rules.sandwich": ("Sandwich",),
        "rules.uniform": ("Uniform",),
        "sampling": (
            "SAMPLINGS",
            "FairSampler",
            "Sampler",
            "Unique",
            "Warm",
            "make_sampler",
        ),
        "sgd": (
            "SGD",
            "Updates",
        ),
        "throughput": ("time_update",),
        "train": (
            "History",
            "Progress",
            "train_supernet",
        ),
    },
)

__all__ = [
    "NSAS",
    "RULES",
    "SAMPLINGS",
    "SGD",
    "STRENGTHS",
    "Call",
    "DisturbanceImmune",
    "Fair",
    "FairSampler",
    "Forgetting",
    "ForgettingProbe",
    "GradientSpace",
    "History",
    "Inputs",
    "Pass",
    "PathEvaluator",
    "Progress",
    "Projector",
    "Protection",
    "RuleContext",
    "RuleFactory",
    "Sampler",
    "Sandwich",
    "Uniform",
    "Unique",
    "UpdateRule",
    "Updates",
    "Warm",
    "closed_form",
    "draw_from",
    "find_rule",
    "load_weights",
    "make_sampler",
    "mean_patch",
    "measure",
    "read_checkpoint",
    "reestimate_norms",
    "sampled_patches",
    "summarize",
    "time_update",
    "train_supernet",
    "weights_fingerprint",
    "woodbury",
    "write_checkpoint",
]
