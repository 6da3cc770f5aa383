from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.report.layers import _apart, _crossings, arrange


def test_vertices_of_a_layer_keep_their_distance():
    layers = {"a": 0, "b": 0, "c": 1}
    layout = arrange(layers, [("a", "c"), ("b", "c")], dict.fromkeys(layers, 20.0), gap=10)
    assert abs(layout.centers["a"] - layout.centers["b"]) == pytest.approx(30)
    assert layout.centers["c"] == pytest.approx((layout.centers["a"] + layout.centers["b"]) / 2)
    assert min(layout.centers.values()) == pytest.approx(10)


def test_a_crossing_that_can_be_avoided_is():
    layers = {"a": 0, "b": 0, "c": 1, "d": 1}
    layout = arrange(layers, [("a", "d"), ("b", "c")], dict.fromkeys(layers, 20.0))
    assert (layout.centers["a"] < layout.centers["b"]) == (layout.centers["d"] < layout.centers["c"])
    assert layout.centers["a"] == pytest.approx(layout.centers["d"])


def test_a_long_edge_runs_through_every_layer():
    layers = {"a": 0, "b": 1, "c": 2}
    layout = arrange(layers, [("a", "c"), ("a", "b"), ("b", "c")], dict.fromkeys(layers, 20.0))
    assert [layer for layer, _ in layout.routes[0]] == [0, 1, 2]
    assert layout.routes[0][0][1] == layout.centers["a"]
    assert layout.routes[0][2][1] == layout.centers["c"]
    assert abs(layout.routes[0][1][1] - layout.centers["b"]) >= 14  # beside the vertex, not through it


def test_crossings_are_counted():
    rows = [["a", "b"], ["c", "d"]]
    assert _crossings(rows, {"a": ["d"], "b": ["c"], "c": [], "d": []}) == 1
    assert _crossings(rows, {"a": ["c", "d"], "b": ["c", "d"], "c": [], "d": []}) == 1
    assert _crossings(rows, {"a": ["c"], "b": ["d"], "c": [], "d": []}) == 0


def test_what_wishes_the_same_center_is_spread_around_it():
    assert _apart([0.0, 0.0], [10, 10], 2) == [-6.0, 6.0]
    assert _apart([0.0, 100.0], [10, 10], 2) == [0.0, 100.0]


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 20)), min_size=1, max_size=12), st.floats(0, 10))
def test_spreading_keeps_order_and_distance(items, gap):
    sizes = [size for _, size in items]
    centers = _apart([wish for wish, _ in items], sizes, gap)
    for i in range(len(items) - 1):
        assert centers[i + 1] - centers[i] >= (sizes[i] + sizes[i + 1]) / 2 + gap - 1e-6
