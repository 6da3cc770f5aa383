"""Parameters and multiply-adds of the literature's networks."""

from __future__ import annotations

import json

import pytest
import torch

from evonas.networks import build
from evonas.spaces import load_space

DARTS = {
    # Liu et al., ICLR 2019
    "DARTS_V1": (
        "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], "
        "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
        "('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])"
    ),
    "DARTS_V2": (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
        "('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
    ),
    # Xu et al., PC-DARTS, ICLR 2020
    "PC_DARTS_cifar": (
        "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], "
        "normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), "
        "('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 2)], reduce_concat=range(2, 6))"
    ),
    "PC_DARTS_image": (
        "Genotype(normal=[('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 1), "
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('dil_conv_5x5', 4)], "
        "normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 2), "
        "('max_pool_3x3', 1), ('sep_conv_3x3', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), "
        "('sep_conv_3x3', 3)], reduce_concat=range(2, 6))"
    ),
    # Chen and Hsieh, SmoothDARTS, ICML 2020
    "SDARTS_RS": (
        "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 0), "
        "('sep_conv_3x3', 3), ('skip_connect', 1), ('sep_conv_3x3', 1), ('dil_conv_3x3', 2)], "
        "normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 0), ('dil_conv_5x5', 3), ('max_pool_3x3', 0), ('sep_conv_3x3', 2), "
        "('sep_conv_5x5', 3)], reduce_concat=range(2, 6))"
    ),
    "SDARTS_ADV": (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), "
        "('sep_conv_5x5', 0), ('dil_conv_3x3', 3), ('dil_conv_3x3', 4), ('skip_connect', 0)], "
        "normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 0), ('skip_connect', 3), ('skip_connect', 2), ('skip_connect', 2), "
        "('sep_conv_5x5', 4)], reduce_concat=range(2, 6))"
    ),
} | {
    f"all_{operation}": "Genotype(normal={0}, normal_concat=range(2, 6), reduce={0}, reduce_concat=range(2, 6))".format(
        [(operation, 0), (operation, 1)] * 4
    )
    for operation in ("skip_connect", "max_pool_3x3", "sep_conv_3x3", "sep_conv_5x5")
}
# Parameters and multiply-adds (M) at C36/L20, the same at C48/L14 for ImageNet, parameters at C16/L8.
DARTS_COSTS = {
    "DARTS_V1": (3_169_414, 500.988, 4_510_432, 505.865, 232_890),
    "DARTS_V2": (3_349_342, 528.359, 4_718_752, 529.912, 246_106),
    "PC_DARTS_cifar": (3_634_678, 556.671, 5_270_560, 571.137, 335_738),
    "PC_DARTS_image": (3_721_510, 570.467, 5_342_464, 581.627, 327_546),
    "SDARTS_RS": (3_606_166, 562.394, 5_120_320, 566.763, 301_114),
    "SDARTS_ADV": (3_344_806, 526.755, 4_768_864, 531.567, 270_906),
    "all_skip_connect": (1_580_950, 248.506, 2_800_480, 294.298, 143_226),
    "all_max_pool_3x3": (1_370_134, 227.272, 2_427_232, 265.396, 100_730),
    "all_sep_conv_3x3": (4_701_718, 711.665, 6_548_320, 712.013, 411_002),
    "all_sep_conv_5x5": (5_144_086, 817.834, 6_966_112, 786.675, 492_922),
}


@pytest.mark.parametrize("name", DARTS_COSTS)
def test_darts_costs(name, count):
    space = load_space("darts")
    architecture = space.parse(DARTS[name])
    params, macs, imagenet_params, imagenet_macs, search_params = DARTS_COSTS[name]
    assert count(space, space.skeleton("cifar"), architecture) == (params, pytest.approx(macs * 1e6, abs=501))
    counted = count(space, space.skeleton("imagenet"), architecture)
    assert counted == (imagenet_params, pytest.approx(imagenet_macs * 1e6, abs=501))
    assert count(space, space.skeleton("search"), architecture)[0] == search_params


def test_darts_v2_by_fvcore(fvcore_macs):
    space = load_space("darts")
    network = build(space, space.skeleton("cifar"), space.parse(DARTS["DARTS_V2"]))
    assert fvcore_macs(network) == 528_359_040


def uniform(space, kernel: int, expand: int, depth: int):
    blocks, stages = space.free_blocks, len(space.free)
    return space.parse(json.dumps({"ks": [kernel] * blocks, "e": [expand] * blocks, "d": [depth] * stages}))


OFA = [  # space, width, kernel, expand, depth, parameters, multiply-adds by resolution (Cai et al., ICLR 2020)
    ("mobilenet_v3", 1.0, 7, 6, 4, 7_664_760, {224: 566_170_656, 160: 291_318_048, 128: 188_248_320}),
    ("mobilenet_v3", 1.0, 3, 3, 2, 3_410_792, {224: 121_278_672, 160: 63_240_528, 128: 41_476_224}),
    ("mobilenet_v3", 1.0, 5, 4, 3, 4_551_792, {224: 250_746_944}),
    ("mobilenet_v3", 1.0, 3, 6, 4, 7_299_960, {224: 433_141_536}),
    ("mobilenet_v3", 1.0, 7, 3, 2, 3_493_352, {224: 151_290_192}),
    ("mobilenet_v3", 1.2, 7, 6, 4, 10_701_632, {224: 843_101_040}),
    ("mobilenet_v3", 1.2, 3, 3, 2, 4_602_456, {224: 193_078_200}),
]


@pytest.mark.parametrize(("name", "width", "kernel", "expand", "depth", "params", "macs"), OFA)
def test_once_for_all_costs(name, width, kernel, expand, depth, params, macs, count):
    space = load_space(name)
    architecture = uniform(space, kernel, expand, depth)
    for resolution, expected in macs.items():
        skeleton = space.skeleton("imagenet", width=width, resolution=resolution)
        assert count(space, skeleton, architecture) == (params, expected)


def test_once_for_all_smallest_by_fvcore(fvcore_macs):
    space = load_space("mobilenet_v3")
    network = build(space, space.skeleton("imagenet", resolution=128), uniform(space, 3, 3, 2))
    assert fvcore_macs(network) == 41_476_224


def test_once_for_all_supernet_parameters():
    space = load_space("mobilenet_v3")
    with torch.device("meta"):
        supernet = build(space, space.skeleton("imagenet"))
    assert sum(p.numel() for p in supernet.parameters()) == 7_678_880
