from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from evonas.spaces import load_space
from evonas.spaces.largest import largest

SPACE = load_space("darts")


def operations(form) -> list[str]:
    return [step.option for step in SPACE.path(form) if step.option in SPACE.operations]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_architecture_costs_more_where_options_add_up(seed):
    rng = default_rng(seed)
    prices = dict(zip(SPACE.definition.operations, rng.random(7), strict=True))

    def cost(form) -> float:
        return sum(prices[name] for name in operations(form))

    top = cost(largest(SPACE, cost))
    assert all(cost(SPACE.canonical(SPACE.decode(genome))) <= top + 1e-9 for genome in SPACE.sample(200, rng))


def test_the_costliest_operation_is_everywhere():
    def cost(form) -> int:
        return operations(form).count("sep_conv_5x5")

    assert operations(largest(SPACE, cost)) == ["sep_conv_5x5"] * 16
