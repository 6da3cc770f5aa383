"""Parameters and multiply-adds of the literature's networks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from evonas.networks import build, import_lhd
from evonas.networks.mbconv import MBConv
from evonas.spaces import CellWeights, load_space, shipped

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
    f"all_{name}": f"Genotype(normal={cell}, normal_concat=range(2, 6), reduce={cell}, reduce_concat=range(2, 6))"
    for name in ("skip_connect", "max_pool_3x3", "sep_conv_3x3", "sep_conv_5x5")
    for cell in ([(name, 0), (name, 1)] * 4,)
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
    ("mobilenet_v2", 1.0, 7, 6, 4, 4_340_456, {224: 525_973_568}),
    ("mobilenet_v2", 1.0, 3, 3, 2, 2_320_168, {224: 136_609_376}),
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


@pytest.fixture(scope="module")
def ofa_proxyless(tmp_path_factory):
    """Once-for-All on ProxylessNAS's widths: MobileNetV2's file with two of them changed, as a user would."""
    text = shipped()["mobilenet_v2"].read_text().replace("width = 160", "width = 192")
    text = text.replace("width = 64", "width = 80").replace("width = 32\n", "width = 40\n")
    path = tmp_path_factory.mktemp("spaces") / "ofa_proxyless.toml"
    path.write_text(text)
    return load_space(path)


@pytest.mark.parametrize(
    ("width", "kernel", "expand", "depth", "params", "macs"),
    [
        (1.3, 7, 6, 4, 7_942_056, 1_004_908_032),
        (1.3, 3, 3, 2, 3_718_832, 265_526_256),
        (1.0, 7, 6, 4, 5_103_336, 606_590_720),
        (1.0, 3, 3, 2, 2_500_632, 154_160_000),
    ],
)
def test_once_for_all_proxyless_costs(ofa_proxyless, width, kernel, expand, depth, params, macs, count):
    space = ofa_proxyless
    skeleton = space.skeleton("imagenet", width=width)
    assert count(space, skeleton, uniform(space, kernel, expand, depth)) == (params, macs)


def test_mobilenet_v2_is_a_member_of_its_space(count):
    space = load_space("mobilenet_v2")
    architecture = space.parse(json.dumps({"ks": [3] * 21, "e": [6] * 21, "d": [2, 3, 4, 3, 3, 1]}))
    assert count(space, space.skeleton("imagenet"), architecture) == (3_504_872, 300_774_272)


def test_proxyless_shares_its_networks_with_once_for_all(ofa_proxyless, count):
    space = load_space("proxyless")
    skeleton = space.skeleton("imagenet")
    largest = space.parse("/".join(["-".join(["k7e6"] * 4)] * 5 + ["k7e6"]))
    assert count(space, skeleton, largest) == (5_103_336, 606_590_720)
    smallest = space.parse("/".join(["k3e3-k3e3-zero-zero"] * 5 + ["k3e3"]))
    assert count(space, skeleton, smallest) == (2_500_632, 154_160_000)


FBNET = {  # Wu et al., CVPR 2019, with the definitions of the authors' code (mobile-vision, fbnet_v2)
    "A": (
        "imagenet_a",
        "skip/k3e3-k3e1-skip-skip/k5e6-k3e3-k5e1-k3e3/k5e6-k5e3-k5e1g2-k5e6/"
        "k3e6-k5e1g2-k5e3-k3e1g2/k5e6-k5e6-k5e3-k5e6/k5e6",
        (4_321_232, 244_452_664),
        (4.3, 244.5),
    ),
    "B": (
        "imagenet",
        "k3e1/k3e6-k5e1-k3e1-k3e1/k5e6-k5e3-k3e6-k5e6/k5e6-k5e6-skip-k5e3/k5e6-k3e1-k5e1-k5e3/k5e6-k5e1-k5e6-k5e6/k3e6",
        (4_818_216, 291_004_424),
        (4.8, 291.1),
    ),
    "C": (
        "imagenet",
        "k3e1/k3e6-skip-k3e1-k3e1/k5e6-k5e3-k5e6-k3e6/k5e6-k5e3-k5e6-k5e6/k5e6-k5e6-k5e6-k5e3/k5e6-k5e6-k5e6-k5e6/k3e6",
        (5_592_784, 378_136_224),
        (5.6, 378.2),  # 5.5 as published, which is 5.59 cut off
    ),
}


@pytest.mark.parametrize("name", FBNET)
def test_fbnet_costs(name, count):
    """Published multiply-adds hold 49 per channel for the pooling of 7x7 values; ours are without."""
    skeleton_name, text, expected, published = FBNET[name]
    space = load_space("fbnet")
    skeleton = space.skeleton(skeleton_name)
    counted = count(space, skeleton, space.parse(text))
    assert counted == expected
    pooling = 49 * (skeleton.features or space.definition.head.features)
    assert (round(counted[0] / 1e6, 1), round((counted[1] + pooling) / 1e6, 1)) == published


def test_fbnet_blocks_are_the_published_ones():
    """At expansion 1: shuffle, depthwise, grouped projection, all with biases; a skip that halves ends in a ReLU."""
    space = load_space("fbnet")
    with torch.device("meta"):
        supernet = build(space, space.skeleton("imagenet"))
    slots = {str(slot.decision): slot for _, slot in supernet.slots()}
    block = slots["3.1"]["k5e1g2"]
    shapes = [tuple(layer.weight.shape) for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    assert shapes == [(64, 1, 5, 5), (64, 32, 1, 1)]
    convolutions = [m for name, m in supernet.named_modules() if isinstance(m, nn.Conv2d) and ".skip." not in name]
    assert all(convolution.bias is not None for convolution in convolutions)
    assert [type(layer) for layer in slots["1.0"]["skip"]] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert slots["1.0"]["skip"][0].bias is None
    assert isinstance(slots["1.1"]["skip"], nn.Identity)


def test_fbnet_shuffles_where_nothing_is_expanded():
    """Channel i of the second half comes out beside channel i of the first: 0, n/2, 1, n/2 + 1, ...."""
    block = MBConv(8, 8, (3,), (1,), 1, activation="relu", se=False, eps=1e-5, groups=2, bias=True)
    read = []
    block.depthwise["conv"].register_forward_pre_hook(lambda module, inputs: read.append(inputs[0]))
    block(torch.arange(8.0).reshape(1, 8, 1, 1).expand(2, 8, 3, 3))
    assert read[0][0, :, 0, 0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_nas_bench_201(count, fvcore_macs):
    space = load_space("nasbench201")
    largest = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    known = {
        # Published multiply-adds hold one addition per class of the classifier's bias.
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|": {
            "cifar": (129_306, 15_647_370 - 10),
            "cifar100": (135_156, 15_653_220 - 100),
            "imagenet16": (136_456, 3_919_480 - 120),
        },
        largest: {"cifar": (1_531_546, 220_119_690 - 10), "imagenet16": (1_538_696, 55_037_560 - 120)},
    }
    for text, costs in known.items():
        for skeleton, expected in costs.items():
            assert count(space, space.skeleton(skeleton), space.parse(text)) == expected
    assert fvcore_macs(build(space, space.skeleton("cifar"), space.parse(largest))) == 220_119_680


LHD = {  # Chao et al., ICML 2023: parameters and multiply-adds (M) of the five searches of each method
    ("darts_bilevel", "Base"): [
        (710_218, 129.1), (675_658, 118.1), (714_754, 127.9), (517_186, 92.3), (762_274, 136.2)
    ],
    ("darts_bilevel", "3ops"): [
        (784_306, 145.7), (800_290, 143.6), (772_858, 139.3), (558_010, 102.0), (805_474, 146.1)
    ],
    ("darts_bilevel", "4out"): [
        (939_322, 162.3), (878_410, 148.7), (919_450, 158.7), (863_074, 149.2), (938_674, 164.0)
    ],
    ("random", "Base"): [
        (697_906, 126.3), (481_114, 86.6), (690_346, 125.5), (625_834, 116.0), (741_538, 139.6)
    ],
    ("gaea_silevel", "Base"): [
        (1_087_498, 196.4), (989_218, 173.6), (968_914, 165.9), (838_738, 148.4), (688_258, 123.2)
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def lhd_weights(truth):
    """Weights of the normal and the reduction cell by method, CIFAR-10, in the order of the files' names."""
    with np.load(truth / "lhd_alphas.npz", allow_pickle=False) as file:
        content = {name: file[name] for name in file.files}
    found: dict[str, list] = {}
    for i in np.argsort(content["source_file"]):
        _, data, method, _ = str(content["source_file"][i]).split("/")
        if data == "cifar10":
            normal = CellWeights(content["normal_ops"][i], content["out3"][i])
            reduce = CellWeights(content["reduce_ops"][i], content["out4"][i])
            found.setdefault(method, []).append((normal, reduce))
    return found


@pytest.mark.parametrize(("method", "policy"), LHD)
def test_lhd_costs(method, policy, lhd_weights, count):
    for weights, (params, macs) in zip(lhd_weights[method], LHD[method, policy], strict=True):
        space, architecture, skeleton = import_lhd(*weights, policy)
        counted, counted_macs = count(space, skeleton, architecture)
        assert (counted, round(counted_macs / 1e6, 1)) == (params, macs)


@pytest.mark.parametrize(
    ("method", "channels", "params"), [("darts_bilevel", 48, 1_505_098), ("random", 50, 1_593_710)]
)
def test_lhd_of_a_million(method, channels, params, lhd_weights, count):
    space, architecture, skeleton = import_lhd(*lhd_weights[method][0], "1M")
    assert (skeleton.channels, skeleton.cells) == (channels, 25)
    assert count(space, skeleton, architecture)[0] == params
