from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks.ablation import Accuracies, compare_rankings, compare_steps, read_accuracies
from evonas.errors import SettingsError
from evonas.pareto.correlation import kendall
from evonas.tables.load import load_table


def accuracies(*columns: list[float]) -> Accuracies:
    return Accuracies.complete([f"c{i}" for i in range(len(columns))], np.array(columns, dtype=float).T)


def test_rankings_of_nas_bench_macro_are_mostly_seed_among_the_best(truth):
    """Known: Kendall's tau between its trainings 1 and 2, 1 and 3, 2 and 3."""
    table = load_table(truth / "nasbench_macro.csv.gz")
    rows = compare_rankings(read_accuracies(table, ["c10_test_acc_1", "c10_test_acc_2", "c10_test_acc_3"]), resamples=3)
    assert [(row["among"], row["n"], row["a"][-1] + row["b"][-1]) for row in rows] == [
        (among, n, pair) for among, n in (("all", 6561), ("best 10 % by mean", 659)) for pair in ("12", "13", "23")
    ]
    assert [round(row["tau"], 4) for row in rows[:3]] == [0.8820, 0.8800, 0.8820]
    assert [round(row["tau"], 2) for row in rows[3:]] == [0.19, 0.22, 0.15]


def test_intervals_of_a_correlation_hold_it_and_narrow_with_more_architectures():
    rng = np.random.default_rng(0)
    widths = []
    for n in (20, 200):
        quality = rng.normal(size=n)
        first, second = (quality + rng.normal(size=n) for _ in range(2))
        row = compare_rankings(accuracies(list(first), list(second)), resamples=200)[0]
        assert row["tau"] == kendall(first, second)
        assert row["tau_low"] < row["tau"] < row["tau_high"]
        assert row["difference"] == pytest.approx(np.abs(first - second).mean())
        widths.append(row["tau_high"] - row["tau_low"])
    assert widths[1] < 0.5 * widths[0]


def test_the_best_are_chosen_by_the_mean_of_all_columns():
    rows = compare_rankings(accuracies([0, 1, 2, 9, 8, 7], [0, 1, 2, 7, 8, 9]), share=0.5, resamples=50)
    assert rows[0]["tau"] == pytest.approx(0.6)
    assert (rows[1]["n"], rows[1]["tau"]) == (3, -1)
    assert np.isnan(compare_rankings(accuracies([1, 2, 3], [1, 2, 3]), share=0.3)[1]["tau"])


def test_steps_are_compared_with_the_step_before():
    bare = np.array([90.0, 91.0, 92.0, 94.0])
    rows = compare_steps(accuracies(list(bare), list(bare + 1), list(100 - bare)), resamples=100)
    assert [row["step"] for row in rows] == ["c0", "c1", "c2"]
    assert rows[0]["mean"] == pytest.approx(bare.mean())
    assert np.isnan([rows[0][key] for key in ("gain", "gain_low", "gain_high", "tau")]).all()
    assert (rows[1]["gain"], rows[1]["gain_low"], rows[1]["gain_high"]) == (1, 1, 1)
    assert (rows[1]["tau"], rows[2]["tau"]) == (1, -1)
    assert (rows[2]["lowest"], rows[2]["highest"]) == (6, 10)
    assert rows[1]["sd"] == pytest.approx(bare.std(ddof=1))
    assert rows[1]["mean_low"] < rows[1]["mean"] < rows[1]["mean_high"]


def test_rows_that_are_not_complete_are_left_out_and_counted():
    found = Accuracies.complete(["a", "b"], np.array([[1, 2], [2, np.nan], [3, 3], [4, 5]]), ["w", "x", "y", "z"])
    assert (len(found), found.dropped, found.architectures) == (3, 1, ("w", "y", "z"))


@pytest.mark.parametrize(("columns", "message"), [
    ([], "two different columns or more, got none"),
    (["acc"], "got acc"),
    (["acc", "acc"], "got acc, acc"),
    (["acc", "flosp"], "No column 'flosp'.*Did you mean 'flops'"),
])  # fmt: skip
def test_columns_that_say_nothing_are_refused(table, columns, message):
    with pytest.raises(SettingsError, match=message):
        read_accuracies(table, columns)
    with pytest.raises(SettingsError, match=r"3 architectures or more.*got 1"):
        accuracies([1, 2, np.nan], [1, np.nan, 3])
    with pytest.raises(SettingsError, match="share of the best"):
        compare_rankings(accuracies([1, 2, 3], [1, 2, 3]), share=0)
