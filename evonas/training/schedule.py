"""Learning rates over a training.

References:
    .. [Loshchilov2017] Loshchilov, Hutter: SGDR, ICLR 2017, arXiv 1608.03983.
    .. [Xu2020] Xu et al.: PC-DARTS, ICLR 2020, arXiv 1907.05737.
"""

from __future__ import annotations

import math

from evonas.training.recipe import TrainingRecipe


def learning_rate(recipe: TrainingRecipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of an update.

    Args:
        recipe: Rate, its end, shape of the fall, warm-up and tail ([Loshchilov2017]_ equation 5 without
            restarts; the linear fall with a tail is that of [Xu2020]_'s published code).
        step: Updates done before, in [0, epochs * steps_per_epoch].
        steps_per_epoch: Updates per epoch, at least 1.
    """
    unit = 1.0 if recipe.per == "epoch" else 1.0 / steps_per_epoch
    done = float(step // steps_per_epoch) if recipe.per == "epoch" else step / steps_per_epoch
    left = recipe.epochs - done
    if recipe.schedule == "cosine":
        share = 0.5 * (1 + math.cos(math.pi * done / recipe.epochs))
    elif recipe.schedule == "constant":
        share = 1.0
    elif left > recipe.tail:
        share = (left - recipe.tail) / (recipe.epochs - recipe.tail)
    else:
        share = left / ((recipe.epochs - recipe.tail) * max(recipe.tail, 1))
    rate = recipe.lr_end + (recipe.lr - recipe.lr_end) * share
    return rate * min(1.0, (done + unit) / recipe.warm_up) if recipe.warm_up else rate
