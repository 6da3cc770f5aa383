from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.benchmarks import trained_accuracies
from evonas.benchmarks.ablate import ablate_columns
from evonas.benchmarks.ablate_trainings import ablate_trainings
from evonas.benchmarks.ablation import Accuracies
from evonas.benchmarks.draw_ablation import draw_ablation
from evonas.benchmarks.variance import CHOICES
from evonas.cli import app
from evonas.data import load_data
from evonas.errors import SettingsError, TrainingError
from evonas.objectives import Context
from evonas.spaces import load_space
from evonas.training import TrainingRecipe

RECIPE = TrainingRecipe(name="short", epochs=1, batch_size=64, lr=0.05, all_data=False, label_smoothing=0.1, crop=0)


@pytest.fixture(scope="module")
def context() -> Context:
    space = load_space("nasbench_macro")
    skeleton = space.skeleton("small", width=0.125, features=16, resolution=8, in_channels=1, classes=10)
    return Context(space, skeleton, data=load_data("digits", limit=64))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where all trainings of these tests are kept, so that none is done twice."""
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture
def trained(monkeypatch) -> list[tuple[str, int]]:
    """Architecture and seed of every training that is begun."""
    begun: list[tuple[str, int]] = []
    real = trained_accuracies.train

    def train(network, *arguments, seed, **options):
        begun.append((str(network.architecture), seed))
        return real(network, *arguments, seed=seed, **options)

    # Trainings of known accuracy, which stop on purpose.
    monkeypatch.setattr(trained_accuracies, "train", train)
    return begun


def test_what_was_stopped_goes_on_and_nothing_is_trained_twice(context, folder, trained, monkeypatch):
    asked = {"folder": folder, "architectures": 3, "seeds": 2, "resamples": 20}
    real = trained_accuracies.evaluate

    def stop(*arguments):
        if len(trained) == 5:
            raise KeyboardInterrupt
        return real(*arguments)

    # Trainings of known accuracy, which stop on purpose.
    monkeypatch.setattr(trained_accuracies, "evaluate", stop)
    with pytest.raises(KeyboardInterrupt):
        ablate_trainings("seeds", context, RECIPE, **asked)
    assert len(trained) == 5
    assert len(list(folder.glob("*.safetensors"))) == 1  # of the training that ran
    # Trainings of known accuracy, which stop on purpose.
    monkeypatch.setattr(trained_accuracies, "evaluate", real)
    results = ablate_trainings("seeds", context, RECIPE, **asked)
    assert len(trained) == 7  # the fifth goes on from its checkpoint, and the sixth
    assert trained[4] == trained[5]
    assert not list(folder.glob("*.safetensors"))
    assert results["columns"] == ["seed 0", "seed 1"]
    assert ablate_trainings("seeds", context, RECIPE, **asked) == results
    assert len(trained) == 7
    assert len(set(trained)) == 6
    assert all(0 <= value <= 1 for row in results["values"] for value in row)
    # The default frame is a level of a factor: its trainings are there already.
    deep = ablate_trainings("depth", context, RECIPE, vary=["features=16,24"], **asked)
    assert len(trained) == 13
    pairs = [(row["a"], row["b"]) for row in deep["rows"] if row["among"] == "all"]
    assert pairs == [
        ("features=16", "features=24"), ("features=16, seed 0", "features=16, seed 1"),
        ("features=24, seed 0", "features=24, seed 1"),
    ]  # fmt: skip
    assert np.array(deep["values"])[:, 0] == pytest.approx(np.array(results["values"]).mean(axis=1))


def test_variance_is_explained_from_trainings(context, folder):
    results = ablate_trainings(
        "macro", context, RECIPE, folder=folder, architectures=3, seeds=2, vary=["features=16,24"], resamples=20
    )
    assert [row["source"] for row in results["rows"]] == [CHOICES, "features", f"{CHOICES} with the frame", "seeds"]
    assert sum(row["share"] for row in results["rows"]) == pytest.approx(1)
    assert results["columns"][:3] == ["features=16, seed 0", "features=16, seed 1", "features=24, seed 0"]


def test_steps_are_added_one_after_the_other(context, folder, trained):
    results = ablate_trainings(
        "tricks", context, RECIPE, folder=folder, architectures=3, steps=["features=24"], resamples=20
    )
    assert [row["step"] for row in results["rows"]] == ["bare", "+ augmentation", "+ label smoothing", "+ features=24"]
    # The whole recipe on both frames has been trained before where the tests above ran; bare is new in any case.
    assert len({text for text, _ in trained}) == 3


def test_a_training_that_fails_leaves_its_architecture_out(context, tmp_path, monkeypatch):
    real, calls = trained_accuracies.train, []

    def train(network, *arguments, **options):
        calls.append(network)
        if len(calls) == 2:
            raise TrainingError("diverged")
        return real(network, *arguments, **options)

    # Trainings of known accuracy, which stop on purpose.
    monkeypatch.setattr(trained_accuracies, "train", train)
    asked = {"folder": tmp_path, "architectures": 4, "seeds": 2, "resamples": 2}
    results = ablate_trainings("seeds", context, RECIPE, **asked)
    assert (results["n"], results["dropped"], len(results["architectures"])) == (3, 1, 3)


@pytest.mark.parametrize(("ablation", "settings", "message"), [
    ("seeds", {"seeds": 1}, "two seeds or more"),
    ("seeds", {"seeds": 2, "steps": ["cutout=0.5"]}, "'tricks' alone"),
    ("tricks", {"vary": ["width=1,2"]}, "'macro' or 'depth' alone"),
    ("depth", {"architectures": 2}, "three architectures"),
    ("depth", {}, "no stacks of cells"),
    ("macro", {"vary": ["width=1"]}, "two different levels"),
    ("macro", {"vary": ["cells=1,2"]}, "No factor 'cells'.*expected one of skeleton"),
    ("macro", {"vary": ["width=1,2", "width=2,3"]}, "each factor once"),
    ("tricks", {"steps": ["cutuot=0.5"]}, "Did you mean 'cutout'"),
    ("tricks", {"steps": ["cutout=2"]}, "cutout"),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused_before_training(context, tmp_path, trained, ablation, settings, message):
    with pytest.raises(SettingsError, match=message):
        ablate_trainings(ablation, context, RECIPE, folder=tmp_path, **settings)
    assert trained == []


def without_intervals(row):
    return {key: value for key, value in row.items() if not key.endswith(("_low", "_high")) and value == value}


@pytest.mark.parametrize("ablation", ["tricks", "macro"])
def test_the_command_reads_a_table(tmp_path, ablation):
    pytest.importorskip("matplotlib")
    file, out = tmp_path / "table.csv", tmp_path / "out.json"
    rows = [f"{i},{90 + i},{91 + i % 4}" for i in range(12)]
    file.write_text("\n".join(["index,a,b", *rows, "12,5,"]) + "\n")
    command = ["bench", "protocol", "--ablate", ablation, "--table", str(file), "--columns", "a,b", "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    results = json.loads(out.read_text())
    values = np.array([[90 + i, 91 + i % 4] for i in range(12)], dtype=float)
    expected = ablate_columns(ablation, Accuracies.complete(["a", "b"], values), resamples=2)
    assert (results["n"], results["dropped"]) == (12, 1)
    for found, row in zip(results["rows"], expected["rows"], strict=True):
        assert {key: found[key] for key in without_intervals(row)} == without_intervals(row)
    assert len(out.with_suffix(".csv").read_text().splitlines()) == 1 + len(expected["rows"])
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_rankings_too_few_for_a_correlation_are_drawn():
    pytest.importorskip("matplotlib")
    values = np.array([[1.0, 2, 3], [2, 1, 3], [3, 3, 1]])
    results = ablate_columns("seeds", Accuracies.complete(["a", "b", "c"], values), resamples=2)
    assert {row["n"] for row in results["rows"]} == {3, 1}
    assert draw_ablation(results).startswith(b"\x89PNG")


@pytest.mark.parametrize(("options", "message"), [
    (["--ablate", "trick"], "--ablate tricks, seeds, macro, depth"),
    (["run", "--ablate", "seeds"], "and no run"),
    (["--ablate", "seeds"], "either --table FILE"),
    (["--ablate", "seeds", "--table", "t.csv"], "either --table FILE"),
    (["--table", "t.csv"], "--ablate with --table"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(options, message):
    done = CliRunner().invoke(app, ["bench", "protocol", *options])
    assert message in str(done.exception)


def test_an_ablation_that_there_is_not_is_refused():
    with pytest.raises(SettingsError, match=r"tricks, seeds, macro, depth, got 'trick'\. Did you mean 'tricks'\?"):
        ablate_columns("trick", None)
