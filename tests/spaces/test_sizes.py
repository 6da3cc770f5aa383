"""Sizes and choices equal the documented counts."""

from __future__ import annotations

import pytest

from evonas.spaces import load_space

SIZES = {
    "darts": 1_037_664_180**2,
    "darts_open": (8**8 * (2 * 3 * 4 * 5) ** 2) ** 2,
    "lhd": 3_556_280_363_372_100**2,
    "nasbench201": 15_625,
    "nasbench_macro": 6_561,
    "mobilenet_v3": 21_758_655_492_572_485_851,
    "mobilenet_v2": 21_758_655_492_572_485_851 * 9,
    "proxyless": 6**6 * 7**15,
    "fbnet": 9**22,
    "efficientnet_lite": 39 * 258 * 120 * 1554 * 9330 * 3,
}


@pytest.mark.parametrize("name", SIZES)
def test_size(name):
    assert load_space(name).size == SIZES[name]


def test_lhd_with_three_pairs():
    from math import comb, prod

    assert load_space("lhd_3ops").size == (prod(comb(7 * n, 3) for n in range(2, 7)) * 31**2) ** 2


def test_repr_says_how_large():
    assert repr(load_space("nasbench201")) == "<Space nasbench201: 6 choices, 15,625 architectures>"
