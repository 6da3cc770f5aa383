"""A tiny space, published weights on it, and photos whose class is their color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from evonas.config import Settings, make_settings
from evonas.networks import build
from evonas.spaces import load_space

SPACE = """
name = "tiny"
family = "stage"
source = "made here"
counts = "active configurations"
form = "blocks"
search_resolutions = [16, 24]
padding = "same"

[stem]
channels = 8
activation = "relu6"

[[stages]]
width = 8
kernel = [3]
expand = [1]

[[stages]]
width = 16
stride = 2
blocks = 2
depth = [1, 2]
kernel = [3, 5]
expand = [2, 3]
activation = "relu6"

[head]
features = 32
activation = "relu6"

[skeletons.small]
resolution = 16

[skeletons.proxy]
resolution = 16
"""
ENTRY = """
space = "{space}"
skeleton = "small"
architecture = "k5e3-k5e3"
classes = 10
licence = "made here"

[source]
file = "made.safetensors"

[preprocessing]
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
resolution = 16

[keys]
"stem" = "stem.0"
"stem_norm" = "stem.1"
"b{n}.pw" = "block.expand.conv"
"b{n}.n1" = "block.expand.norm"
"b{n}.dw" = "block.depthwise.conv"
"b{n}.n2" = "block.depthwise.norm"
"b{n}.pwl" = "block.project.conv"
"b{n}.n3" = "block.project.norm"
"head" = "features.0"
"head_norm" = "features.1"
"fc" = "classifier.0"
"""
NAMES = {
    "stem.0": "stem", "stem.1": "stem_norm", "features.0": "head", "features.1": "head_norm", "classifier.0": "fc",
    "expand.conv": "pw", "expand.norm": "n1", "depthwise.conv": "dw", "depthwise.norm": "n2", "project.conv": "pwl",
    "project.norm": "n3",
}  # fmt: skip


def write_published(folder: Path) -> None:
    """Write a tiny space, an entry of weights on it with its file, and photos whose class is their color."""
    (folder / "tiny.toml").write_text(SPACE)
    (folder / "made.toml").write_text(ENTRY.replace("{space}", str(folder / "tiny.toml")))
    space = load_space(folder / "tiny.toml")
    network = build(space, space.skeleton("small"), space.parse("k5e3-k5e3"), seed=1)
    numbers = {"stages.0.0.on.": "b0.", "stages.1.0.on.": "b1.", "stages.1.1.on.": "b2."}
    state = {}
    for key, value in network.state_dict().items():
        layer, _, last = key.rpartition(".")
        block = next((prefix for prefix in numbers if key.startswith(prefix)), "")
        state[f"{numbers.get(block, '')}{NAMES[layer.removeprefix(block)]}.{last}"] = value
    save_file(state, folder / "made.safetensors")
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    pixels = rng.integers(0, 120, (150, 16, 16, 3))
    pixels[np.arange(150), :, :, labels] += 100
    np.savez(folder / "colors.npz", x_train=pixels[:110].astype(np.uint8), y_train=labels[:110],
             x_test=pixels[110:].astype(np.uint8), y_test=labels[110:])  # fmt: skip
    gray = pixels.mean(3).astype(np.uint8)
    np.savez(folder / "gray.npz", x_train=gray[:110], y_train=labels[:110], x_test=gray[110:], y_test=labels[110:])
    small = pixels[:, :8, :8].astype(np.uint8)
    np.savez(folder / "small.npz", x_train=small[:110], y_train=labels[:110], x_test=small[110:], y_test=labels[110:])


def settings(made: Path, **more: object) -> Settings:
    return make_settings(**{"pretrained": str(made / "made.toml"), "data": str(made / "colors.npz"), **more})
