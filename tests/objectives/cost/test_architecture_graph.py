from __future__ import annotations

import json

import pytest
import torch

from evonas.graphs import ComputationGraph, graph_of_module, read_onnx
from evonas.networks import build
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost.architecture_graph import ArchitectureGraphs
from evonas.runtime import export
from evonas.spaces import Candidate, Skeleton, Space, load_space
from tests.conftest import each_space


def exported(space: Space, skeleton: Skeleton, architecture) -> ComputationGraph:
    network = build(space, skeleton, architecture).eval()
    return graph_of_module(network, torch.zeros(1, *skeleton.shape))


def small(space: Space) -> Skeleton:
    return space.skeleton("small", in_channels=3, classes=10)


def check(space: Space, draw, seed: int) -> None:
    skeleton = small(space)
    graphs = ArchitectureGraphs(space, skeleton)
    (written,) = draw(space, 1, canonical=False, seed=seed)
    for architecture in (written, space.canonical(written)):
        graph = graphs(architecture)
        assert graph == exported(space, skeleton, architecture)
    flops = make_evaluator("flops", Context(space, skeleton)).evaluate([Candidate(architecture)])[0]["flops"]
    assert graph.flops == flops.value


def test_an_assembled_graph_is_that_of_the_exported_network(draw):
    for name in ("nasbench201", "nasbench_macro"):
        check(load_space(name), draw, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", each_space())
def test_assembled_graphs_are_those_of_exported_networks_in_every_space(name, draw):
    check(load_space(name), draw, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["darts", "mobilenet_v3"])
def test_all_exporters_give_the_assembled_graph(name, draw):
    space = load_space(name)
    skeleton = small(space)
    (architecture,) = draw(space, 1)
    graph = ArchitectureGraphs(space, skeleton)(architecture)
    network = build(space, skeleton, architecture).eval()
    for opset, exporter in ((13, "quick"), (18, "quick"), (18, "dynamo")):
        model = export(network, torch.zeros(1, *skeleton.shape), opset=opset, exporter=exporter)
        assert read_onnx(model) == graph


@pytest.fixture(scope="module")
def nasbench201() -> tuple[Space, ArchitectureGraphs]:
    space = load_space("nasbench201")
    return space, ArchitectureGraphs(space, space.skeleton("small", in_channels=3, classes=10))


def test_isomorphic_cells_have_one_graph(nasbench201, draw):
    """As written and in canonical form: operations that nothing reads, and nodes in another order, do not count."""
    space, graphs = nasbench201
    found: dict[str, set[str]] = {}
    for architecture in draw(space, 150, canonical=False):
        found.setdefault(str(space.canonical(architecture)), set()).add(graphs(architecture).key)
    assert all(len(keys) == 1 for keys in found.values())
    assert len(set.union(*found.values())) > 50
    one, other = (
        space.parse(f"|{a}~0|+|{b}~0|none~1|+|none~0|{c}~1|{d}~2|")
        for a, b, c, d in (
            ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect"),
            ("nor_conv_1x1", "nor_conv_3x3", "skip_connect", "avg_pool_3x3"),
        )
    )
    assert graphs(one) == graphs(other)


def test_the_largest_cell_has_97_convolutions(nasbench201):
    space, _ = nasbench201
    threes = [f"nor_conv_3x3~{i}" for i in range(3)]
    architecture = space.parse("+".join("|" + "|".join(threes[:n]) + "|" for n in (1, 2, 3)))
    graph = ArchitectureGraphs(space, space.skeleton("cifar"))(architecture)
    assert graph.counts["conv"] == 15 * 6 + 1 + 2 * 3


def test_a_network_of_nothing_reads_its_input_only(nasbench201):
    space, graphs = nasbench201
    graph = graphs(space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
    assert graph == exported(space, small(space), space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))


def test_damaged_tables_are_measured_again(cache, draw):
    space = load_space("nasbench_macro")
    skeleton = small(space)
    (architecture,) = draw(space, 1)
    graph = ArchitectureGraphs(space, skeleton)(architecture)
    (path,) = cache.glob("graph-*.json")
    stored = json.loads(path.read_text())
    assert ArchitectureGraphs(space, skeleton)(architecture) == graph
    path.write_text(json.dumps({key: [nodes, [[99]] * len(reads), 0] for key, (nodes, reads, _) in stored.items()}))
    assert ArchitectureGraphs(space, skeleton)(architecture) == graph
