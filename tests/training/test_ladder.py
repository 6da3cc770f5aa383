from __future__ import annotations

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.training.ladder import Ladder

ladders = st.builds(
    Ladder,
    st.sets(st.integers(1, 40), min_size=1, max_size=5).map(lambda levels: tuple(sorted(levels))),
    st.integers(1, 20).map(lambda twentieths: twentieths / 20),
)


@given(ladders, st.integers(1, 200))
def test_sizes_and_epochs_are_those_of_the_formulas_and_monotone(ladder: Ladder, pool: int) -> None:
    sizes = ladder.sizes(pool)
    assert sizes[0] == pool
    assert all(1 <= later <= before for before, later in pairwise(sizes))
    assert ladder.start_epochs(pool) < ladder.start_epochs(pool + 1)
    assert ladder.round_epochs(pool) < ladder.round_epochs(pool + 1)
    assert pool * ladder.epochs[0] <= ladder.start_epochs(pool) <= pool * ladder.epochs[-1]


def test_known_epochs() -> None:
    ladder = Ladder((2, 4, 8), 0.5)
    assert ladder.sizes(12) == (12, 6, 3)
    assert ladder.start_epochs(12) == 12 * 2 + 6 * 2 + 3 * 4
    assert ladder.round_epochs(5) == 5 * 2 + 3 * 2 + 3 * 4


@pytest.mark.parametrize(("fraction", "n"), [(0.55, 100), (0.1, 30), (0.7, 10), (0.07, 100)])
def test_a_share_counts_as_its_decimals_are_written(fraction: float, n: int) -> None:
    assert Ladder((1,), fraction).climbers(n) == ceil(round(fraction * n, 9))


@pytest.mark.parametrize("epochs", [(), (0, 2), (4, 2), (2, 2), (-1,)])
def test_levels_out_of_order_are_refused_in_one_line(epochs: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError, match=r"^Expected rising epochs .* got .*: put them in order, each once$"):
        Ladder(epochs)


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(SettingsError, match="share above 0 and of at most 1"):
        Ladder((1, 2), fraction)
