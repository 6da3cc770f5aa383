"""Predictors judged across spaces, on small tables made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.benchmarks import transferable_graphs
from evonas.benchmarks.judged_table import split_table_name
from evonas.benchmarks.onnx_table import read_table
from evonas.benchmarks.predictors import bench_predictors, summarize_predictors
from evonas.benchmarks.train_predictor import train_predictor
from evonas.benchmarks.transferable import TRANSFERABLE
from evonas.cli import app
from evonas.errors import DataError, SettingsError
from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.encoders.traits import TRAITS
from evonas.predictors.general import shipped_predictor
from evonas.spaces import load_space

COLUMNS = {"predictor", "train", "test", "labels", "seed", "n", "spearman", "kendall", "kendall_top30"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, str]:
    """Tables of two spaces whose accuracy is how deep and how evenly wide a network is; FLOPs say less."""
    folder, names = tmp_path_factory.mktemp("tables"), {}
    for name in ("nasbench201", "nasbench_macro"):
        space = load_space(name)
        genomes = space.sample(60, np.random.default_rng(5))
        forms = list(dict.fromkeys(space.canonical(space.decode(genome)) for genome in genomes))[:45]
        traits = TraitReader(space, space.literature_skeleton())(forms)
        ranks = traits.argsort(0).argsort(0)
        values = ranks[:, TRAITS.index("depth")] + ranks[:, TRAITS.index("even params")]
        lines = [f'"{form}",{value},{-value}' for form, value in zip(forms, values, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["arch,acc,loss", *lines]))
        names[name] = f"{folder / name}.csv:{name}"
    return names


def test_rows_are_as_documented_and_traits_carry_over(tables):
    train, test = (read_table(f"{tables[name]}:acc") for name in ("nasbench_macro", "nasbench201"))
    rows = bench_predictors([train], [test], labels=[0, 20], seeds=1, shipped=shipped_predictor())
    assert all(set(row) == COLUMNS for row in rows)
    names = {row["predictor"] for row in rows}
    assert names == {"flops", "free", "gaussian-process", "ranker", "traits", "general without nasbench201"}
    found = {(row["predictor"], row["labels"]): row["spearman"] for row in summarize_predictors(rows)}
    assert ("gaussian-process", 0) not in found
    assert found["traits", 0] > found["flops", 0] + 0.02
    assert found["traits", 20] > found["gaussian-process", 20]
    zero = [row for row in rows if row["labels"] == 0]
    assert {row["n"] for row in zero} == {len(test)}
    few = [row for row in rows if row["labels"] == 20]
    assert {row["n"] for row in few} == {len(test) - 20}
    (taught,) = {tuple(row["train"]) for row in rows if row["predictor"].startswith("general")}
    assert [one.split(":")[1] for one in taught] == ["nasbench_macro", "mobilenet_v3"]
    again = bench_predictors([train], [test], labels=[0], seeds=2)  # nothing is drawn: one row each
    assert [row for row in zero if not row["predictor"].startswith("general")] == again


def test_a_column_of_which_less_is_better_is_turned_round(tables):
    up, down = (read_table(f"{tables['nasbench201']}:{column}") for column in ("acc", "loss:min"))
    assert (up.values == down.values).all()


def test_names_are_split_from_the_right():
    assert split_table_name("a:b/c.csv:my.toml:acc")[1:] == ("a:b/c.csv", "my.toml", "acc", 1.0)
    for text in ("table.csv", "table.csv:darts", "table.csv::acc", ":darts:acc"):
        with pytest.raises(SettingsError, match="Expected FILE:SPACE:COLUMN"):
            split_table_name(text)


def test_too_small_tables_too_many_labels_and_the_same_table_twice_are_refused(tables, tmp_path):
    text = f"{tables['nasbench201']}:acc"
    table = read_table(text)
    with pytest.raises(SettingsError, match=r"at most \d+ labels"):
        bench_predictors([], [table], labels=[40])
    with pytest.raises(SettingsError, match="other tables to train on"):
        bench_predictors([table], [table], labels=[0])
    (tmp_path / "few.csv").write_text("arch,acc\n" + "".join(f"0000000{i % 3},{i}\n" for i in range(3)))
    with pytest.raises(DataError, match="10 rows or more"):
        read_table(f"{tmp_path}/few.csv:nasbench_macro:acc")


def test_a_predictor_is_trained_on_several_spaces_and_judged_on_each(tables):
    read = [read_table(f"{tables[name]}:acc") for name in tables]
    found = train_predictor(read, sources={"nasbench_macro": "made here (CC0)"})
    assert set(found.without) == set(found.judged) == set(tables)
    assert all(row["spearman"] > row["flops"] for row in found.judged.values())
    assert [(one.source, one.licence) for one in found.tables][1] == ("made here", "CC0")
    for source, message in (
        ({"nasbench_macro": "made here"}, r"SOURCE \(LICENCE\), .*got 'made here'"),
        ({"nasbench_macro": "https://x.org (v2) data"}, r"SOURCE \(LICENCE\)"),
        ({"nasbench_macr": "made here (CC0)"}, r"got one of 'nasbench_macr'\. Did you mean 'nasbench_macro'"),
    ):
        with pytest.raises(SettingsError, match=message):
            train_predictor(read, sources=source)
    with pytest.raises(SettingsError, match="two or more spaces, one for each, got nasbench201"):
        train_predictor(read[:1])


def test_commands(tables, tmp_path):
    run = CliRunner().invoke
    train = [f"--tables={tables[name]}:acc" for name in tables]
    out = tmp_path / "mine.safetensors"
    result = run(app, ["predictors", "train", *train, f"--out={out}"])
    assert result.exit_code == 0, result.output
    assert "space left out" in result.output
    found = tmp_path / "found.json"
    options = ["--labels=0", f"--predictor={out}", f"--out={found}"]
    options += [f"--test={tables['nasbench201']}:{column}" for column in ("acc", "loss", "loss:min")]
    result = run(app, ["bench", "predictors", *options], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    for column in ("acc", "loss", "loss:min"):
        assert f"nasbench201.csv:nasbench201:{column} " in result.output
    rows = json.loads(found.read_text())
    assert [set(row) for row in rows] == [COLUMNS] * len(rows)
    assert {row["predictor"] for row in rows} == {"flops", "free", "ranker", "general without nasbench201"}


def test_nothing_is_learned_of_the_space_that_is_judged(tables, tmp_path):
    """Two files of one space: what one says of the other's architectures is no transfer."""
    space = tables["nasbench201"]
    copied = tmp_path / "copy.csv"
    copied.write_text(Path(space.rpartition(":")[0]).read_text())
    same, test, other = (
        read_table(text) for text in (f"{copied}:nasbench201:acc", f"{space}:acc", f"{tables['nasbench_macro']}:acc")
    )
    both, one = (bench_predictors(train, [test], labels=[0]) for train in ([same, other], [other]))
    assert both == one
    (taught,) = {tuple(row["train"]) for row in both if row["predictor"] == "traits"}
    assert taught == (other.name.text,)
    with pytest.raises(SettingsError, match=r"another space than nasbench201, .* got .*copy\.csv"):
        bench_predictors([same], [other, test], labels=[0])


def test_the_transformer_learns_from_texts(tables, monkeypatch):
    # Learners have no settings; the size of theirs takes minutes.
    monkeypatch.setattr(transferable_graphs, "TEXT_EPOCHS", 1)
    monkeypatch.setattr(transferable_graphs, "LENGTH", 32)
    table = read_table(f"{tables['nasbench201']}:acc", limit=12)
    assert np.isfinite(transferable_graphs.GRAPH_LEARNERS["text"]([table])(table)).all()


def test_labels_of_graphs_carry_over_as_other_predictors_do(tables):
    """What is learned here is a function of how deep a network is, which its graph says."""
    train, test = (read_table(f"{tables[name]}:acc") for name in ("nasbench_macro", "nasbench201"))
    rows = bench_predictors([train], [test], labels=[0], learners=["wl"])
    found = {row["predictor"]: row["spearman"] for row in rows}
    assert set(found) == {"flops", "free", "ranker", "wl"}
    assert found["wl"] > 0.4
    with pytest.raises(SettingsError, match=r"got 'wll'\. Did you mean 'wl'"):
        bench_predictors([train], [test], labels=[0], learners=["wll"])


@pytest.mark.slow
def test_networks_of_graphs_and_texts_can_be_judged(tables):
    train, test = (read_table(f"{tables[name]}:acc") for name in ("nasbench_macro", "nasbench201"))
    pytest.importorskip("lightgbm")
    names = [name for name in TRANSFERABLE if name != "traits"]
    rows = bench_predictors([train], [test], labels=[0, 20], seeds=1, learners=names)
    assert {(row["predictor"], row["labels"]) for row in rows} >= {(name, n) for name in names for n in (0, 20)}
    assert all(np.isfinite(row["spearman"]) for row in rows)


def chain(path: Path, layers: int, channels: int) -> None:
    """Write a chain of convolutions as another program might."""
    import onnx
    from onnx import TensorProto, helper

    nodes, weights, read = [], [], 3
    for i in range(layers):
        weights.append(
            helper.make_tensor(f"w{i}", TensorProto.FLOAT, (channels, read, 3, 3), [0.1] * channels * read * 9)
        )
        nodes.append(helper.make_node("Conv", [f"x{i}", f"w{i}"], [f"c{i}"], kernel_shape=[3, 3], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"x{i + 1}"]))
        read = channels
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, size, 8, 8))
        for name, size in (("x0", 3), (f"x{layers}", channels))
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


def test_networks_may_be_onnx_files_beside_the_table(tables, tmp_path):
    rows = [(layers, channels) for layers in (1, 2, 3, 4) for channels in (4, 6, 8)]
    for layers, channels in rows:
        chain(tmp_path / f"{layers}_{channels}.onnx", layers, channels)
    lines = [f"{layers}_{channels}.onnx,{layers + channels / 100}" for layers, channels in rows]
    (tmp_path / "onnx.csv").write_text("\n".join(["file,acc", *lines]))
    test = read_table(f"{tmp_path}/onnx.csv:onnx:acc")
    assert test.flops[0] == 4 * 3 * 9 * 64
    train = read_table(f"{tables['nasbench201']}:acc")
    found = bench_predictors([train], [test], labels=[0, 2], seeds=1, shipped=shipped_predictor())
    judged = {(row["predictor"], row["labels"]): row["spearman"] for row in found}
    assert {name for name, _ in judged} == {"flops", "free", "ranker", "traits", "general"}
    assert judged["general", 0] > 0.9
    with pytest.raises(SettingsError, match="holds ONNX files, not architectures"):
        test.space  # noqa: B018
    (tmp_path / "none.csv").write_text("arch,acc\n" + "a,1\n" * 12)
    with pytest.raises(DataError, match="Expected a column 'file'"):
        read_table(f"{tmp_path}/none.csv:onnx:acc")
