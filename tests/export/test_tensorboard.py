"""A run as TensorBoard reads it, whole and while it grows."""

from __future__ import annotations

import json

import pytest

from evonas.export.export import export_run
from evonas.export.tensorboard import TensorBoardLog
from evonas.pareto.short_id import short_id
from evonas.runs.front_file import read_front
from evonas.spaces import load_space


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_reads_every_scalar(run, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    baseline = {name: {"evaluations": [6], "hypervolume": [v]} for name, v in (("search", 0.5), ("random", 0.25))}
    (run.path / "baseline.json").write_text(json.dumps({**baseline, "evaluations": 6, "reference_point": [0.5, 5e6]}))
    export_run(run, "tensorboard", tmp_path / "tb")
    read = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert set(read.Tags()["scalars"]) == {
        "evaluations/acc", "evaluations/flops", "hypervolume/search", "hypervolume/random_sampling",
    }  # fmt: skip
    assert [(e.step, e.value) for e in read.Scalars("evaluations/acc")] == [
        (1, pytest.approx(0.5)), *((i + 1, pytest.approx(0.5 + 0.05 * i)) for i in range(2, 6)),
    ]  # fmt: skip
    assert [e.value for e in read.Scalars("hypervolume/random_sampling")] == [0.25]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_members_are_hparams_with_the_names_of_their_options(run, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    export_run(run, "tensorboard", tmp_path / "tb")
    front, space = read_front(run), load_space("darts")
    folders = {path.name: path for path in (tmp_path / "tb" / "members").iterdir()}
    assert set(folders) == {short_id(member.architecture) for member in front}
    member = front[0]
    read = EventAccumulator(str(folders[short_id(member.architecture)])).Reload()
    assert read.Scalars("member/flops")[0].value == pytest.approx(member.values["flops"])
    content = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    started = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    genome = space.encode(space.parse(member.architecture))
    named = zip(space.choices, space.option_names, genome, strict=True)
    assert {name: value.string_value for name, value in started.items()} == {n: o[g] for n, o, g in named}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_reads_the_scalars_of_a_resumed_search_once(growing, add_generation):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    add_generation(growing, 0)
    for _ in range(2):  # stopped after the first generation, resumed
        log = TensorBoardLog()
        log(growing)
        log.close(None)
    read = EventAccumulator(str(growing.path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in read.Scalars("evaluations/acc")] == [(1, 0.5), (2, pytest.approx(0.6))]
