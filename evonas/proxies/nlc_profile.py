"""Profile of a network's nonlinearity: plain data that runs keep and reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["BAND", "NOTE", "ActivationNlc", "ChangedChoice", "NlcProfile", "StageNlc"]

BAND = (1.0, 3.0)
"""Least and greatest coefficient of networks that generalize well: Philipp 2021, arXiv 2105.12210, section 5."""
NOTE = "nlc"
"""Name of the notes of a run that hold profiles."""


@dataclass(frozen=True)
class ActivationNlc:
    """An activation of a network.

    Attributes:
        name: Its module's.
        stage: Part of the network that it stands in.
        kind: Its class, such as ``ReLU``.
        unit: Its coefficient under a unit Gaussian.
        here: Under Gaussians of the mean and spread that each channel of its inputs has.
    """

    name: str
    stage: str
    kind: str
    unit: float
    here: float


@dataclass(frozen=True)
class StageNlc:
    """The network up to the end of a stage.

    Attributes:
        stage: Its last part.
        nlc: Coefficient of that prefix; mean of the logarithms over initializations.
        product: Product of the unit coefficients of activations along the path to its end on which it is greatest.
        depth: Most activations that follow one another up to its end.
    """

    stage: str
    nlc: float
    product: float
    depth: int


@dataclass(frozen=True)
class ChangedChoice:
    """An architecture that differs in one choice.

    Attributes:
        choice: Name of the choice.
        before: What is chosen.
        after: What the other has.
        factor: Its coefficient over the architecture's; mean of the logarithms over equal seeds.
    """

    choice: str
    before: str
    after: str
    factor: float


@dataclass(frozen=True)
class NlcProfile:
    """Nonlinearity of a network, and where it comes from.

    Attributes:
        nlc: Coefficient of the network; mean of the logarithms over initializations.
        low: Lower end of the 95 % interval of that mean, by Student's t; NaN for one initialization.
        high: Upper end.
        repeats: Initializations.
        stages: Prefixes in the order they end; the last is the whole network.
        activations: In the order they run, in the first initialization.
        changes: Architectures that differ in one choice, those that raise the coefficient most first.
        considered: How many such architectures there are; more than `changes` and `failed` where these were drawn.
        failed: Architectures among those measured that have no coefficient: no path leads to their outputs.
    """

    nlc: float
    low: float
    high: float
    repeats: int
    stages: tuple[StageNlc, ...]
    activations: tuple[ActivationNlc, ...]
    changes: tuple[ChangedChoice, ...] = field(default=())
    considered: int = 0
    failed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the profile as JSON knows it; the ends of an interval that is not known are left out."""
        content = asdict(self)
        return {key: value for key, value in content.items() if value == value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> NlcProfile:
        """Return the profile that `to_json` wrote.

        Raises:
            TypeError, KeyError: It is none.
        """
        kinds = {"stages": StageNlc, "activations": ActivationNlc, "changes": ChangedChoice}
        lists = {key: tuple(kind(**one) for one in content[key]) for key, kind in kinds.items()}
        return cls(**{"low": float("nan"), "high": float("nan"), **content, **lists})

    @property
    def most_bent(self) -> ActivationNlc | None:
        """The activation whose coefficient under its own inputs is greatest; None where there is none."""
        return max(self.activations, key=lambda one: one.here, default=None)
