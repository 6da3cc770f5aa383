from __future__ import annotations

from evonas.report.describe import Choices, candidates, skeleton_rows, sort_choices
from evonas.spaces import load_space


def test_choices_are_sorted():
    sorts = {c.name: (c.count, dict(c.options)) for c in sort_choices(load_space("mobilenet_v3"))}
    assert sorts == {"kernel": (20, {3: 20}), "expand": (20, {3: 20}), "depth": (5, {3: 5})}
    assert [str(c) for c in sort_choices(load_space("nasbench201"))] == ["6 × 5 options"]
    assert str(sort_choices(load_space("mobilenet_v3"))[0]) == "20 × 3 options by size"
    assert str(Choices("kernel", 3, {2: 1, 3: 2}, 1)) == "1 × 2, 2 × 3 options, 1 by size"


def test_candidates_and_skeletons_are_those_of_the_file():
    assert "sep_conv_5x5" in candidates(load_space("darts"))
    assert candidates(load_space("mobilenet_v3"))[-3:] == ["kernel 3, 5, 7", "expansion 3, 4, 6", "depth 2, 3, 4"]
    rows = {row["skeleton"]: row for row in skeleton_rows(load_space("darts"))}
    assert (rows["cifar"]["channels"], rows["cifar"]["cells"]) == (36, 20)
    assert "width" not in rows["cifar"]
