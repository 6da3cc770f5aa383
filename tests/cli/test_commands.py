"""The command line as a user meets it: words, exit codes, files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from evonas.errors import SpaceError
from evonas.runs.run import Run
from evonas.spaces import shipped

QUICK = ["--epochs", "1", "--population", "4", "--generations", "2", "--warm-start", "8"]
QUICK += ["--train-limit", "500"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a tiny space in it."""
    folder = tmp_path_factory.mktemp("home")
    text = shipped()["darts"].read_text()
    small = "channels = 8\ncells = 3\n"
    assert small in text
    (folder / "tiny.toml").write_text(text.replace(small, "channels = 4\ncells = 2\n"))
    return folder


@pytest.fixture(scope="module")
def command(evonas, home):
    """The command line in that folder."""
    return partial(evonas, cwd=home, COLUMNS="160")


@pytest.fixture(scope="module")
def run(command, few_references):
    """A search that ended, by the command line."""
    done = command("search", "--space", "tiny.toml", *QUICK, "--out", "runs/one")
    assert done.returncode == 0, done.stderr
    return done


def test_a_search_ends_with_what_was_found_and_what_to_type(run, home):
    assert "members on the front" in run.stdout
    assert "8 architectures of tiny on digits" in run.stdout
    assert any(f"evonas {command} runs/one" in run.stdout for command in ("front", "train"))
    assert "Training the supernet" in run.stderr
    assert (home / "runs/one/report.html").exists()


def test_quiet_shows_no_progress(command):
    done = command("search", "--space", "tiny.toml", "--objectives", "flops", *QUICK, "--quiet", "--out", "q")
    assert done.returncode == 0
    assert done.stderr == ""


def test_front_of_the_run(run, command):
    done = command("front", "runs/one", "--format", "csv")
    assert done.stdout.splitlines()[0].startswith("architecture,acc,flops")
    assert done.returncode == 0


def test_an_existing_run_is_refused_with_resume(run, command):
    done = command("search", "--space", "tiny.toml", *QUICK, "--out", "runs/one")
    assert done.returncode == 2
    assert "evonas resume runs/one" in done.stderr
    assert command("resume", "runs/one").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["search", "--objectives", "acc,latncy"], "Did you mean 'latency'"),
        (["search", "--space", "drats"], "Did you mean 'darts'"),
        (["search", "--data", "digist"], "digits"),
        (["search", "--constraint", "flops is small"], "flops<=20M"),
        (["search", "--constraint", "flops<=1"], "nearest"),
        (["search", "--population", "1"], "population"),
        (["search", "--time", "soon"], "30m"),
        (["search", "--config", "nowhere.toml"], "nowhere.toml"),
        (["search", "--sharing", "unifrm"], "uniform"),
        (["search", "--supernet", "nowhere"], "nowhere/supernet.safetensors"),
        (["bench", "search", "--space", "darts", "--table", "no.csv", "--objectives", "a", "--out", "b"], ".json"),
        (["resume", "nowhere"], "nowhere"),
        (["front", "."], "run"),
        (["train", "nowhere"], "nowhere"),
        (["deploy", "nowhere"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["describe", "drats"], "darts"),
        (["search", "--nonsense"], "evonas search --help"),
        (["deploy", "nowhere", "--threads", "0"], "threads"),
        (["deploy"], "evonas deploy --help"),
        (["serch"], "serch"),
    ],
)
def test_wrong_input_gets_one_line_and_exit_code_2(command, home, arguments, expected):
    before = sorted(home.rglob("*"))
    done = command(*arguments)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert expected in lines[0]
    assert [path for path in sorted(home.rglob("*")) if path not in before and "cache" not in str(path)] == []


def test_debug_shows_the_traceback(command):
    with pytest.raises(SpaceError, match="drats"):  # it leaves `main` as it is, and Python prints it
        command("--debug", "search", "--space", "drats")


@pytest.mark.parametrize(("number", "code_of_exit"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_leaves_a_run_that_resumes(run, command, home, number, code_of_exit):
    environment = {**os.environ, "EVONAS_CACHE": str(home / "cache")}
    # Few references in that process too, as `few_references` has it here: reading them is most of so short a search.
    code = (
        "from evonas.objectives.accuracy import main_effects; main_effects.REFERENCES = 6; "
        "from evonas.cli import main; main()"
    )
    arguments = ["search", "--space", "tiny.toml", *QUICK, "--generations", "500", "--out", f"stopped-{code_of_exit}"]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=home, env=environment, stderr=subprocess.PIPE, text=True,
        # Where the tests run in the background of a shell, interrupts are ignored, and what they start inherits it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and not (home / f"stopped-{code_of_exit}" / "supernet.safetensors").exists():
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=600)  # a loaded machine takes its time to see a signal
    assert process.returncode == code_of_exit
    assert f"evonas resume stopped-{code_of_exit}\n" in errors
    # One more generation than there are, however many: a loaded machine may have sent the signal late.
    with Run.open(home / f"stopped-{code_of_exit}") as stopped:
        generations = -(-len(stopped.store.members()) // 4) + 1
    done = command("resume", f"stopped-{code_of_exit}", "--generations", generations)
    assert done.returncode == 0, done.stderr


def test_help_names_every_command(command):
    done = command("--help")
    for name in ("search", "resume", "front", "train", "deploy", "report", "describe", "bench"):
        assert name in done.stdout
