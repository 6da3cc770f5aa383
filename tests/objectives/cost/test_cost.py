from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from evonas.networks import Network, build
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost import cost as room
from evonas.objectives.cost.cost import CostEvaluator
from evonas.proxies import Flops, Forward
from evonas.spaces import Architecture, Skeleton, Space, as_candidates, load_space

COUNTED = (torch.ops.aten.convolution, torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.bmm)


def check(space: Space, skeleton, draw, count, n: int, seed: int = 0) -> None:
    evaluator = CostEvaluator(Context(space, skeleton))
    forms = draw(space, n, seed=seed)
    for form, row in zip(forms, evaluator.evaluate(as_candidates(forms)), strict=True):
        assert (row["flops"].value, row["params"].value) == count(space, skeleton, form), str(form)


def torch_costs(space: Space, skeleton: Skeleton, form: Architecture) -> tuple[Network, float, int]:
    """Return a network without values, half of the FLOPs that torch counts, and its parameters."""
    with torch.device("meta"):
        network = build(space, skeleton, form).eval()
        image = torch.zeros(1, *network.skeleton.shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(image)
    counts = counter.get_flop_counts()["Global"]
    assert set(counts) <= set(COUNTED)
    return network, sum(counts.values()) / 2, sum(parameter.numel() for parameter in network.parameters())


def test_costs_equal_fvcore_on_whole_networks(space: Space, draw, count):
    check(space, space.skeleton("small", in_channels=3, classes=10), draw, count, 5)


@pytest.mark.slow
def test_costs_equal_fvcore_and_half_of_torch_on_a_thousand_networks(space: Space, draw):
    # Values would cost more time than counting; at 16 pixels all strides still show.
    skeleton = space.skeleton("small", in_channels=3, classes=10, resolution=16)
    evaluator = CostEvaluator(Context(space, skeleton))
    for form in draw(space, 1000, seed=7):
        network, flops, parameters = torch_costs(space, skeleton, form)
        assert evaluator.cost(form) == (flops, parameters), str(form)
        image = torch.zeros(1, 3, 16, 16)
        forward = Forward(network.to_empty(device="cpu"), image, torch.Generator())
        assert Flops().measure(forward) == flops, str(form)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (  # the sum of a normal cell is read by the next one, but not by a reduction cell
            "lhd",
            "Genotype(normal=[[('max_pool_3x3', 0), ('sep_conv_3x3', 0)], [('sep_conv_3x3', 0), ('dil_conv_3x3', 0)], "
            "[('dil_conv_5x5', 0), ('dil_conv_3x3', 1)], [('sep_conv_5x5', 0), ('sep_conv_3x3', 4)], "
            "[('max_pool_3x3', 0), ('avg_pool_3x3', 0)]], normal_sum=[2, 3, 4, 5], normal_concat=[4, 5], "
            "reduce=[[('max_pool_3x3', 1), ('dil_conv_5x5', 1)], [('sep_conv_3x3', 1), ('sep_conv_5x5', 2)], "
            "[('avg_pool_3x3', 2), ('skip_connect', 3)], [('sep_conv_5x5', 2), ('avg_pool_3x3', 3)], "
            "[('max_pool_3x3', 0), ('avg_pool_3x3', 0)]], reduce_sum=[4], reduce_concat=[3, 5])",
        ),
        (  # reduction cells read input 0 only: the cell before one is read by no one but the cell after
            "darts_open",
            "Genotype(normal=[('max_pool_3x3', 0), ('avg_pool_3x3', 0), ('dil_conv_5x5', 0), ('skip_connect', 1), "
            "('dil_conv_5x5', 0), ('sep_conv_3x3', 2), ('avg_pool_3x3', 0), ('avg_pool_3x3', 4)], "
            "normal_concat=[2, 3, 4, 5], reduce=[('sep_conv_3x3', 0), ('dil_conv_5x5', 0), ('sep_conv_3x3', 2), "
            "('dil_conv_5x5', 2), ('sep_conv_3x3', 2), ('sep_conv_5x5', 3), ('skip_connect', 4), "
            "('dil_conv_5x5', 4)], reduce_concat=[2, 3, 4, 5])",
        ),
    ],
)
def test_what_no_later_cell_reads_neither_runs_nor_costs(name: str, text: str):
    space = load_space(name)
    skeleton = space.skeleton("small", in_channels=3, classes=10, resolution=16)
    evaluator, form = CostEvaluator(Context(space, skeleton)), space.canonical(space.parse(text))
    network, flops, parameters = torch_costs(space, skeleton, form)
    assert evaluator.cost(form) == (flops, parameters)
    assert evaluator.cost(space.parse(text))[0] > flops  # as written, all of it counts
    image = torch.zeros(1, 3, 16, 16)
    assert Flops().measure(Forward(network.to_empty(device="cpu"), image, torch.Generator())) == flops
    supernet = build(space, skeleton, seed=0).eval()
    torch.testing.assert_close(supernet.extract(form)(image + 1), supernet(image + 1, space.path(form)))


@pytest.mark.parametrize("canonical", [True, False])
def test_costs_equal_half_of_what_torch_counts(canonical: bool, space: Space, draw):
    # Fvcore leaves out what no output depends on, which an architecture as written may hold; torch counts all.
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    evaluator = CostEvaluator(Context(space, skeleton))
    for form in draw(space, 2, canonical=canonical, seed=3):
        assert evaluator.cost(form) == torch_costs(space, skeleton, form)[1:]


@pytest.mark.parametrize(
    ("genotype", "flops", "params"),
    [("DARTS_V2", 528_359_040, 3_349_342)],
)
def test_costs_of_published_cells(genotype: str, flops: int, params: int):
    darts = load_space("darts")
    text = (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
        "('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
    )
    skeleton = darts.skeleton("cifar", in_channels=3, classes=10)
    assert CostEvaluator(Context(darts, skeleton)).cost(darts.parse(text)) == (flops, params)


def test_costs_equal_half_of_what_torch_counts_of_images_that_are_no_squares(space: Space, draw):
    skeleton = space.skeleton("small", in_channels=3, classes=10, resolution=(13, 40))
    evaluator = CostEvaluator(Context(space, skeleton))
    for form in draw(space, 3, seed=3):
        _, flops, parameters = torch_costs(space, skeleton, form)
        assert evaluator.cost(form) == (flops, parameters), str(form)
    assert evaluator.cost(form)[0] != CostEvaluator(Context(space, skeleton.replace(resolution=40))).cost(form)[0]


def test_costs_follow_the_resolution_that_an_architecture_chooses(count):
    macro = load_space("nasbench_macro")
    space = type(macro)(macro.definition.model_copy(update={"form": "blocks", "resolutions": (16, 24)}))
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    evaluator = CostEvaluator(Context(space, skeleton))
    genome = np.zeros(len(space.choices), dtype=int)
    costs = set()
    for gene in range(2):
        genome[-1] = gene
        form = space.canonical(space.decode(genome))
        costs.add(evaluator.cost(form))
        assert evaluator.cost(form) == count(space, skeleton, form)
    assert len(costs) == 2


def test_a_block_is_counted_once_in_the_life_of_a_machine(tiny: Context, draw, cache, monkeypatch):
    forms = draw(tiny.space, 5)
    evaluator = CostEvaluator(tiny)
    first = [evaluator.cost(form) for form in forms]
    # That nothing is counted again is what is tested.
    monkeypatch.setattr(room, "_count", lambda block: pytest.fail(f"{block.label} was counted again"))
    evaluator = CostEvaluator(tiny)
    assert [evaluator.cost(form) for form in forms] == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}'])
def test_a_spoilt_table_on_disk_is_made_anew(content: str, draw, cache):
    space = load_space("nasbench201")
    tiny = Context(space, space.skeleton("small", channels=2, resolution=8, in_channels=1, classes=3))
    forms = draw(space, 3)
    evaluator = CostEvaluator(tiny)
    first = [evaluator.cost(form) for form in forms]
    (path,) = cache.iterdir()
    path.write_text(content)
    evaluator = CostEvaluator(tiny)
    assert [evaluator.cost(form) for form in forms] == first
    spoilt = {key: [-1, "many"] for key in json.loads(path.read_text())}
    path.write_text(json.dumps(spoilt))
    evaluator = CostEvaluator(tiny)
    assert [evaluator.cost(form) for form in forms] == first


def test_a_folder_that_cannot_be_written_costs_time_alone(tiny: Context, draw, cache):
    cache.write_text("a file where the folder would be")
    assert CostEvaluator(tiny).cost(draw(tiny.space, 1)[0])[0] > 0


def test_flops_and_params_have_one_evaluator(tiny: Context):
    assert make_evaluator("flops", tiny).fingerprint == make_evaluator("params", tiny).fingerprint
    other = Context(tiny.space, tiny.skeleton.replace(channels=5))
    assert make_evaluator("flops", other).fingerprint != make_evaluator("flops", tiny).fingerprint
