"""Head: how wide a task's networks end, and how their outputs become a deployed model's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn


@dataclass(frozen=True)
class Head:
    """The end of a task's networks, and what follows it in a deployed model.

    A network of any space ends with one linear layer of `outputs`; losses and measures read what that gives. A
    deployed model ends with the module that `readout` makes, and so gives what people ask of it.

    Attributes:
        outputs: Width of the linear layer, 1 or more; 0: not known, which only who builds a network must know.
        answer: ``"class"``: a deployed model gives one output for each class, of which the largest is the answer, so
            that it must agree with torch on that; ``"values"``: its outputs are the answer.
        readout: Makes the module that turns outputs of a network, shape (n, outputs), into those of the deployed
            model, shape (n, answers); by default they stay as they are.
    """

    outputs: int
    answer: Literal["class", "values"] = "values"
    readout: Callable[[], nn.Module] = nn.Identity
