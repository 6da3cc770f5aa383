"""Weight sharing: one set of weights that every architecture of a space can run on.

`train_supernet` trains them, `PathEvaluator` evaluates architectures with them::

    network = evonas.build(space, skeleton)
    train_supernet(network, data, "disturbance-immune", SupernetSettings(epochs=20))
    score = PathEvaluator(network, data, data.search)(architecture)

Training
    `train_supernet` by `SupernetSettings`, and the `History` that it returns; `make_sampler` makes a `Sampler` of
    paths by a name in `SAMPLINGS`.
Update rules
    How the weights are updated is an `UpdateRule`: it plans the passes (`Pass`) that make the next update, and may
    transform the optimizer's final update before it is applied. `RULES` holds those that ship, by name; any factory
    `(RuleContext) -> UpdateRule` will do. Of the layers' inputs a rule is given what its `summary` keeps.
Evaluation
    `PathEvaluator`; `reestimate_norms` sets the statistics of batch norms for one path.
Checkpoints
    `load_weights`, `weights_fingerprint`.

Parameters, momentum and projectors off the path do not move, nor do entries of elastic weights outside the part in
use. The rules are one file each in `evonas.supernet.rules`, optimizers in `sgd` and `adam`, forgetting values in
`forgetting`, several processes in `parallel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.supernet.checkpoint import load_weights, weights_fingerprint
    from evonas.supernet.evaluate import PathEvaluator
    from evonas.supernet.norms import reestimate_norms
    from evonas.supernet.rules.contract import Pass, RuleContext, UpdateRule
    from evonas.supernet.rules.registry import RULES
    from evonas.supernet.sampling import SAMPLINGS, Sampler, make_sampler
    from evonas.supernet.settings import SupernetSettings
    from evonas.supernet.train import History, train_supernet

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "checkpoint": ("load_weights", "weights_fingerprint"),
        "evaluate": ("PathEvaluator",),
        "norms": ("reestimate_norms",),
        "rules.contract": ("Pass", "RuleContext", "UpdateRule"),
        "rules.registry": ("RULES",),
        "sampling": ("SAMPLINGS", "Sampler", "make_sampler"),
        "settings": ("SupernetSettings",),
        "train": ("History", "train_supernet"),
    },
)

__all__ = [
    "RULES",
    "SAMPLINGS",
    "History",
    "Pass",
    "PathEvaluator",
    "RuleContext",
    "Sampler",
    "SupernetSettings",
    "UpdateRule",
    "load_weights",
    "make_sampler",
    "reestimate_norms",
    "train_supernet",
    "weights_fingerprint",
]
