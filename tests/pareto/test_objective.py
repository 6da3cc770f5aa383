from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.objectives.result import Result
from evonas.pareto.objective import (
    Constraint,
    Objective,
    check_fraction,
    parse_constraint,
    parse_constraints,
    split_names,
)

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)
BOUNDS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_an_objective_is_a_value():
    assert Objective("acc", "", "max") == Objective("acc", "", "max") != Objective("acc", "", "min")


def test_result_holds_exactly_one_of_value_and_cause():
    assert Result(1.0, None, 0.1).value == 1.0
    assert Result(None, "broke", 0.1).cause == "broke"
    with pytest.raises(ValueError, match="a value or a cause"):
        Result(None, None, 0.0)
    with pytest.raises(ValueError, match="a value or a cause"):
        Result(1.0, "broke", 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_result_refuses_what_is_not_finite(value: float):
    with pytest.raises(ValueError, match="finite"):
        Result(value, None, 0.0)


@given(name=NAMES, sign=st.sampled_from(["<=", ">="]), bound=BOUNDS)
def test_a_constraint_is_read_as_it_is_written(name: str, sign: str, bound: float):
    read = parse_constraint(f" {name} {sign} {bound!r} ")
    assert read == Constraint(name, sign, bound)
    assert parse_constraint(str(read)) == read


def test_numbers_of_a_constraint_may_be_grouped_and_scaled():
    assert parse_constraint("flops<=20e6").bound == 20_000_000
    assert parse_constraint("flops<=20_000_000").bound == 20_000_000


@pytest.mark.parametrize(
    "text", ["", "flops", "flops<5", "flops==5", "<=5", "flops<=", "flops<=5ms", "flops<=nan", "a b<=1", "flops<=1e999"]
)
def test_a_malformed_constraint_is_shown(text: str):
    with pytest.raises(SettingsError, match="NAME<=NUMBER"):
        parse_constraint(text)


@given(value=BOUNDS, bound=BOUNDS)
def test_violation_is_zero_exactly_where_the_bound_holds(value: float, bound: float):
    assert (Constraint("x", "<=", bound).violation(value) == 0) == (value <= bound)
    assert (Constraint("x", ">=", bound).violation(value) == 0) == (value >= bound)


def test_violation_is_relative_to_the_bound():
    assert Constraint("x", "<=", 10).violation(15) == pytest.approx(0.5)
    assert Constraint("x", ">=", -10).violation(-15) == pytest.approx(0.5)
    assert Constraint("x", "<=", 0).violation(3) == 3


def test_names_keep_their_order():
    assert split_names(["acc, flops", "latency"]) == ("acc", "flops", "latency")


@pytest.mark.parametrize(("values", "words"), [([], "at least one"), ([" , "], "at least one"), (["a,b,a"], "twice")])
def test_names_are_refused_where_none_or_twice(values: list[str], words: str):
    with pytest.raises(SettingsError, match=words):
        split_names(values)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("flops<=20M", 20e6),
        ("flops<= 1.5 G", 1.5e9),
        ("params<=300k", 300e3),
        ("latency<=0.2ms", 0.2),
        ("latency<=1s", 1000.0),
        ("latency_measured<=200us", 0.2),
        ("size<=1MB", 1e6),
        ("size_int8<=1MiB", 2.0**20),
        ("memory<=64KB", 64e3),
        ("acc>=95%", 0.95),
        ("acc_report>=7%", 0.07),
        ("error<=5%", 0.05),
        ("points<=2M", 2e6),
    ],
)
def test_a_bound_is_read_in_the_unit_that_it_is_given_in(text: str, bound: float):
    assert parse_constraint(text).bound == bound


@pytest.mark.parametrize("text", ["flops<=5ms", "latency<=5M", "flops<=5%", "acc>=1M", "size<=1mB", "points<=1MB"])
def test_a_unit_that_an_objective_does_not_have_is_refused_with_those_that_it_has(text: str):
    with pytest.raises(SettingsError, match=r"units of '\w+' are .*; got"):
        parse_constraint(text)


@given(low=st.floats(-1e9, 1e9), high=st.floats(-1e9, 1e9))
def test_bounds_that_exclude_each_other_are_refused(low: float, high: float):
    texts = [f"x>={low!r}", "y<=0", f"x<={high!r}"]
    if low > high:
        with pytest.raises(SettingsError, match="Nothing keeps to both"):
            parse_constraints(texts)
    else:
        assert [c.bound for c in parse_constraints(texts)] == [low, 0, high]


def test_a_bound_above_1_on_accuracy_is_refused_with_the_percent_that_was_meant():
    with pytest.raises(SettingsError, match=r"write acc>=95%$"):
        check_fraction(parse_constraint("acc>=95"))
    check_fraction(parse_constraint("acc>=95%"))
    check_fraction(parse_constraint("acc>=95"), largest=94.4)  # a table in percent
    check_fraction(parse_constraint("flops>=95"))
