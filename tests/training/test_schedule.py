from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.training import TrainingRecipe, learning_rate, load_recipe


def recipe(**changes: object) -> TrainingRecipe:
    return TrainingRecipe.model_validate({"epochs": 10, "batch_size": 8, "lr": 0.4, **changes})


def test_cosine_starts_full_is_halfway_in_the_middle_and_ends_at_its_end() -> None:
    own = recipe(lr_end=0.1)
    assert learning_rate(own, 0, 7) == pytest.approx(0.4)
    assert learning_rate(own, 35, 7) == pytest.approx(0.25)
    assert learning_rate(own, 70, 7) == pytest.approx(0.1)


def test_linear_and_constant() -> None:
    own = recipe(schedule="linear", lr_end=0.1)
    assert [learning_rate(own, step, 7) for step in (0, 35, 70)] == pytest.approx([0.4, 0.25, 0.1])
    assert learning_rate(recipe(schedule="constant"), 33, 7) == 0.4


def test_per_epoch_stays_within_an_epoch() -> None:
    own = recipe(per="epoch")
    assert learning_rate(own, 7, 7) == learning_rate(own, 13, 7) > learning_rate(own, 14, 7)


def test_warm_up_is_linear_and_never_zero() -> None:
    own = recipe(schedule="constant", warm_up=2)
    assert [learning_rate(own, step, 2) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])


def test_pcdarts_imagenet_is_its_published_code() -> None:
    def published(epoch: int) -> float:
        rate = 0.5 * (245 - epoch) / 245 if 250 - epoch > 5 else 0.5 * (250 - epoch) / (245 * 5)
        return rate * (epoch + 1) / 5 if epoch < 5 else rate

    own = load_recipe("pcdarts_imagenet")
    assert [learning_rate(own, 3 * epoch, 3) for epoch in range(250)] == pytest.approx(
        [published(epoch) for epoch in range(250)]
    )


@given(
    st.sampled_from(["cosine", "linear", "constant"]),
    st.sampled_from(["step", "epoch"]),
    st.integers(1, 9),
    st.floats(0, 0.4),
)
def test_rates_never_rise_nor_leave_their_range(schedule: str, per: str, count: int, end: float) -> None:
    own = recipe(schedule=schedule, per=per, lr_end=end)
    rates = [learning_rate(own, step, count) for step in range(10 * count + 1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.4)
    assert rates[-1] >= end - 1e-12
