from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.benchmarks.anchors import bench_anchors, means
from evonas.benchmarks.draw import draw_anchors
from evonas.cli import app
from evonas.errors import SettingsError
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def judged(codes, table):
    """What is found where low fidelity is the truth, FLOPs know much and a shuffled score knows nothing."""
    truth = np.asarray(table["acc"])
    scores = {"flops": np.asarray(table["flops"]) + 1, "junk": np.random.default_rng(0).permutation(truth)}
    run = lambda: bench_anchors(  # noqa: E731
        codes, table.architectures, truth, truth, counts=(0, 8, 24), scores=scores, shortness=0.0, seeds=2
    )
    return run, run()


def test_every_signal_has_a_row_per_number_of_anchors_and_seed(judged):
    _, rows = judged
    assert set(rows[0]) == {"signal", "anchors", "seed", "n", "tau", "tau_top30", "tau_top10"}
    assert {row["signal"] for row in rows} == {"acc", "free", "forest", "flops", "junk"}
    assert {(row["anchors"], row["seed"]) for row in rows if row["signal"] == "acc"} == {
        (count, seed) for count in (0, 8, 24) for seed in (0, 1)
    }
    assert not [row for row in rows if row["signal"] == "forest" and row["anchors"] == 0]


def test_anchors_are_not_among_those_judged(judged):
    _, rows = judged
    assert {(row["anchors"], row["n"]) for row in rows} == {(0, 729), (8, 721), (24, 705)}


def test_without_anchors_acc_is_free_and_anchors_help(judged):
    _, rows = judged
    tau = {(row["signal"], row["anchors"], row["seed"]): row["tau"] for row in rows}
    assert tau["acc", 0, 0] == tau["free", 0, 0]
    assert tau["acc", 24, 0] > tau["acc", 0, 0]
    assert abs(tau["junk", 0, 0]) < 0.1


def test_the_same_seeds_find_the_same(judged):
    run, rows = judged
    assert run() == rows


def test_rows_of_equal_canonical_form_are_one_architecture(nasbench201):
    """Two texts of one network: where one is an anchor the other is not judged."""
    genomes = nasbench201.sample(400, np.random.default_rng(0))
    forms = [nasbench201.decode(genome) for genome in genomes]
    forms = list(dict.fromkeys(forms))
    keys = [str(nasbench201.canonical(form)) for form in forms]
    assert len(set(keys)) < len(keys)
    values = np.random.default_rng(0).normal(size=len(forms))
    most = len(set(keys)) - 10
    rows = bench_anchors(
        nasbench201, forms, values, values, counts=(16,), scores={"flops": np.arange(1.0, len(forms) + 1)}, seeds=1
    )
    assert rows[0]["n"] <= len(forms) - 16
    with pytest.raises(SettingsError, match=f"at most {most} anchors"):
        bench_anchors(nasbench201, forms, values, values, counts=(most + 1,), scores={"flops": values}, seeds=1)


def test_means_are_over_seeds_and_leave_out_what_is_not_known():
    row = {"signal": "a", "anchors": 0, "tau_top30": float("nan"), "tau_top10": 0.5}
    found = means([{**row, "tau": 0.2}, {**row, "tau": 0.4}])["a", 0]
    assert found["tau"] == pytest.approx((0.3, 0.1))
    assert np.isnan(found["tau_top30"][0])
    assert found["tau_top10"] == (0.5, 0.0)


def test_the_figure_is_a_png(judged):
    assert draw_anchors(judged[1]).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def file(tmp_path_factory, nasbench201):
    """60 cells whose accuracy counts 3x3 convolutions; low fidelity errs a little."""
    forms = list(dict.fromkeys(nasbench201.decode(g) for g in nasbench201.sample(60, np.random.default_rng(0))))
    truth = np.array([str(form).count("conv_3x3") + 0.3 * str(form).count("conv_1x1") for form in forms])
    low = truth + 0.1 * np.random.default_rng(0).normal(size=len(forms))
    path = tmp_path_factory.mktemp("tables") / "cells.csv"
    lines = [f"{form},{a},{b}" for form, a, b in zip(forms, low, truth, strict=True)]
    path.write_text("\n".join(["arch,acc_12,acc_200", *lines]) + "\n")
    scores = path.with_name("scores.csv")
    lines = [f"{form},{a},{a}" for form, a in zip(forms, truth, strict=True)]
    scores.write_text("\n".join(["arch,nwot,val_metric_full", *lines[:40]]) + "\n")
    return path


def command(file, *more):
    words = ["bench", "estimator", "--space", "nasbench201", "--table", str(file), "--seeds", "1", *more]
    return CliRunner().invoke(app, words)


def test_the_command_writes_json_csv_and_figure(file, tmp_path):
    out = tmp_path / "a.json"
    low_high = ("--low", "acc_12:12", "--high", "acc_200:200")
    scores = str(file.with_name("scores.csv"))
    result = command(file, *low_high, "--anchors", "0,8", "--proxy-scores", scores, "--out", str(out))
    assert result.exit_code == 0, result.output
    rows = json.loads(out.read_text())
    assert {row["signal"] for row in rows} == {"acc", "free", "forest", "flops", "params", "nwot"}
    assert {row["n"] for row in rows if row["anchors"] == 0} == {40}  # those that the file of scores holds
    assert out.with_suffix(".csv").read_text().startswith("signal,anchors,seed,n,tau,tau_top30,tau_top10")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--low", "acc_5", "--high", "acc_200"), "No column 'acc_5' in cells.csv"),
        (("--low", "acc_12:200", "--high", "acc_200:12"), "no more epochs than the high one"),
        (("--low", "acc_12", "--high", "acc_200", "--anchors", "0,400"), "Expected at most"),
        (("--low", "acc_12", "--high", "acc_200", "--anchors", "some"), "whole numbers"),
        (("--low", "acc_12"), "--low and --high together"),
        (("--supernet", "nowhere"), "--supernet goes with --low"),
        (("--low", "acc_12", "--high", "acc_200", "--anchors", "8", "--supernet", "nowhere"), "nowhere"),
        (("--low", "acc_12", "--high", "acc_200", "--proxy-scores", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_bad_input_is_an_error_of_one_line(file, more, message):
    result = command(file, *more)
    assert result.exit_code != 0
    assert message in str(result.exception)
    assert len(str(result.exception).splitlines()) == 1


@pytest.mark.usefixtures("few_references")
def test_shared_weights_of_a_run_are_signals(made, tmp_path):
    """Both of a path's readings have rows; a run of another space is refused."""
    space = load_space(made.parent / "tiny.toml")
    genomes = space.sample(45, np.random.default_rng(0))
    forms = list({str(form): form for form in map(space.decode, genomes)}.values())
    path = tmp_path / "table.csv"
    lines = ["architecture,acc", *(f'"{form}",{number}' for number, form in enumerate(forms))]
    path.write_text("\n".join(lines) + "\n")
    words = ["--table", str(path), "--low", "acc", "--high", "acc", "--anchors", "0,8", "--seeds", "1"]
    out = tmp_path / "a.json"
    runner = CliRunner()
    estimator = ["bench", "estimator", "--space"]
    found = runner.invoke(
        app, [*estimator, str(made.parent / "tiny.toml"), *words, "--supernet", str(made), "--out", str(out)]
    )
    assert found.exit_code == 0, found.output
    rows = json.loads(out.read_text())
    assert {row["signal"] for row in rows} >= {"supernet:loss", "supernet:smoothed", "acc"}
    assert all(row["n"] > 30 for row in rows if row["signal"].startswith("supernet"))
    cells = tmp_path / "cells.csv"
    cells.write_text("arch,acc\n" + "\n".join(f"{form},1" for form in _cells(60)) + "\n")
    words[1] = str(cells)
    refused = runner.invoke(app, [*estimator, "nasbench201", *words, "--supernet", str(made)])
    assert "Expected a run of the space nasbench201" in str(refused.exception)


def _cells(number):
    space = load_space("nasbench201")
    return list(dict.fromkeys(space.decode(genome) for genome in space.sample(number, np.random.default_rng(0))))
