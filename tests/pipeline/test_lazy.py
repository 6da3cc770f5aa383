"""Images that are decoded as they are read: supernet, its scores and a training are those of images in memory."""

from __future__ import annotations

import torch

from evonas.data import load_data
from evonas.data.lazy_images import LazyImages
from evonas.data.read_options import ReadOptions
from evonas.networks import build
from evonas.spaces import load_space
from evonas.supernet import PathEvaluator, SupernetSettings
from evonas.supernet.train import train_supernet
from evonas.training import load_recipe
from evonas.training.train import train


def outcome(lazy: bool):
    """What a supernet, its path and that path's training come to."""
    data = load_data("digits", limit=120, options=ReadOptions(lazy=lazy))
    assert isinstance(data.train.images, LazyImages) == lazy
    space = load_space("nasbench201")
    skeleton = space.skeleton("small").replace(resolution=8, in_channels=1, classes=10)
    network = build(space, skeleton, seed=0)
    history = train_supernet(network, data, "uniform", SupernetSettings(epochs=1, batch_size=30), augment=data.augment)
    architecture = space.canonical(space.decode(space.cardinalities - 1))
    score = PathEvaluator(network, data, data.search, norm_images=64, batch_size=20)(architecture)
    member = network.extract(architecture)
    training = train(member, data, load_recipe("quick", epochs=1, warm_up=0, batch_size=60))
    return data.fingerprint, history.epochs[0]["loss"], score, training.accuracy, member.state_dict()


def test_results_are_the_same_bit_for_bit():
    *one, weights = outcome(lazy=False)
    *other, again = outcome(lazy=True)
    assert one == other
    assert all(torch.equal(weights[name], again[name]) for name in weights)
