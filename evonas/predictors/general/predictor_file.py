"""Files of general predictors: weights in safetensors, and a card in JSON that says what they were learned from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import DataError
from evonas.files.whole import write_whole
from evonas.predictors.encoders.traits import TRAITS
from evonas.predictors.general.general import GeneralPredictor

__all__ = ["PredictorFile", "TrainedOn", "open_predictor", "read_predictor", "shipped_predictor", "write_predictor"]

FORMAT = "evonas general predictor"
VERSION = 1
"""Of traits and of the file: a predictor learned from other traits means nothing."""
WHOLE = "whole"
"""Name of the predictor that learned from all tables."""
SHIPPED = Path(__file__).parent / "shipped" / "general.safetensors"


@dataclass(frozen=True)
class TrainedOn:
    """A table that a predictor learned from.

    Attributes:
        table: Name of its file.
        space: Its space.
        column: What was predicted.
        rows: Rows learned from.
        source: Where it is published.
        licence: Under which licence.
    """

    table: str
    space: str
    column: str
    rows: int
    source: str
    licence: str


@dataclass(frozen=True)
class PredictorFile:
    """Predictor and what is known of it.

    Attributes:
        whole: Learned from all tables.
        without: By the name of a space, learned from the tables of all others.
        tables: What it learned from.
        judged: By the name of a space, what the variant without it reaches there: ``spearman``, ``flops`` and ``n``.
        digest: Of the weights and the card; where it differs, so do predictions.
    """

    whole: GeneralPredictor
    without: Mapping[str, GeneralPredictor]
    tables: Sequence[TrainedOn]
    judged: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    digest: str = ""

    def for_space(self, space: str) -> tuple[GeneralPredictor, str]:
        """Return the predictor that may be judged on a space, and its name: it has seen nothing of that space."""
        if space in self.without:
            return self.without[space], f"general without {space}"
        return self.whole, "general"

    @property
    def card(self) -> dict[str, Any]:
        """What people want to know of it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "traits": list(self.whole.weights),
            "tables": [asdict(table) for table in self.tables],
            "leave_one_space_out": {space: dict(figures) for space, figures in self.judged.items()},
        }


def write_predictor(path: str | os.PathLike[str], predictor: PredictorFile) -> None:
    """Write a file, whole: the card is in its header.

    Raises:
        DataError: A space has the name by which the predictor of all tables is stored.
    """
    from safetensors.numpy import save

    if WHOLE in predictor.without:
        raise DataError(f"A space named '{WHOLE}' cannot be left out of a predictor: give it another name")
    tensors = {name: _tensor(one) for name, one in {WHOLE: predictor.whole, **predictor.without}.items()}
    write_whole(Path(path), save(tensors, {"card": json.dumps(predictor.card, sort_keys=True)}))


def read_predictor(path: str | os.PathLike[str]) -> PredictorFile:
    """Read a file that `write_predictor` wrote.

    Raises:
        DataError: It is missing, damaged, or of another version.
    """
    import hashlib

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            header = (opened.metadata() or {}).get("card", "")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping
        card = json.loads(header) if header else {}
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(f"Expected a predictor in {path}, got a file that cannot be read: {error}") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise DataError(f"Expected a predictor that `evonas predictors train` wrote in {path}, got another file")
    if card.get("version") != VERSION:
        raise DataError(
            f"Expected a predictor of version {VERSION} in {path}, got {card.get('version')!r:.20}: train it again "
            "with `evonas predictors train`"
        )
    try:
        names = [str(name) for name in card["traits"]]
        found = {name: _predictor(names, tensor) for name, tensor in tensors.items()}
        tables = [TrainedOn(**table) for table in card["tables"]]
        judged = {str(space): _figures(figures) for space, figures in card["leave_one_space_out"].items()}
        whole = found.pop(WHOLE)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"The predictor in {path} is damaged: {type(error).__name__}: {error}") from None
    digest = hashlib.sha256(header.encode() + b"".join(tensors[name].tobytes() for name in sorted(tensors)))
    return PredictorFile(whole, found, tables, judged, digest.hexdigest()[:16])


def shipped_predictor() -> PredictorFile:
    """Return the predictor that comes with the package.

    Raises:
        DataError: The package is incomplete.
    """
    return read_predictor(SHIPPED)


def open_predictor(name: str | os.PathLike[str]) -> PredictorFile | None:
    """Return the predictor of a file; ``"shipped"``: the one that comes with the package; ``"none"``: there is none.

    Raises:
        DataError: The file is missing, damaged, or of another version.
    """
    if str(name) == "shipped":
        return shipped_predictor()
    return None if str(name) == "none" else read_predictor(name)


def _tensor(predictor: GeneralPredictor) -> np.ndarray:
    return np.array(list(predictor.weights.values()), dtype=np.float64)


def _predictor(names: Sequence[str], tensor: np.ndarray) -> GeneralPredictor:
    if tensor.shape != (len(names),) or not np.isfinite(tensor).all():
        raise ValueError(f"weights of shape {tensor.shape} for {len(names)} traits")
    if len(set(names)) < len(names) or not set(names) <= set(TRAITS):
        raise ValueError(f"expected traits of {', '.join(TRAITS)}, each once, got {', '.join(names)}")
    return GeneralPredictor(dict(zip(names, tensor.tolist(), strict=True)))


def _figures(figures: Mapping[str, float]) -> dict[str, float]:
    """Return what a variant reaches in a space that it has not seen; all three figures are there."""
    found = {name: figures[name] for name in ("spearman", "flops", "n")}
    if not all(isinstance(value, int | float) for value in found.values()):
        raise ValueError(f"expected numbers, got {found}")
    return found
