"""Table of trust of a deployed classifier: made once, when it is deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from evonas.data import Dataset
from evonas.deployment.trust.calibration import calibration_content
from evonas.deployment.trust.temper import FittedTemperature
from evonas.deployment.trust.withstood import TRUST_IMAGES, masking_sentences, withstood
from evonas.objectives.robust.contract import Perturbation
from evonas.objectives.robust.evaluator import unit_images
from evonas.runtime import Model, session

__all__ = ["trust_content"]


def trust_content(
    model: Model,
    twin: nn.Module,
    data: Dataset,
    logits: np.ndarray,
    perturbations: Mapping[str, Perturbation],
    *,
    temperature: FittedTemperature | None,
    folded: bool,
    classes: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """Return what ``card.json`` holds under ``trust``.

    Args:
        model: The ONNX model, images in [0, 1] as floats.
        twin: The torch network that it was made from, likewise; in evaluation mode.
        data: Its test part is read.
        logits: Outputs of the model on the test part, shape (n, K).
        perturbations: What its answers are to withstand, by name.
        temperature, folded: See `calibration_content`.
        classes: Names of the K classes.
        seed: Of everything random.
    """
    pixels, labels = unit_images(data.test, data, TRUST_IMAGES)
    pixels, labels = pixels.cpu(), labels.cpu()
    rows = withstood(dict(perturbations), session(model), twin, pixels, labels, seed=seed)
    plain = logits * temperature if folded and temperature is not None else logits
    return {
        "images": len(data.test.labels),
        "seed": seed,
        "withstood": rows,
        "masking": masking_sentences(rows, twin, pixels, labels, seed=seed),
        "calibration": calibration_content(
            plain,
            data.test.labels.cpu().numpy(),
            classes,
            temperature=None if temperature is None else float(temperature),
            fitted_on=0 if temperature is None else temperature.images,
            folded=folded,
            seed=seed,
        ),
    }
