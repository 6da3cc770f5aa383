"""A network as files that rebuild it: weights, what it is, and its space."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from evonas.data import Dataset
from evonas.data.preprocessing import preprocessing_of
from evonas.errors import EvonasError, RunError
from evonas.files.toml import to_toml
from evonas.networks import Network, build
from evonas.networks.averaged import Averaged
from evonas.networks.unit_input import Tempered, UnitInput
from evonas.runs.training_record import WEIGHTS
from evonas.spaces import Skeleton, load_space
from evonas.tasks import make_task, task_names

FORMAT = 1
NETWORK, SPACE = "network.toml", "space.toml"
PREPROCESS = "preprocess.json"
MEMBERS = "members"
"""Folder of an ensemble's networks, each in a folder of its own."""


@dataclass(frozen=True)
class StoredTargets:
    """Data that a model was trained on, as its files hold them, as far as its task needs it."""

    task: str
    classes: tuple[str, ...]
    target_mean: tuple[float, ...]
    target_std: tuple[float, ...]
    class_weights: tuple[float, ...] | None = None


def _text_within(network: Network) -> str:
    """Return an architecture's text in its space: a resolution that the search chose stands in the skeleton alone."""
    architecture = network.architecture
    if architecture is None or network.space.definition.resolutions:
        return str(architecture)
    return str(architecture.without_resolution())


def model_files(network: Network, data: Dataset, temperature: float | None = None) -> dict[str, bytes]:
    """Return the files that `load_model` rebuilds a network from, by name.

    Args:
        network: Stand-alone network, on any device.
        data: What it was trained on: classes and normalization.
        temperature: What its deployed model divides logits by; None: nothing.

    Returns:
        ``weights.safetensors``, the plain state dict; ``network.toml``, architecture, skeleton, classes and
        normalization; ``space.toml``, the space's own file; ``preprocess.json``, what a photo becomes.
    """
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    content = {
        "format": FORMAT,
        "space": network.space.name,
        "architecture": _text_within(network),
        "classes": list(data.classes),
        "skeleton": asdict(network.skeleton),
        "normalization": {"mean": list(data.mean), "std": list(data.std), "scale": data.scale},
    }
    if temperature is not None:
        content["temperature"] = float(temperature)
    if data.task != "classification":
        content["task"] = data.task
    if not data.labeled:
        content["targets"] = {"mean": list(data.target_mean), "std": list(data.target_std)}
    space = network.space.definition.model_dump(mode="json", exclude_defaults=True)
    return {
        WEIGHTS: save(weights, {"format": "pt"}),
        NETWORK: to_toml(content).encode(),
        SPACE: to_toml(space).encode(),
        PREPROCESS: to_json(preprocessing_of(data)).encode(),
    }


def load_model(folder: str | Path, *, unit_input: bool = False) -> nn.Module:
    """Rebuild a network from a folder of a trained or deployed model.

    Args:
        folder: Holds ``weights.safetensors``, ``network.toml`` and ``space.toml``.
        unit_input: Let it take values in [0, 1], and give what its task reads out, such as continuous targets in
            their own units, as the ONNX file does; else normalized images, and outputs as they are.

    Returns:
        The network on the CPU, in evaluation mode; of an ensemble's folder its networks as one.

    Raises:
        RunError: A file is missing or damaged, the weights are of another network, or the task is of a package that
            is not installed.
    """
    folder = Path(folder)
    if (folder / MEMBERS).is_dir():
        return _load_ensemble(folder, unit_input)
    for name in (WEIGHTS, NETWORK, SPACE):
        if not (folder / name).is_file():
            raise RunError(f"Expected a model in {folder}, but it has no {name}: name a folder of models/")
    try:
        content = tomllib.loads((folder / NETWORK).read_text(encoding="utf-8-sig"))
        if content["format"] != FORMAT:
            raise RunError(
                f"Expected format {FORMAT} in {folder / NETWORK}, got {content['format']}: use the evonas that wrote it"
            )
        table: dict[str, Any] = content["skeleton"]
        # TOML has lists where a skeleton has tuples.
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in table.items()}
        skeleton = Skeleton(**values)
        space = load_space(folder / SPACE)
        architecture = space.canonical(space.parse(content["architecture"]))
        network = build(space, skeleton, architecture)
        network.load_state_dict(load_file(folder / WEIGHTS))
        normalization = content["normalization"]
        readout = _readout(content, folder) if unit_input else None
        wrapped = UnitInput(network, normalization["mean"], normalization["std"], readout)
    except RunError:
        raise
    except (OSError, EvonasError, SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        cause = " ".join(str(error).split())[:240]
        raise RunError(f"The model in {folder} is damaged ({cause}): train or deploy it again") from error
    return (wrapped if unit_input else network).eval()


def _load_ensemble(folder: Path, unit_input: bool) -> nn.Module:
    """Rebuild the networks of a deployed ensemble, whose probabilities are averaged.

    Raises:
        RunError: There are none, or one is damaged.
    """
    folders = sorted(one for one in (folder / MEMBERS).iterdir() if one.is_dir())
    if not folders:
        raise RunError(f"Expected networks in {folder / MEMBERS}, found none: make the ensemble again")
    network = Averaged([load_model(one) for one in folders])
    normalization = tomllib.loads((folders[0] / NETWORK).read_text(encoding="utf-8-sig"))["normalization"]
    wrapped = UnitInput(network, normalization["mean"], normalization["std"])
    return (wrapped if unit_input else network).eval()


def _readout(content: Mapping[str, Any], folder: Path) -> nn.Module | None:
    """Return what follows a network: a temperature, or what reads out a task other than classification.

    Raises:
        RunError: Nothing installed has that task.
    """
    if "temperature" in content:
        return Tempered(float(content["temperature"]))
    if "task" not in content:
        return None
    if content["task"] not in task_names():
        raise RunError(
            f"The model in {folder} is of the task '{content['task']}', which no installed package has: install the "
            "package that adds it (entry points evonas.tasks)"
        )
    targets = content.get("targets", {})
    mean, std = (tuple(map(float, targets.get(name, ()))) for name in ("mean", "std"))
    return make_task(StoredTargets(content["task"], tuple(content["classes"]), mean, std)).head.readout()


def to_json(content: object) -> str:
    """Return JSON for people and programs; numbers are finite."""
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
