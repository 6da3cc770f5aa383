"""Kits: what a device measures that has onnxruntime and numpy alone, and the tables that its answers become."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from evonas.cli.latency import latency
from evonas.deployment import measure_alone
from evonas.deployment.kit import make_kit
from evonas.errors import EvonasError, ExportError, SettingsError
from evonas.files.progress import Silent
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost.assemble import assemble
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks, draw
from evonas.objectives.latency.latency import read_latency_table
from evonas.objectives.latency.measure import export_all
from evonas.objectives.latency.measurements import read_measurements
from evonas.runtime import timing_alone
from evonas.runtime.timing_alone import Turns, drift_words, time_in_turns
from evonas.spaces import as_candidates, load_space

SMALL = {"resolution": 8, "classes": 3, "in_channels": 1, "channels": 4}


@pytest.fixture(scope="module")
def space():
    return load_space("nasbench_macro")


@pytest.fixture(scope="module")
def models(space):
    """Every block of these networks, exported, by key."""
    return export_all(all_blocks(GraphBuilder(space, space.skeleton("small", **SMALL))), 1, Silent())


@pytest.fixture(scope="module")
def kit(space, tmp_path_factory) -> Path:
    """A kit of few and small networks; never changed."""
    out = tmp_path_factory.mktemp("kit") / "kit"
    make_kit(space, space.skeleton("small", **SMALL), out, networks=20)
    return out


class Counted:
    """A session that takes as long as its operations, by a clock that only it moves."""

    now = 0

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path, load_external_data=False).graph
        sizes = [int(np.prod(weight.dims)) for weight in graph.initializer]
        self.cost = 3000 + 2000 * len(graph.node) + sum(sizes)

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def get_inputs(self) -> list[Any]:
        return []

    def run(self, names: object, feed: object) -> None:
        Counted.now += self.cost


@pytest.fixture
def answer(kit, tmp_path, monkeypatch) -> Path:
    """Results of that kit by clockwork."""
    folder = tmp_path / "device"
    shutil.copytree(kit, folder)
    # A device that this machine is not.
    monkeypatch.setattr(measure_alone, "open_model", lambda path, *_: Counted(path))
    monkeypatch.setattr(
        measure_alone,
        "time_in_turns",
        lambda sessions, feeds, **options: time_in_turns(
            sessions, feeds, repeats=15, seconds=1e9, clock=lambda: Counted.now
        ),
    )
    # The script stands in a folder of a device.
    monkeypatch.setattr(measure_alone, "__file__", str(folder / "measure.py"))
    assert measure_alone.main() == 0
    return folder / "results.json"


def test_equal_weights_are_held_once_and_the_size_is_said_and_bounded(space, kit, models, tmp_path):
    graphs = GraphBuilder(space, space.skeleton("small", **SMALL))
    drawn = [graphs(architecture) for architecture in draw(space, 20, [0, 20])]
    apart = sum(model.ByteSize() for model in [*models.values(), *(assemble(one, models) for one in drawn)])
    held = sum(file.stat().st_size for file in kit.rglob("*") if file.is_file())
    weights = (kit / "models" / "weights.bin").stat().st_size
    assert weights < 0.2 * apart
    assert held < apart

    class Said(Silent):
        def say(self, text: str) -> None:
            lines.append((text, (tmp_path / "kit").exists()))

    lines: list[tuple[str, bool]] = []
    with pytest.raises(SettingsError, match=r"at most 0\.01 MB \(--max-size\), this one takes \d\.\d MB"):
        make_kit(space, space.skeleton("small", **SMALL), tmp_path / "kit", networks=20, max_size=0.01, progress=Said())
    ((text, there),) = lines
    assert not there
    assert f"20 whole networks of nasbench_macro: {held / 1e6:.1f} MB" in text
    assert not (tmp_path / "kit").exists()
    with pytest.raises(ExportError, match="choose another --out"):
        make_kit(space, space.skeleton("small"), kit)
    with pytest.raises(SettingsError, match="20 or more"):
        make_kit(space, space.skeleton("small"), tmp_path / "kit", networks=5)


def test_the_answer_becomes_a_table_like_any_other(space, models, answer, tmp_path):
    out = tmp_path / "table.json"
    done = CliRunner().invoke(latency, ["build", "--measurements", str(answer), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "whole networks, each left out of the fit in turn" in done.output
    table = read_latency_table(out)
    assert (table.space, table.calibration) == ("nasbench_macro", 20)
    assert table.error < 0.02
    skeleton = space.skeleton("small", **SMALL)
    evaluator = make_evaluator("latency", Context(space, skeleton, options={"latency_table": str(out)}))
    architectures = draw(space, 5, [7, 7])
    found = [row["latency"].value for row in evaluator.evaluate(as_candidates(architectures))]
    # Other networks than those of the fit, counted as the clock counts.
    graphs = GraphBuilder(space, skeleton)
    for architecture, ms in zip(architectures, found, strict=True):
        onnx.save(assemble(graphs(architecture), models), tmp_path / "one.onnx")
        assert ms == pytest.approx(Counted(tmp_path / "one.onnx").cost / 1e6, rel=0.05)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "Cannot read the measurements .*run the kit's measure.py again"),
        (lambda text: text.replace("nasbench_macro", "darts", 1), "what it says of its kit was changed"),
        (lambda text: text.replace('"format": 1', '"format": 9', 1), "results of format 1"),
        (lambda text: _without(text, "network 3"), r"lack 1 of \d+ models, such as 'network 3'"),
        (lambda text: _with(text, "network 3", "minimum_ms", -1.0), "times of 'network 3' are none"),
        (lambda text: _with(text, "network 3", "median_ms", float("nan")), "times of 'network 3' are none"),
        (lambda text: "[]", "results of format 1"),
    ],
)
def test_damaged_answers_are_refused_in_one_line(answer, spoil, words):
    answer.write_text(spoil(answer.read_text()))
    with pytest.raises(SettingsError, match=words) as caught:
        read_measurements(answer)
    assert "\n" not in str(caught.value)


def _times(content: dict[str, Any]) -> dict[str, Any]:
    times: dict[str, Any] = content["providers"]["CPUExecutionProvider"]["times"]
    return times


def _without(text: str, name: str) -> str:
    content = json.loads(text)
    del _times(content)[name]
    return json.dumps(content)


def _with(text: str, name: str, field: str, value: float) -> str:
    content = json.loads(text)
    _times(content)[name][field] = value
    return json.dumps(content)


def test_answers_of_another_space_provider_or_with_settings_of_their_own_are_refused(answer, tmp_path):
    with pytest.raises(SettingsError, match="are of space 'nasbench_macro', this is 'darts'"):
        read_measurements(answer, load_space("darts"))
    with pytest.raises(SettingsError, match="an execution provider of CPUExecutionProvider, got 'CUDA"):
        read_measurements(answer, provider="CUDAExecutionProvider")
    command = ["build", "--measurements", str(answer), "--out", str(tmp_path / "t.json"), "--threads", "2"]
    done = CliRunner().invoke(latency, command)
    assert isinstance(done.exception, EvonasError)
    assert "--threads cannot go with --measurements" in str(done.exception)
    with pytest.raises(SettingsError, match="No such file"):
        read_measurements(tmp_path / "gone.json")


def test_a_provider_that_fails_is_noted_and_the_others_are_kept(kit, tmp_path, monkeypatch):
    shutil.copytree(kit, tmp_path / "device")

    def opened(path: Path, provider: str, threads: int) -> Counted:
        if provider != "CPUExecutionProvider":
            raise RuntimeError("no such\ndriver")
        return Counted(path)

    # A device that this machine is not.
    monkeypatch.setattr(measure_alone, "open_model", opened)
    monkeypatch.setattr(measure_alone, "installed_providers", lambda: ["CPUExecutionProvider", "OddProvider"])
    one = {"median_ms": 1.0, "mad_ms": 0.0, "minimum_ms": 1.0, "repeats": 15}
    # A device that this machine is not.
    monkeypatch.setattr(measure_alone, "time_in_turns", lambda sessions, *_, **__: Turns([one] * len(sessions), 0, 1))
    # The script stands in a folder of a device.
    monkeypatch.setattr(measure_alone, "__file__", str(tmp_path / "device" / "measure.py"))
    assert measure_alone.main() == 0
    found = read_measurements(tmp_path / "device" / "results.json")
    assert found.others == ("OddProvider failed: no such driver",)
    with pytest.raises(SettingsError, match=r"OddProvider failed on the device \(no such driver\)"):
        read_measurements(tmp_path / "device" / "results.json", provider="OddProvider")
    assert measure_alone.main(["--provider", "OddProvider"]) == 1


def test_a_device_that_gets_slower_is_noticed():
    class Hot(Counted):
        def __init__(self) -> None:
            self.cost = 1000

        def run(self, names: object, feed: object) -> None:
            super().run(names, feed)
            self.cost += 10

    found = time_in_turns([Hot()], [{}], repeats=60, seconds=1e9, clock=lambda: Counted.now)
    assert found.times[0]["repeats"] == 60
    assert 0.2 < found.drift < 0.6
    assert "slower" in drift_words(found.drift)
    assert "held" in drift_words(0.01)
    shown: list[str] = []
    short = time_in_turns([Hot()], [{}], repeats=600, seconds=0.0, progress=shown.append, clock=lambda: Counted.now)
    assert short.times[0]["repeats"] == timing_alone.FEWEST * timing_alone.BURST == 5 * len(shown)


def _run(python: object, script: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(python), str(script), *arguments], capture_output=True, text=True, check=False, cwd=script.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_kit_is_measured_with_two_packages_and_nothing_else(space, kit, tmp_path, bare_python):
    python = bare_python("onnxruntime", "numpy")
    folder = tmp_path / "device"
    shutil.copytree(kit, folder)
    content = json.loads((folder / "kit.json").read_text())
    (folder / "kit.json").write_text(json.dumps({**content, "seconds": 2.0}))
    printed = _run(python, folder / "measure.py")
    assert "while it was measured" in printed
    found = read_measurements(folder / "results.json", space)
    assert found.table.error < 1
    assert found.table.device["onnxruntime"]
