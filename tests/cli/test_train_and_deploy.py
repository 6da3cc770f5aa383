from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from evonas.cli.deploy import deploy
from evonas.cli.train import train
from evonas.errors import ExportError, SettingsError

RECIPE = """epochs = 2
batch_size = 128
lr = 0.1
momentum = 0.9
"""


@pytest.fixture
def call():
    app = typer.Typer()
    app.command()(train)
    app.command()(deploy)

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


def test_train_prints_estimated_beside_trained_accuracy(call, trained_run, made_trained, tmp_path):
    (tmp_path / "short.toml").write_text(RECIPE)
    recipe = ("--recipe", tmp_path / "short.toml", "--hold-out", "0")
    done = call("train", trained_run, "--select", "index:0", *recipe, "--quiet")
    assert done.exit_code == 0, done.output
    assert (trained_run / "models" / made_trained[1].folder.name / "curve.png").read_bytes().startswith(b"\x89PNG")
    trained = made_trained[1]
    assert f"{trained.estimates['acc']:.4f}" in done.output  # a score
    assert f"{100 * trained.estimates['acc_report']:.2f} %" in done.output
    assert f"{100 * trained.accuracy:.2f} %  recipe short, inherited weights, seed 0 (trained before)" in done.output
    assert f"evonas deploy {trained_run} --select index:0" in done.output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("train", "--epochs", "0"), SettingsError),
        (("train", "--weights", "old"), SettingsError),
        (("train", "--seed", "1", "--seeds", "2"), SettingsError),
        (("train", "--hold-out", "0", "--patience", "2"), SettingsError),
        (("train", "--hold-out", "half"), SettingsError),
        (("deploy", "--select", "kne"), SettingsError),
        (("deploy", "--quantize", "int4"), SettingsError),
        (("deploy", "--opset", "10"), SettingsError),
        (("deploy", "--opset", "99"), SettingsError),
        (("deploy", "--out", "."), ExportError),
    ],
)
def test_bad_input_ends_in_our_error(call, run, words, error):
    done = call(words[0], run, *words[1:], "--quiet")
    assert done.exit_code != 0
    assert isinstance(done.exception, error)
    assert "\n" not in str(done.exception)


@pytest.mark.parametrize("words", [("train", "--epochs", "0"), ("deploy", "--opset", "10")])
def test_a_knee_that_means_nothing_is_taken_with_a_warning(call, run, words):
    from evonas.runs.run import Run

    with Run.open(run, write=True) as opened:
        opened.update_manifest(acc_best={"best": 0.1, "majority": 0.1, "images": 100, "of": "a member"})
    # What follows the warning ends at once, for the sake of time: options that are refused.
    assert "Warning: The search has learnt nothing yet" in call(words[0], run, *words[1:], "--quiet").stderr
    other = call(words[0], run, "--select", "index:0", *words[1:], "--quiet")
    assert "Warning" not in other.stderr
