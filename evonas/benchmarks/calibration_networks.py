"""Networks for the study of calibration: random ones, trained alike, and what they say of images."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from evonas.attacks.attack import read_attack
from evonas.data import Part
from evonas.errors import EvonasError, SettingsError
from evonas.files.progress import Progress, Silent
from evonas.files.whole import write_whole
from evonas.networks import Network, build
from evonas.networks.unit_input import UnitInput
from evonas.objectives import Context
from evonas.objectives.contract import fingerprint
from evonas.objectives.robust.corruption import Corruption
from evonas.spaces import Architecture
from evonas.training import TrainingRecipe
from evonas.training.evaluate import read_outputs
from evonas.training.train import train

__all__ = ["ATTACKED", "ReadNetwork", "read_networks"]

ATTACKED = 300
"""Images of the test part that attacks and corruptions are read on, the first of it, at most."""


@dataclass(frozen=True, eq=False)
class ReadNetwork:
    """A trained network's answers.

    Attributes:
        architecture: Text.
        validation: Outputs on both validation parts, which it was not trained on, shape (n, classes).
        validation_labels: Shape (n,).
        test: Outputs on the test part.
        test_labels: Likewise.
        robust: Shares of test images right by name: ``corruption``, and attacks such as ``pgd@2/255x5``.
        network: The network itself, on normalized images.
    """

    architecture: str
    validation: np.ndarray
    validation_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    robust: dict[str, float]
    network: Network


def read_networks(
    context: Context,
    architectures: Sequence[Architecture],
    recipe: TrainingRecipe,
    folder: Path,
    attacks: Sequence[str],
    progress: Progress | None = None,
) -> list[ReadNetwork]:
    """Train networks from fresh weights on the part `train`, and read them on validation and test images.

    Args:
        context: Space, skeleton, data of classes, device and seed.
        architectures: As they are to be built.
        recipe: How they are trained.
        folder: Keeps weights and answers: what was stopped goes on.
        attacks: Texts as `read_attack` takes them.
        progress: Shows how far it is.

    Returns:
        Those whose training did not fail, in order.

    Raises:
        SettingsError: No data, or an attack that is none.
    """
    if context.data is None:
        raise SettingsError("Expected data to train on, got none")
    for attack in attacks:
        read_attack(attack)
    folder.mkdir(parents=True, exist_ok=True)
    data, progress = context.data, progress or Silent()
    key = fingerprint(
        "calibration", 1, context.skeleton, recipe.model_dump(mode="json", exclude={"name", "source"}), context.seed,
        data.fingerprint, context.space.content, context.threads,
    )  # fmt: skip
    found = []
    with progress.task(f"Training on {data.name}", len(architectures)) as task:
        for architecture in architectures:
            name = hashlib.sha256(f"{key} {architecture}".encode()).hexdigest()[:16]
            try:
                network = _network(context, architecture, recipe, folder / f"{name}.safetensors")
                found.append(_read(context, network, str(architecture), folder / f"{name}.npz", attacks))
            except EvonasError as error:
                progress.say(f"{architecture}: {error}")
            task.advance(1)
    return found


def _network(context: Context, architecture: Architecture, recipe: TrainingRecipe, file: Path) -> Network:
    """Return a trained network, from its file where that is whole."""
    assert context.data is not None
    network = build(context.space, context.skeleton, architecture, seed=context.seed)
    if file.exists():
        try:
            network.load_state_dict(load(file.read_bytes()))
            return network.eval()
        except (SafetensorError, RuntimeError):
            file.unlink()  # of another version, or damaged: trained again
    train(network, context.data, recipe, seed=context.seed, device=context.device)
    write_whole(file, save({name: value.contiguous() for name, value in network.cpu().state_dict().items()}))
    return network.eval()


def _read(context: Context, network: Network, text: str, file: Path, attacks: Sequence[str]) -> ReadNetwork:
    """Return a network's answers, from its file as far as it has them."""
    data = context.data
    assert data is not None
    held: dict[str, np.ndarray] = {}
    if file.exists():
        try:
            with np.load(file) as content:
                held = {name: content[name] for name in content.files}
        except (OSError, ValueError, zipfile.BadZipFile):
            file.unlink()
    parts = [data.search, data.report]
    validation = Part(torch.cat([part.images[:] for part in parts]), torch.cat([part.labels for part in parts]))
    before = set(held)
    for name, part in (("validation", validation), ("test", data.test)):
        if name not in held:
            held[name] = read_outputs(network, part, data).cpu().numpy()
    model = UnitInput(network, data.mean, data.std).eval()
    images = data.test.images[:ATTACKED].float() / data.scale
    labels = data.test.labels[:ATTACKED]
    for name in ("corruption", *attacks):
        if f"robust:{name}" not in held:
            perturbation = Corruption() if name == "corruption" else read_attack(name)
            share = perturbation.survivors(model, images, labels, seed=context.seed).double().mean()
            held[f"robust:{name}"] = np.array(float(share))
    if set(held) != before:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **held)  # type: ignore[arg-type]  # numpy's stub takes the names for options
        write_whole(file, buffer.getvalue())
    robust = {name: float(held[f"robust:{name}"]) for name in ("corruption", *attacks)}
    return ReadNetwork(
        text, held["validation"], validation.labels.cpu().numpy(), held["test"], data.test.labels.cpu().numpy(),
        robust, network,
    )  # fmt: skip
