"""Cell spaces: text forms, wirings, canonical forms, what is no member."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SpaceError
from evonas.spaces import Edge, load_space, path_names, shipped

V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
    "('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def test_genotype_with_range():
    space = load_space("darts")
    assert space.parse(V2.replace("[2, 3, 4, 5]", "range(2, 6)")) == space.parse(V2)


def test_genotypes_of_the_open_space_keep_their_text(truth):
    space = load_space("darts_open")
    with gzip.open(truth / "darts500_cifar10.csv.gz", "rt", newline="") as file:
        texts = [row["genotype"] for row in csv.DictReader(file)]
    assert len(texts) == 500
    assert all(str(space.parse(text)) == text for text in texts)


def test_the_order_of_a_nodes_edges_is_no_matter():
    space = load_space("darts")
    swapped = V2.replace("[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ", "[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ")
    assert swapped != V2
    assert space.parse(swapped) == space.parse(V2)
    wide = load_space("darts_open")
    assert wide.parse(swapped) != wide.parse(V2)
    assert wide.canonical(wide.parse(swapped)) == wide.canonical(wide.parse(V2))


def test_nodes_that_may_trade_places_are_one_architecture():
    space = load_space("darts")
    nodes = ["('sep_conv_3x3', 0), ('sep_conv_5x5', 1)", "('skip_connect', 0), ('max_pool_3x3', 1)"]
    rest = "('sep_conv_3x3', {0}), ('skip_connect', 0), ('dil_conv_3x3', {1}), ('skip_connect', 0)"
    texts = []
    for first, second in ((0, 1), (1, 0)):
        cell = f"[{nodes[first]}, {nodes[second]}, {rest.format(2 + first, 2 + second)}]"
        texts.append(f"Genotype(normal={cell}, normal_concat=[2, 3, 4, 5], reduce={cell}, reduce_concat=[2, 3, 4, 5])")
    one, other = (space.parse(text) for text in texts)
    assert one != other
    assert space.canonical(one) == space.canonical(other)


def test_none_is_kept_as_written_and_pruned_in_the_canonical_form():
    space = load_space("darts_open")
    edges = [("none", 1), ("none", 0), ("skip_connect", 2), ("sep_conv_3x3", 0)] * 2
    text = f"Genotype(normal={edges}, normal_concat=[2, 3, 4, 5], reduce={edges}, reduce_concat=[2, 3, 4, 5])"
    written = space.parse(text)
    assert str(written) == text
    canonical = space.canonical(written).cells[0]
    # What only passes a zero on is a zero itself.
    assert canonical.nodes[0] == (Edge("none", 0), Edge("none", 0))
    assert sum(edge.operation == "skip_connect" for node in canonical.nodes for edge in node) == 0


@pytest.mark.parametrize("norm", [False, True])
def test_a_pool_of_zeros_is_a_zero_unless_a_norm_follows(norm, tmp_path):
    text = shipped()["nasbench201"].read_text()
    pool = 'kind = "avg_pool", kernel = 3'
    assert pool in text
    path = tmp_path / "pools.toml"
    path.write_text(text.replace(pool, f"{pool}, norm = true") if norm else text)
    space = load_space(path)
    # Node 1 is a zero, node 2 pools it, node 3 reads node 2.
    written = space.parse("|none~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|skip_connect~2|")
    nodes = space.canonical(written).cells[0].nodes
    assert (Edge("avg_pool_3x3", 1) in nodes[1]) == norm
    assert (Edge("skip_connect", 2) in nodes[2]) == norm


@given(st.sampled_from(["darts", "darts_open", "lhd", "lhd_3ops", "nasbench201"]), st.integers(0, 2**32 - 1))
def test_genomes_and_texts_return(name, seed):
    space = load_space(name)
    genome = np.random.default_rng(seed).integers(0, space.cardinalities)
    architecture = space.decode(genome)
    assert space.decode(space.encode(architecture)) == architecture
    assert space.parse(str(architecture)) == architecture
    canonical = space.canonical(architecture)
    assert space.canonical(canonical) == canonical
    assert space.canonical(space.parse(str(canonical))) == canonical


@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_renumbering_follows_the_graph_alone(seed, random):
    """Nodes of a DARTS cell in any order that the wiring allows have one canonical form."""
    space = load_space("darts")
    (normal, reduce) = space.decode(space.sample(1, np.random.default_rng(seed))[0]).cells
    if len({tuple(sorted(node)) for node in normal.nodes}) < 4:
        return  # two nodes that read the same may be told apart by their readers alone: not promised
    order: list[int] = []
    while len(order) < 4:
        able = [i for i in range(4) if i not in order and all(s < 2 or s - 2 in order for _, s in normal.nodes[i])]
        order.append(random.choice(able))
    place = {old + 2: new + 2 for new, old in enumerate(order)} | {0: 0, 1: 1}
    nodes = tuple(tuple(sorted((Edge(o, place[s]) for o, s in normal.nodes[i]), key=lambda e: e.source)) for i in order)
    written = space.decode(space.sample(1, np.random.default_rng(seed))[0])
    moved = type(written)(written.form, written.kinds, (normal._replace(nodes=nodes), reduce))
    assert space.canonical(space.decode(space.encode(moved))) == space.canonical(written)


def test_lhd_reads_the_literatures_form():
    """Lists of (operation, source, node); nodes that reach no output are left out."""
    space = load_space("lhd")
    normal = (
        "[('skip_connect', 0, 0), ('sep_conv_5x5', 0, 0), ('skip_connect', 2, 1), ('sep_conv_3x3', 0, 1), "
        "('sep_conv_3x3', 1, 2), ('sep_conv_3x3', 0, 2), ('sep_conv_3x3', 0, 3), ('sep_conv_3x3', 3, 3), "
        "('skip_connect', 4, 4), ('dil_conv_3x3', 0, 4)]"
    )
    dead = normal.replace("('sep_conv_3x3', 0, 3), ('sep_conv_3x3', 3, 3), ", "")
    text = (
        f"Genotype(normal={normal}, normal_output={{'sum': [2, 4], 'concat': [3, 4, 2]}}, "
        f"reduce={dead}, reduce_output={{'sum': [4], 'concat': [2]}})"
    )
    architecture = space.parse(text)
    assert architecture.cells[0].outputs == ((4, 6), (4, 5, 6))
    assert architecture.cells[0].nodes[0] == (Edge("skip_connect", 0), Edge("sep_conv_5x5", 0))
    assert architecture.cells[1].nodes[:3] == architecture.cells[0].nodes[:3]
    assert space.parse(str(architecture)) == architecture
    assert not any(name.startswith("reduce.5.") for name in path_names(space.path(architecture)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Genotype(", "__import__('os').system(", "expected Genotype(normal=…, …)"),
        ("normal=[('sep_conv_3x3', 0)", "normal=[(open('x'), 0)", "expected a text such as"),
        ("('dil_conv_3x3', 2)", "('dil_conv_7x7', 2)", "node 3 of space 'darts': unknown operation 'dil_conv_7x7'"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)", "reads source 5, expected 0..4"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', 0)", "expected 2 different sources, got (0, 0)"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', True)", "expected ('operation', source) pairs"),
        (", ('dil_conv_3x3', 2)]", "]", "expected 2 edges, got 1"),
        ("normal_concat=[2, 3, 4, 5]", "normal_concat=[2, 3, 4]", "puts out (2, 3, 4, 5), got ((2, 3, 4),)"),
        (", reduce_concat=[2, 3, 4, 5]", "", "expected the fields normal, normal_concat, reduce, reduce_concat"),
    ],
)
def test_what_is_no_genotype(old, new, message):
    assert old in V2
    with pytest.raises(SpaceError) as caught:
        load_space("darts").parse(V2.replace(old, new, 1))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(["darts", "lhd", "nasbench201", "mobilenet_v3", "nasbench_macro", "fbnet"]), st.data())
def test_mutilated_texts_are_refused_or_members(name, data):
    space = load_space(name)
    text = str(space.decode(space.sample(1, np.random.default_rng(0))[0]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(at, min(len(text), at + 5)))
        text = text[:at] + data.draw(st.text("()[]{},'\"|~+-/@0123456789 ksed\\\x00é", max_size=4)) + text[end:]
    message = ""
    try:
        architecture = space.parse(text)
    except SpaceError as error:
        message = str(error)
    else:
        assert space.parse(str(architecture)) == architecture
    assert "\n" not in message
