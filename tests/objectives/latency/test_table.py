from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas import runtime
from evonas.errors import EvaluationError, ExportError, SettingsError
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost.assemble import assemble, export_block
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks
from evonas.objectives.latency import latency
from evonas.objectives.latency import measure as latency_measure
from evonas.objectives.latency.latency import (
    LatencyTable,
    check_latency_table,
    device_latency_table,
    measure_latency_table,
    read_latency_table,
)
from evonas.objectives.latency.table import fit_sums
from evonas.pareto.correlation import spearman
from evonas.runtime import Timing
from evonas.spaces import as_candidates

FLOOR = 0.01


def _timed(models, **options) -> list[Timing]:
    """Return the times that a model's nodes and the sizes of its weights give, instead of a stopwatch's."""
    timings = []
    for model in models:
        nodes = [n for n in model.graph.node if n.op_type not in ("Identity", "Flatten", "Constant")]
        elements = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
        seen = {(n.op_type, n.input[0]) for n in nodes if len(n.input) == 1}
        launched = len(seen) + sum(len(n.input) != 1 for n in nodes)
        ms = FLOOR + 0.003 * launched + 1e-6 * elements
        timings.append(Timing(median_ms=1.5 * ms, mad_ms=0.1, minimum_ms=ms, repeats=options["repeats"]))
    return timings


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the stopwatch."""
    # Times that are known, instead of the clock's.
    monkeypatch.setattr(runtime, "measure_models", _timed)


@pytest.fixture(scope="module")
def table(tiny: Context) -> LatencyTable:
    """A table of the tiny skeleton, measured once by clockwork; tables are never changed."""
    with pytest.MonkeyPatch.context() as patch:
        # Times that are known, instead of the clock's.
        patch.setattr(runtime, "measure_models", _timed)
        return measure_latency_table(tiny.space, tiny.skeleton, networks=20)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.5), st.floats(0.5, 2.0), st.floats(0.0, 0.01))
@settings(max_examples=20, deadline=None)
def test_a_fit_finds_what_is_linear(seed: int, constant: float, slope: float, per_node: float):
    rng = np.random.default_rng(seed)
    sums = [{"a": float(x), "b": float(y)} for x, y in rng.uniform(0.5, 3.0, (30, 2))]
    nodes = rng.integers(20, 80, 30).tolist()
    total = np.array([row["a"] + row["b"] for row in sums])
    target = constant + slope * total + per_node * np.array(nodes)
    fit, error = fit_sums(sums, nodes, target, ridge=0.0)
    assert error < 1e-3
    row, n = {"a": 1.0, "b": 2.0}, 40
    own = sum(fit.kinds[kind] * value for kind, value in row.items())
    value = fit.constant + fit.slope * 3.0 + fit.per_node * n + own
    assert value == pytest.approx(constant + slope * 3.0 + per_node * n, rel=0.01)


def test_a_kind_that_counts_more_is_found():
    rng = np.random.default_rng(0)
    sums = [{"conv": float(x), "pool": float(y)} for x, y in rng.uniform(0.5, 3.0, (40, 2))]
    target = np.array([row["conv"] + 1.6 * row["pool"] for row in sums])
    fit, error = fit_sums(sums, [10] * 40, target)
    assert fit.kinds["pool"] > fit.kinds["conv"]
    assert error < 0.05


def test_a_table_predicts_networks_that_it_was_not_fitted_to(tiny: Context, clockwork, table):
    found = check_latency_table(table, tiny.space, networks=30)
    assert found.spearman > 0.95
    assert found.median_error < 0.03
    assert found.within_10_percent == 1
    assert found.spearman_repeated == 1
    assert found.differs == []
    assert spearman(*np.array([[row["table"], row["measured"]] for row in found.rows]).T) == found.spearman
    assert table.floor_ms == FLOOR
    # What a table says is a median, half as long again as the shortest call here.
    assert all(row["measured"] == pytest.approx(1.5 * row["minimum_ms"]) for row in found.rows)


def test_a_table_survives_its_file(tiny: Context, table, draw, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(table.to_json())
    assert read_latency_table(path) == table
    context = replace(tiny, options={"latency_table": str(path)})
    forms = draw(tiny.space, 5)
    values = [row["latency"].value for row in make_evaluator("latency", context).evaluate(as_candidates(forms))]
    graphs = GraphBuilder(tiny.space, tiny.skeleton)
    assert values == [table.latency(graphs(form)) for form in forms]
    assert all(value > 0 for value in values)


def test_a_table_of_another_device_is_said(tiny: Context, clockwork, table, tmp_path):
    phone = replace(table, device={**table.device, "cpu": "a phone"})
    path = tmp_path / "phone.json"
    path.write_text(phone.to_json())
    assert check_latency_table(phone, tiny.space, networks=3).differs[0].startswith("cpu: measured on a phone")
    evaluator = make_evaluator("latency", replace(tiny, options={"latency_table": path}))
    assert evaluator.foreign[0].startswith("cpu: measured on a phone")
    path.write_text(table.to_json())
    assert make_evaluator("latency", replace(tiny, options={"latency_table": path})).foreign == []


def test_threads_and_batch_of_a_table_that_the_search_does_not_share_are_said(tiny: Context, clockwork, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(measure_latency_table(tiny.space, tiny.skeleton, networks=20, threads=2, batch=4).to_json())
    evaluator = make_evaluator("latency", replace(tiny, options={"latency_table": path}))
    assert evaluator.foreign == ["threads: measured on 2, here 1", "batch: measured on 4, here 1"]


def test_a_table_measured_in_a_hurry_does_not_stand_for_the_device(tiny: Context, table, tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path))

    def measured(*given, seconds, **options):
        seconds()  # asked for once blocks are exported
        return table

    # Measuring takes a minute.
    monkeypatch.setattr(latency, "measure_latency_table", measured)
    device_latency_table(tiny.space, tiny.skeleton, left=lambda: latency_measure.SECONDS / 2)
    assert not list(tmp_path.rglob("latency-*.json"))
    device_latency_table(tiny.space, tiny.skeleton)
    assert device_latency_table(tiny.space, tiny.skeleton)[1] is not None


def test_a_provider_is_asked_for_recorded_and_used_by_the_check(tiny: Context, clockwork, monkeypatch):
    asked = []
    timed = runtime.measure_models

    def noted(models, **options):
        asked.append(options["providers"])
        return timed(models, **options)

    # Times that are known, instead of the clock's.
    monkeypatch.setattr(runtime, "measure_models", noted)
    table = measure_latency_table(tiny.space, tiny.skeleton, networks=20, provider="XnnpackExecutionProvider")
    assert table.device["provider"] == "XnnpackExecutionProvider"
    assert table.session["providers"] == ["XnnpackExecutionProvider"]
    assert check_latency_table(table, tiny.space, networks=3).differs == []
    assert asked == [["XnnpackExecutionProvider"]] * 2


def test_a_provider_that_is_not_there_is_refused(tiny: Context):
    with pytest.raises(SettingsError, match=r"Expected an execution provider of .*got 'Xnnpack'"):
        measure_latency_table(tiny.space, tiny.skeleton, networks=20, provider="Xnnpack")


def test_a_table_of_another_space_or_skeleton_is_refused(tiny: Context, table, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(replace(table, space="lhd").to_json())
    with pytest.raises(SettingsError, match="of space 'lhd'"):
        make_evaluator("latency", replace(tiny, options={"latency_table": path}))
    path.write_text(table.to_json())
    other = replace(tiny, skeleton=tiny.skeleton.replace(cells=4), options={"latency_table": path})
    with pytest.raises(SettingsError, match="cells 3 there, 4 here"):
        make_evaluator("latency", other)


def test_a_block_that_was_not_measured_is_named(tiny: Context, table, draw):
    (form,) = draw(tiny.space, 1)
    with pytest.raises(EvaluationError, match="does not hold the block stem"):
        replace(table, blocks={}).latency(GraphBuilder(tiny.space, tiny.skeleton)(form))


def spoil(**changes):
    def spoiled(content: dict) -> str:
        return json.dumps({**content, **changes})

    return spoiled


@pytest.mark.parametrize(
    "change",
    [
        lambda content: "",
        lambda content: "[]",
        lambda content: "{}",
        spoil(format=2),
        spoil(fit=[1, 2, 3]),
        spoil(error="small"),
        spoil(blocks={"a": {}}),
        spoil(blocks={"a": {"ms": float("nan")}}),
        spoil(extra=1),
    ],
)
def test_what_is_no_table_is_refused(change, table: LatencyTable):
    content = json.loads(table.to_json())
    with pytest.raises(SettingsError, match=r"Cannot read x\.json: .*evonas latency build"):
        LatencyTable.from_json(change(content), "x.json")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"Cannot read the latency table .*none\.json: No such file"):
        read_latency_table(tmp_path / "none.json")


def test_too_few_networks_are_refused(tiny: Context):
    with pytest.raises(SettingsError, match="20 networks or more"):
        measure_latency_table(tiny.space, tiny.skeleton, networks=19)
    assert latency_measure.CALIBRATION >= 20


def test_a_block_that_cannot_be_exported_is_named(tiny: Context, monkeypatch):
    def refuse(*arguments, **options):
        raise ExportError("no operator for it")

    # Whether anything is exported again is what is tested.
    monkeypatch.setattr(runtime, "export", refuse)
    with pytest.raises(ExportError, match=r"The block \S+ cannot be exported: no operator for it"):
        measure_latency_table(tiny.space, tiny.skeleton, networks=20)


def test_a_device_is_measured_once(tiny: Context, clockwork, cache):
    table, kept = device_latency_table(tiny.space, tiny.skeleton)
    assert kept is None
    assert measure_latency_table(tiny.space, tiny.skeleton, seed=1).fit != table.fit
    again, kept = device_latency_table(tiny.space, tiny.skeleton, seed=1)  # what is measured depends on the seed
    assert again == table
    assert kept is not None
    assert kept.parent == cache
    kept.write_text("{")
    assert device_latency_table(tiny.space, tiny.skeleton) == (table, None)
    # Other threads are another device.
    assert device_latency_table(tiny.space, tiny.skeleton, threads=2)[1] is None
    assert len(list(cache.glob("latency-*.json"))) == 2


def test_a_disturbed_table_is_not_kept(tiny: Context, clockwork, cache, monkeypatch):
    measured = latency.measure_latency_table
    # Measuring takes a minute.
    monkeypatch.setattr(
        latency, "measure_latency_table", lambda *a, **o: replace(measured(*a, **o), error=2 * latency.WORST)
    )
    for _ in range(2):
        assert device_latency_table(tiny.space, tiny.skeleton)[1] is None
    assert not list(cache.glob("latency-*.json"))


@pytest.mark.parametrize("batch", [1, 3])
def test_a_small_table_is_really_measured(batch: int, tiny: Context):
    table = measure_latency_table(
        tiny.space, tiny.skeleton.replace(cells=1), networks=20, repeats=2, seconds=5.0, batch=batch
    )
    assert table.device["batch"] == batch
    assert table.floor_ms > 0
    assert 0 <= table.error < 1
    assert all(block["ms"] >= 0 and block["median_ms"] > 0 for block in table.blocks.values())


def test_every_space_has_its_blocks_exported(space, draw):
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    graphs = GraphBuilder(space, skeleton)
    (form,) = draw(space, 1, seed=2)
    block_graph = graphs(form)
    blocks = {step.block.key: step.block for step in block_graph.steps if step.reads}
    model = assemble(block_graph, {key: export_block(block) for key, block in blocks.items()})
    (logits,) = runtime.session(model).run(None, {"value_0": np.ones(block_graph.shapes[0], np.float32)})
    assert logits.shape == (1, 10)
    assert set(blocks) <= set(all_blocks(graphs))
