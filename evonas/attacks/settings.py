"""Settings of an attack on a classifier, known without importing torch.

References:
    .. [Goodfellow2015] Goodfellow, Shlens, Szegedy: Explaining and Harnessing Adversarial Examples, ICLR 2015,
       arXiv 1412.6572.
    .. [Madry2018] Madry et al.: Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018,
       arXiv 1706.06083.
    .. [Croce2020] Croce, Hein: Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
       Parameter-free Attacks, ICML 2020, arXiv 2003.01690.
    .. [Andriushchenko2020] Andriushchenko et al.: Square Attack, ECCV 2020, arXiv 1912.00049.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal

from evonas.errors import MissingExtraError, SettingsError, suggest

__all__ = ["ATTACKS", "AttackKind", "AttackSettings"]


@dataclass(frozen=True)
class AttackKind:
    """A kind of attack.

    Attributes:
        title: What it is called.
        text: What it does, in half a sentence.
        steps: Steps, or queries of an attack without gradients, unless asked otherwise; None: it takes no number.
        own: Whether it is the package's own, so that no extra is needed.
        gradients: Whether it needs the model's gradients.
        starts: Whether it takes a number of random starts.
    """

    title: str
    text: str
    steps: int | None
    own: bool = False
    gradients: bool = True
    starts: bool = True


ATTACKS: Mapping[str, AttackKind] = MappingProxyType(
    {
        "fgsm": AttackKind("FGSM", "one step along the gradient's sign", None, own=True, starts=False),
        "pgd": AttackKind("PGD", "steps along the gradient from a random start", 10, own=True),
        "apgd": AttackKind("APGD", "PGD with steps that adapt; needs the extra robust", 20),
        "square": AttackKind("Square", "random squares, no gradient; needs the extra robust", 500, gradients=False),
        "autoattack": AttackKind(
            "AutoAttack", "APGD, DeepFool and Square in turn; needs the extra robust", None, starts=False
        ),
    }
)
"""Kinds of attacks by the name that a text begins with."""

AUTOATTACK_GRADIENTS = 2000
"""Gradients that AutoAttack as the toolbox has it takes of an image, about: APGD by two losses, 100 steps from 5 starts
each, and DeepFool, up to 10 classes in each of 100 steps."""
AUTOATTACK_QUERIES = 25_000
"""Outputs that its Square asks for beside: 5,000 from each of 5 starts."""


@dataclass(frozen=True)
class AttackSettings:
    """Kind and strength of an attack.

    Attributes:
        kind: Key of `ATTACKS`.
        epsilon: Most that an image is changed, of values in [0, 1], by the norm.
        norm: ``linf``: of each pixel; ``l2``: Euclidean, of all pixels of an image together.
        steps: Steps or queries; 1 of a kind that takes no number.
        restarts: Random starts of which any may succeed.

    Raises:
        SettingsError: A number out of its range, or a kind that there is not.
    """

    kind: str
    epsilon: float
    norm: Literal["linf", "l2"] = "linf"
    steps: int = 1
    restarts: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ATTACKS:
            raise SettingsError(
                f"Unknown attack '{self.kind}': expected one of {', '.join(ATTACKS)}.{suggest(self.kind, ATTACKS)}"
            )
        if not self.epsilon >= 0 or (self.norm == "linf" and self.epsilon > 1) or self.epsilon == float("inf"):
            least = "0 to 1, as images are" if self.norm == "linf" else "a finite distance, 0 or more"
            raise SettingsError(f"Expected an epsilon of {least}, such as 4/255, got {self.epsilon:g}")
        if self.steps < 1 or self.restarts < 1:
            raise SettingsError(f"Expected at least one step and one start, got {self.steps} and {self.restarts}")

    @property
    def text(self) -> str:
        """The attack in words, such as ``PGD-10, each pixel by 4/255 at most``."""
        kind = ATTACKS[self.kind]
        number = "" if kind.steps is None else f"-{self.steps}"
        starts = f", {self.restarts} starts" if self.restarts > 1 else ""
        size = "each pixel by" if self.norm == "linf" else "an image's distance by"
        return f"{kind.title}{number}{starts}, {size} {_fraction(self.epsilon)} at most"

    @property
    def passes(self) -> int:
        """Clean readings of the same images that it costs at most, by count: a gradient counts as two more."""
        if self.kind == "autoattack":
            return 2 + 3 * AUTOATTACK_GRADIENTS + AUTOATTACK_QUERIES
        return 2 + (3 if self.needs_gradients else 1) * self.restarts * self.steps

    @property
    def needs_gradients(self) -> bool:
        """Whether it needs the model's gradients, which an ONNX file alone does not give."""
        return ATTACKS[self.kind].gradients

    def check_installed(self) -> None:
        """Refuse an attack whose package is not installed.

        Raises:
            MissingExtraError: It is the toolbox's, which is not there; the message holds the command that installs it.
        """
        if not ATTACKS[self.kind].own and find_spec("art") is None:
            raise MissingExtraError(
                f"The attack '{self.kind}' needs the package 'adversarial-robustness-toolbox', which is not installed: "
                "run  pip install 'evonas[robust]', or use fgsm or pgd"
            )


def _fraction(epsilon: float) -> str:
    """Return an epsilon as people write it: ``4/255`` where it is whole levels of 8 bits, else a number."""
    levels = round(epsilon * 255, 9)
    return f"{levels:g}/255" if epsilon and levels == round(levels) else f"{epsilon:g}"
