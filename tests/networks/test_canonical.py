"""Soundness: an architecture as written and its canonical form compute one function of corresponding weights.

The correspondence is found here by trying all orders of the nodes, not by asking the code under test.
"""

from __future__ import annotations

import re
from itertools import permutations

import numpy as np
import pytest
import torch

from evonas.networks import build
from evonas.spaces import Cell, Space, load_space, shipped

CELLS = [name for name in sorted(shipped()) if load_space(name).family == "cell"]
STAGES = [name for name in sorted(shipped()) if load_space(name).family == "stage"]


def live_edges(space, cell: Cell) -> dict[int, list[tuple[int, str]]]:
    """Edges of the nodes that reach an output, without those that are zero whatever the weights."""
    kinds = {name: table.kind for name, table in space.definition.operations.items()}
    norms = {name: table.norm for name, table in space.definition.operations.items()}
    edges, zero = {}, set()
    for place, node in enumerate(cell.nodes, space.inputs):
        edges[place] = [
            (source, operation)
            for operation, source in node
            if kinds[operation] != "none"
            and not (
                source in zero and (kinds[operation] == "skip" or "pool" in kinds[operation]) and not norms[operation]
            )
        ]
        if not edges[place]:
            zero.add(place)
    reached = {place for places in cell.outputs for place in places}
    for place in reversed(edges):
        if place in reached:
            reached |= {source for source, _ in edges[place]}
    return {place: node for place, node in edges.items() if place in reached}


def renaming(space, written: Cell, canonical: Cell) -> dict[int, int]:
    """Return canonical place -> written place, under which the live parts of both cells agree."""
    first, second = live_edges(space, written), live_edges(space, canonical)
    places = range(space.inputs)
    for order in permutations(first):
        name = dict(zip(order, second, strict=True)) | {place: place for place in places}
        renamed = {name[p]: sorted((name[s], op) for s, op in edges) for p, edges in first.items()}
        outputs = [{name[p] for p in group} for group in written.outputs]
        if outputs == [set(group) for group in canonical.outputs] and renamed == {
            place: sorted(edges) for place, edges in second.items()
        }:
            return {new: old for old, new in name.items()}
    raise AssertionError(f"{written} and {canonical} are different graphs")


def mapped(network, written, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the state of a canonical network from that of the network as written."""
    space, canonical = network.space, network.architecture
    back = {
        kind: renaming(space, *pair) for kind, *pair in zip(space.kinds, written.cells, canonical.cells, strict=True)
    }
    outputs = {
        kind: (w.outputs[-1], c.outputs[-1])
        for kind, w, c in zip(space.kinds, written.cells, canonical.cells, strict=True)
    }
    kinds = [getattr(cell, "kind", None) for cell in network.cells]
    learned = space.definition.cell.outputs == "learned"

    def columns(weight: torch.Tensor, producer: int, offset: int = 0) -> torch.Tensor:
        """Put the blocks of columns that read a cell's nodes in the canonical order."""
        if producer < 0 or kinds[producer] is None:
            return weight
        old, new = outputs[kinds[producer]]
        width = (weight.shape[1] - offset) // len(old)
        blocks = [weight[:, offset + i * width : offset + (i + 1) * width] for i in range(len(old))]
        order = [old.index(back[kinds[producer]][place]) for place in new]
        return torch.cat([weight[:, :offset], *(blocks[i] for i in order)], dim=1)

    result = {}
    for key in network.state_dict():
        edge = re.fullmatch(r"cells\.(\d+)\.edges\.(\d+)_(\d+)\.(.+)", key)
        entrance = re.fullmatch(r"cells\.(\d+)\.inputs\.(\d)\.on\..*weight", key)
        if edge:
            names = back[kinds[int(edge[1])]]
            value = state[f"cells.{edge[1]}.edges.{names[int(edge[2])]}_{names[int(edge[3])]}.{edge[4]}"]
        elif entrance and state[key].dim() == 4:
            cell, place = int(entrance[1]), int(entrance[2])
            # Input 1 reads the cell before; input 0 the one before that, or its sum where streams are learned.
            value = state[key]
            if place == 1 or not learned:
                value = columns(value, cell - (1 if place == 1 else 2))
        elif key.startswith("classifier") and key.endswith("weight"):
            value = state[key]
            if len(space.kinds) > 1:
                width = network.cells[-1].channels if learned else 0
                value = columns(value, len(kinds) - 1, width)
        else:
            value = state[key]
        result[key] = value
    return result


@pytest.mark.parametrize("name", CELLS)
def test_cells_as_written_and_canonical_are_one_function(name, settle):
    space = load_space(name)
    skeleton = space.skeleton("small", resolution=8)
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for genome in space.sample(10, np.random.default_rng(2)):
        written = space.decode(genome)
        canonical = space.canonical(written)
        network = settle(build(space, skeleton, written).double())
        pruned = build(space, skeleton, canonical).double().eval()
        pruned.load_state_dict(mapped(pruned, written, network.state_dict()))
        with torch.no_grad():
            assert torch.allclose(pruned(images), network(images), rtol=1e-9, atol=1e-9), str(written)


@pytest.fixture(scope="session")
def normed_pools(tmp_path_factory) -> Space:
    """NAS-Bench-201 with a norm behind its pooling, which turns a zero into a constant."""
    text = shipped()["nasbench201"].read_text()
    plain = 'kind = "avg_pool", kernel = 3'
    assert plain in text
    path = tmp_path_factory.mktemp("normed_pools") / "normed.toml"
    path.write_text(text.replace(plain, f"{plain}, norm = true"))
    return load_space(path)


@pytest.mark.parametrize("name", ["nasbench201", "darts_open", "normed pools"])
def test_cells_full_of_zeros_are_one_function(name, settle, normed_pools):
    """Half the edges none: dead nodes, zeros passed on, convolutions and normed pools of zeros."""
    space = normed_pools if name == "normed pools" else load_space(name)
    none = space.operations.index("none")
    skeleton = space.skeleton("small", resolution=8)
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rng = np.random.default_rng(3)
    genomes = space.sample(25, rng)
    operations = [i for i, choice in enumerate(space.choices) if "operation" in choice]
    for genome in genomes:
        genome[[i for i in operations if rng.random() < 0.6]] = none
    for genome in [*genomes, np.where(np.isin(np.arange(len(space.choices)), operations), none, 0)]:
        written = space.decode(genome)
        network = settle(build(space, skeleton, written).double())
        pruned = build(space, skeleton, space.canonical(written)).double().eval()
        pruned.load_state_dict(mapped(pruned, written, network.state_dict()))
        with torch.no_grad():
            assert torch.allclose(pruned(images), network(images), rtol=1e-9, atol=1e-9), str(written)


@pytest.mark.parametrize("name", STAGES)
def test_stages_as_written_and_canonical_are_one_function(name, settle):
    space = load_space(name)
    skeleton = space.skeleton("small", resolution=8)
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for genome in space.sample(8, np.random.default_rng(2), by="choice"):
        written = space.decode(genome)
        canonical = space.canonical(written)
        network = settle(build(space, skeleton, written).double())
        pruned = build(space, skeleton, canonical).double().eval()
        # The blocks that are no identities, in order, are the same blocks.
        places = {}
        for i, (old, new) in enumerate(zip(network.stages, pruned.stages, strict=True)):
            kept = [[b for b, s in enumerate(blocks) if any(True for _ in s.parameters())] for blocks in (old, new)]
            places |= {(i, b): a for a, b in zip(*kept, strict=True)}
        state, result = network.state_dict(), {}
        for key in pruned.state_dict():
            block = re.fullmatch(r"stages\.(\d+)\.(\d+)\.(.+)", key)
            if block:
                i, b = int(block[1]), int(block[2])
                result[key] = state[f"stages.{i}.{places[i, b]}.{block[3]}"]
            else:
                result[key] = state[key]
        pruned.load_state_dict(result)
        with torch.no_grad():
            assert torch.allclose(pruned(images), network(images), rtol=1e-9, atol=1e-9), str(written)
