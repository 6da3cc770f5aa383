"""``evonas bench``: every command writes its figures."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from evonas.benchmarks.overhead import QUICK
from evonas.cli import app

KEYS = {
    "swap": {"speedup_over_naive", "over_forward", "peak_bytes", "naive_peak_bytes"},
    "supernet": {
        "disturbance_immune_over_uniform", "uniform_over_standalone", "accuracy_over_standalone", "trace_over_d",
        "peak_bytes_over_uniform",
    },
    "search": {"outside_evaluations_us_per_candidate"},
}  # fmt: skip


def test_the_command_writes_every_figure(tmp_path):
    out = tmp_path / "overhead.json"
    torch.manual_seed(3)
    before = torch.get_rng_state()
    alone = CliRunner(env={"EVONAS_CACHE": str(tmp_path / "cache"), "EVONAS_DATA": None})
    done = alone.invoke(app, ["bench", "overhead", "--quick", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert torch.equal(torch.get_rng_state(), before)
    results = json.loads(out.read_text())
    for part, keys in KEYS.items():
        assert keys <= results[part].keys()
        assert all(results[part][key] > 0 for key in keys)
    assert results["supernet"]["trace_over_d"] < 1
    assert results["settings"]["quick"] is True
    assert results["settings"]["repeats"] == QUICK.repeats
    assert results["machine"]["torch"] == torch.__version__
    assert out.with_suffix(".csv").read_text().startswith("part,figure,value\nswap,speedup_over_naive,")


def test_the_command_writes_json_csv_and_a_figure(tmp_path, few_references):
    pytest.importorskip("matplotlib")
    file, out = tmp_path / "table.csv", tmp_path / "out.json"
    rows = [f"{a}{b}000000,{a + b}.5,1,1" for a in range(3) for b in range(3)] + ["22222222,9,2,2"]
    file.write_text("arch,acc,params,flops\n" + "\n".join(rows) + "\n")
    done = CliRunner().invoke(
        app,
        ["bench", "supernet", "--space", "nasbench_macro", "--table", str(file), "--target", "acc", "--rules",
         "uniform", "--passes", "2", "--seeds", "1", "--channels", "4", "--skeleton", "cifar", "--sample", "10",
         "--train-limit", "200", "--batch-size", "8", "--out", str(out)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "precision@10" in done.output
    assert "trace(P)/d" in done.output
    assert "width=0.125" in json.loads(out.read_text())["setting"]["skeleton"]
    assert out.with_suffix(".csv").exists()
    assert out.with_suffix(".png").exists()
