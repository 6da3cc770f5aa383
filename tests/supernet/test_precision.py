from __future__ import annotations

import itertools

import pytest
import torch

from evonas.errors import SettingsError
from evonas.supernet import SupernetSettings, train_supernet
from evonas.supernet.precision import compiled_blocks

pytestmark = pytest.mark.filterwarnings("ignore")  # the compiler's own


def paths(network):
    options = ("conv", "separable", "skip")
    return [network.space.path(network.space.parse("-".join(o))) for o in itertools.product(options, repeat=3)]


def test_a_path_switch_never_recompiles(make_network, data):
    """Each of the six candidates that compute is compiled once; all 27 paths, twice, add nothing."""
    compiled = []

    def count(graph, inputs):
        compiled.append(graph)
        return graph.forward

    network, images = make_network(), data.normalize(data.train.images[:8])
    expected = [network.eval()(images, path) for path in paths(network)]
    network.train()
    with compiled_blocks(network, count) as blocks:
        assert blocks == 6
        for path in paths(network)[::-1] + paths(network):
            network(images, path).sum().backward()
        assert len(compiled) == 6
    after = [network.eval()(images, path) for path in paths(network)]
    assert len(compiled) == 6
    assert all(one.shape == other.shape for one, other in zip(expected, after, strict=True))


@pytest.mark.slow
def test_compiled_blocks_compute_the_same(make_network, data):
    torch.compiler.reset()
    network, images = make_network(), data.normalize(data.train.images[:8])
    chosen = paths(network)[1]
    plain = network.eval()(images, chosen)
    try:
        with compiled_blocks(network):
            quick = network(images, chosen)
    except torch._dynamo.exc.BackendCompilerFailed as error:
        pytest.skip(f"no compiler here: {error}")
    torch.testing.assert_close(quick, plain, rtol=1e-4, atol=1e-5)


def test_half_precision_trains_and_keeps_weights_in_full(make_network, data):
    weights = []
    for precision in ("float32", "bfloat16"):
        network = make_network()
        history = train_supernet(
            network, data, "disturbance-immune", SupernetSettings(epochs=2, batch_size=8, precision=precision)
        )
        weights.append(network.stem[0].weight.detach().clone())
        assert weights[-1].dtype == torch.float32
        assert history.epochs[-1]["loss"] < 1.5
    assert not torch.equal(*weights)


@pytest.mark.parametrize("option", [{"precision": "float16"}, {"compiled": True}])
def test_what_cannot_be_is_refused(option, make_network, data):
    with pytest.raises(SettingsError, match=r"precision of|captures inputs"):
        train_supernet(make_network(), data, "disturbance-immune", SupernetSettings(epochs=1, **option))
