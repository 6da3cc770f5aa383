"""Robustness of an ONNX file: attacks through its torch twin or without gradients, and other changes of images."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from evonas.attacks.attack import Attack
from evonas.errors import SettingsError
from evonas.objectives.robust.contract import Perturbation
from evonas.objectives.robust.corruption import Corruption
from evonas.objectives.robust.names import ROBUST, read_robust
from evonas.runtime import logits

__all__ = [
    "CALIBRATION", "NONE", "STANDARD", "TRUST_IMAGES", "SessionModule", "masking_sentences", "read_trust", "withstood",
]  # fmt: skip

NONE, CALIBRATION, STANDARD = "none", "calibration", "standard"
"""No table; a table without attacks; one with a set of them."""
OWN = ("fgsm@4/255", "pgd@4/255x20r5")
"""Attacks of the standard set that need no extra."""
TOOLBOX = ("apgd@4/255x20", "square@4/255x500", "autoattack@4/255")
"""Those that the extra ``robust`` adds to it."""
UNBOUNDED = Attack("pgd", 1.0, steps=40)
"""An attack that reaches every image there is: what it leaves, no gradient led to."""
TRUST_IMAGES = 1000
"""Test images that are attacked, the first."""
DEVIATIONS = 2.0
"""Standard errors by which an attack without gradients must be stronger to show that gradients are masked."""


class SessionModule(nn.Module):
    """An open ONNX file as a module: images in [0, 1] in, logits out; no gradient passes.

    Args:
        session: Of a model that takes float images.
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        super().__init__()
        self._session = session

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, K)."""
        found = logits(self._session, images.detach().cpu().float().numpy())
        return torch.from_numpy(found).to(images.device)


def read_trust(text: str) -> dict[str, Perturbation]:
    """Return what ``--trust`` names, by name.

    Args:
        text: ``none`` and ``calibration``: nothing; ``standard``; or names as ``robust:`` takes them, with commas:
            ``pgd@4/255x20r5,square``. Corruption of several kinds stands for each of them.

    Raises:
        SettingsError: A name that nothing reads.
        MissingExtraError: One needs what is not installed.
    """
    if text in (NONE, CALIBRATION):
        return {}
    names = [name.strip().removeprefix(ROBUST) for name in text.split(",") if name.strip()]
    if text == STANDARD:
        names = [*OWN, *(TOOLBOX if find_spec("art") is not None else ())]
    if not names:
        raise SettingsError(
            f"Expected --trust {NONE}, {CALIBRATION}, {STANDARD}, or names such as pgd@4/255x20r5,square, got '{text}'"
        )
    found = {key: one for name in names for key, one in _each_kind(name, read_robust(f"{ROBUST}{name}")).items()}
    for one in found.values():
        one.check_installed()
    return found


def _each_kind(name: str, one: Perturbation) -> dict[str, Perturbation]:
    """Return corruption of several kinds as one of each, by name; anything else as it is."""
    if not isinstance(one, Corruption) or len(one.kinds) == 1:
        return {name: one}
    _, slash, severities = name.partition("/")
    return {f"corruption@{kind}{slash}{severities}": replace(one, kinds=(kind,), named=True) for kind in one.kinds}


def withstood(
    perturbations: dict[str, Perturbation],
    session: onnxruntime.InferenceSession,
    twin: nn.Module | None,
    images: Tensor,
    labels: Tensor,
    *,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return a row for each change of images: share that the ONNX file still classifies as labeled, with its interval.

    An attack that needs gradients seeks images through the torch twin, and the file answers for them; what needs none
    is put to the file itself.

    Args:
        perturbations: By name.
        session: The file.
        twin: The torch network that it was made from, images in [0, 1]; None: there is none.
        images: In [0, 1], shape (n, c, h, w).
        labels: Shape (n,).
        seed: Of everything random.

    Raises:
        SettingsError: An attack that needs gradients, and no twin.
    """
    file = SessionModule(session).eval()
    clean = file(images).argmax(1) == labels
    rows = [_row("", "images as they are", "onnxruntime", clean.double(), 0.0)]
    for name, one in perturbations.items():
        began = time.perf_counter()
        if isinstance(one, Attack) and one.needs_gradients:
            if twin is None:
                raise SettingsError(
                    f"The attack '{name}' needs gradients, which an ONNX file does not give: use square, or keep the "
                    "folder's weights.safetensors, network.toml and space.toml beside it"
                )
            changed = one.attempt(twin, images, labels, seed=seed).images
            kept, through = (clean & (file(changed).argmax(1) == labels)).double(), "torch twin, then onnxruntime"
        else:
            kept, through = one.survivors(file, images, labels, seed=seed).double(), "onnxruntime"
        rows.append(_row(name, one.text, through, kept, time.perf_counter() - began))
    return rows


def _row(name: str, text: str, through: str, kept: Tensor, seconds: float) -> dict[str, Any]:
    low, high = _interval(kept.numpy())
    value = float(kept.mean())
    return {
        "name": name, "text": text, "through": through, "value": value, "low": low, "high": high, "images": len(kept),
        "seconds": seconds,
    }  # fmt: skip


def _interval(kept: np.ndarray) -> tuple[float, float]:
    """Return a 95 % interval of a mean: Wilson's where images count whole, else by the normal distribution."""
    from scipy.stats import binomtest

    if set(np.unique(kept)) <= {0.0, 1.0}:
        ends = binomtest(int(kept.sum()), len(kept)).proportion_ci(method="wilson")
        return float(ends.low), float(ends.high)
    half = 1.96 * float(kept.std()) / math.sqrt(len(kept))
    return max(0.0, float(kept.mean()) - half), min(1.0, float(kept.mean()) + half)


def masking_sentences(
    rows: Sequence[dict[str, Any]], twin: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0
) -> list[str]:
    """Return whether gradients can be believed, in sentences; none where no attack by gradients was tried.

    Two checks: an unbounded attack reaches every image, and an attack without gradients is not the stronger one.

    Args:
        rows: As `withstood` gives them.
        twin: The torch network.
        images, labels, seed: As there.
    """
    by_gradients = [row for row in rows if row["through"].startswith("torch") and not row["name"].startswith("fgsm")]
    if not by_gradients:
        return []
    left = float(UNBOUNDED.survivors(twin, images, labels, seed=seed).double().mean())
    found = [
        "An unbounded attack turns every image, as it must."
        if left == 0
        else f"An unbounded attack leaves {100 * left:.1f} % of the images: gradients lead nowhere there, and figures "
        "of attacks that use them are too good."
    ]
    square = next((row for row in rows if row["name"].startswith("square")), None)
    if square is None:
        return [*found, "Square, an attack without gradients, was not tried: it is of the extra robust."]
    same = [row for row in by_gradients if _epsilon(row) == _epsilon(square)]
    if not same:
        return [*found, "Square was tried at another epsilon than attacks by gradients: it says nothing of them."]
    best = min(row["value"] for row in same)
    error = math.sqrt(max(best * (1 - best), 0.25 / square["images"]) / square["images"])
    if square["value"] < best - DEVIATIONS * error:
        found.append(
            f"Square, which uses no gradients, leaves {100 * square['value']:.1f} %, fewer than the {100 * best:.1f} % "
            "of attacks by gradients: these are masked, and Square's figure is nearer the truth."
        )
    else:
        found.append("Square, which uses no gradients, is no stronger than attacks that do: they are not masked.")
    return found


def _epsilon(row: dict[str, Any]) -> tuple[str, float] | None:
    one = read_robust(f"{ROBUST}{row['name']}")
    return (one.norm, one.epsilon) if isinstance(one, Attack) else None
