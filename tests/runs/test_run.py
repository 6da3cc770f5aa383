from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evonas
from evonas.errors import RunError, SettingsError
from evonas.files.whole import write_whole
from evonas.runs.manifest import compare_manifest, new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation

ROOT = Path(evonas.__file__).parents[1]
SETTINGS = {"objectives": ["acc", "flops"], "seed": 3, "supernet": {"epochs": 20, "rate": 0.1}}


def make(path: Path) -> Run:
    return Run.create(path, SETTINGS, new_manifest(seed=3, space="darts", data={"fingerprint": "abc"}))


# the directory


def test_a_run_is_made_and_opened_again(tmp_path):
    path = tmp_path / "runs" / "first"
    with make(path) as run:
        run.store.record([Evaluation("a", "acc", "f", 0.9, None, 1.0)])
        assert run.settings == SETTINGS
    with Run.open(path) as run:
        assert run.path == path
        assert run.settings == SETTINGS
        assert run.manifest["seed"] == 3
        assert run.store.lookup(["a"], "acc", "f")["a"].value == 0.9
    assert sorted(p.name for p in path.iterdir()) == [
        "evaluations.sqlite",
        "lock",
        "manifest.json",
        "run.toml",
    ]
    assert [p.name for p in path.parent.iterdir()] == ["first"]


@pytest.mark.parametrize("what", ["run", "folder", "file", "dangling"])
def test_what_exists_is_refused_and_left_alone(tmp_path, what):
    path = tmp_path / "there"
    if what == "run":
        make(path).close()
    elif what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("mine")
    else:
        path.symlink_to(tmp_path / "nowhere")
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    with pytest.raises(RunError, match=rf"exists: continue it with  evonas resume {path}"):
        make(path)
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before


def test_settings_that_cannot_be_written_leave_nothing(tmp_path):
    with pytest.raises(SettingsError):
        Run.create(tmp_path / "run", {"a": object()}, {})
    with pytest.raises(RunError, match="manifest"):
        Run.create(tmp_path / "run", {}, {"a": object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "found nothing"), ("file", "found a file"), ("folder", "it has no run.toml")],
)
def test_what_is_no_run_is_refused(tmp_path, name, message):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match=message):
        Run.open(tmp_path / name)
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.toml", b"seed = ", "Expected TOML in "),
        ("run.toml", b"\xff\xfe", "Expected TOML in "),
        ("manifest.json", b'{"seed": 3', "Expected JSON in "),
        ("manifest.json", b"\xff", "Expected JSON in "),
        ("manifest.json", b"[3]", "Expected a JSON object in "),
        ("evaluations.sqlite", b"rubbish" * 1000, "Expected a sound store at "),
    ],
)
def test_a_damaged_file_is_named_in_one_line_and_the_lock_given_back(tmp_path, name, content, message):
    path = tmp_path / "run"
    make(path).close()
    sound = (path / name).read_bytes()
    (path / name).write_bytes(content)
    with pytest.raises(RunError, match=message) as caught:
        Run.open(path, write=True)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    (path / name).write_bytes(sound)
    Run.open(path, write=True).close()


def test_a_run_that_was_moved_opens(tmp_path):
    with make(tmp_path / "run") as run:
        run.store.record([Evaluation("a", "acc", "f", 0.9, None, 1.0)])
        run.write("front.csv", "architecture\na\n")
    shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    with Run.open(tmp_path / "elsewhere", write=True) as run:
        assert set(run.store.lookup(["a"], "acc", "f")) == {"a"}
        run.store.record([Evaluation("b", "acc", "f", 0.8, None, 1.0)])


def test_files_of_a_run_are_written_whole_and_into_folders(tmp_path):
    with make(tmp_path / "run") as run:
        path = run.write("models/knee/card.json", b"{}")
        assert path.read_bytes() == b"{}"
    with Run.open(tmp_path / "run") as run, pytest.raises(RunError, match="opened for reading"):
        run.write("front.csv", "")
    assert not (tmp_path / "run" / "front.csv").exists()


# the lock


OTHER = """
import sys
from evonas.errors import RunError
from evonas.runs.run import Run
try:
    run = Run.open(sys.argv[1], write=True)
except RunError as error:
    print(error, flush=True)
else:
    print("locked", flush=True)
    sys.stdin.read()
"""


def other(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_may_read_but_not_write(tmp_path):
    with make(tmp_path / "run"):
        process = other(tmp_path / "run")
        said, _ = process.communicate()
        assert said == (
            f"Expected {tmp_path / 'run'} to be free, but process {os.getpid()} writes to it:"
            " wait until it ends, or stop it.\n"
        )
        Run.open(tmp_path / "run").close()
    process = other(tmp_path / "run")
    assert process.communicate()[0] == "locked\n"  # free once closed


def test_a_killed_process_gives_its_lock_back(tmp_path):
    make(tmp_path / "run").close()
    process = other(tmp_path / "run")
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(RunError, match=f"process {process.pid} writes to it"):
            Run.open(tmp_path / "run", write=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
    Run.open(tmp_path / "run", write=True).close()


def test_closing_twice_is_harmless(tmp_path):
    run = make(tmp_path / "run")
    run.close()
    run.close()
    Run.open(tmp_path / "run", write=True).close()


# the manifest


def test_the_manifest_says_where_and_with_what():
    manifest = new_manifest(seed=5, space="darts", data={"fingerprint": "abc"}, threads=2)
    assert manifest["versions"]["evonas"] == evonas.__version__
    assert {"python", "torch", "numpy", "pymoo", "onnxruntime"} <= set(manifest["versions"])
    assert manifest["machine"]["processor"]
    assert manifest["machine"]["cores"] == os.cpu_count()
    assert manifest["threads"] == 2
    assert json.loads(json.dumps(manifest)) == manifest


def test_changes_of_the_manifest_are_merged_and_stored(tmp_path):
    with make(tmp_path / "run") as run:
        run.update_manifest(timings={"warm start": 2.5})
        run.update_manifest(timings={"supernet": 60.0}, reference=(1, 2))
        stored = json.loads((run.path / "manifest.json").read_bytes())
        assert stored == run.manifest
    assert stored["timings"] == {"warm start": 2.5, "supernet": 60.0}
    assert stored["reference"] == [1, 2]
    assert stored["seed"] == 3


def test_what_differs_forbids_or_warns():
    old = new_manifest(seed=0, space="darts", data={"fingerprint": "abc"})
    assert compare_manifest(old, new_manifest(seed=0, space="darts", data={"fingerprint": "abc"})) == ([], [])
    new = json.loads(json.dumps(old))
    new.update(schema=99, seed=1, space="mobilenet_v3", data={"fingerprint": "xyz"}, created="later")
    new["versions"]["torch"] = "9.9"
    new["versions"]["plugin"] = "1.0"
    new["machine"]["processor"] = "Abacus"
    refuse, warn = compare_manifest(old, new)
    assert refuse == [
        f"schema: {old['schema']} in the run, 99 now",
        "seed: 0 in the run, 1 now",
        "space: darts in the run, mobilenet_v3 now",
        "data: {'fingerprint': 'abc'} in the run, {'fingerprint': 'xyz'} now",
    ]
    assert warn == [
        f"torch: {old['versions']['torch']} in the run, 9.9 now",
        "plugin: None in the run, 1.0 now",
        f"processor: {old['machine']['processor']} in the run, Abacus now",
    ]


# a full disk


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, r"No space left on the disk of .*front\.csv: free some and run"),
        (errno.EACCES, r"Cannot write .*front\.csv: Permission denied; check"),
    ],
)
def test_a_disk_that_refuses_is_told_in_one_line_and_keeps_the_old_file(tmp_path, monkeypatch, number, message):
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with make(tmp_path / "run") as run:
        path = run.write("front.csv", "old")
        # A disk that fails at that moment.
        monkeypatch.setattr(os, "fsync", refuse)
        before = sorted(p.name for p in run.path.iterdir())
        with pytest.raises(RunError, match=message):
            run.write("front.csv", "new")
        with pytest.raises(RunError, match=message):
            write_whole(path, "new")
        assert path.read_text() == "old"
        assert sorted(p.name for p in run.path.iterdir()) == before
        with pytest.raises(RunError):
            make(tmp_path / "another")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_the_advice_for_a_full_disk_is_to_resume_only_where_a_search_was_begun(tmp_path, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with make(tmp_path / "run") as run, monkeypatch.context() as patch:
        # A disk that fails at that moment.
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(RunError, match=r"free some and run  evonas resume \S+/run"):
            run.write("front.csv", "new")
    with Run.open(tmp_path / "run", write=True) as run, monkeypatch.context() as patch:
        # A disk that fails at that moment.
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(RunError, match="free some and run the same command again"):
            run.write("models/x/training.json", "new")


def test_a_run_shows_its_front_in_words_and_in_a_notebook(tmp_path):
    from evonas.pareto.assemble import make_front
    from evonas.pareto.objective import Objective

    with make(tmp_path / "<b>run") as run:
        assert repr(run) == f"<Run {run.path}: no front yet>"
        assert "&lt;b&gt;run" in run._repr_html_()
        assert "<b>run" not in run._repr_html_()
        with pytest.raises(RunError, match="no front yet"):
            run.front  # noqa: B018
        front = make_front(["a"], np.array([[0.5, 3.0]]), [Objective("acc", "", "max"), Objective("flops", "", "min")])
        run.write("front.json", front.to_json())
        assert run.front == [{"architecture": "a", "acc": 0.5, "flops": 3.0, "breaks": ""}]
        assert repr(run).endswith(": 1 member on the front>")
        assert "<td>0.5</td>" in run._repr_html_()


def test_a_run_of_the_schema_before_is_refused_with_the_command_that_repeats_it(tmp_path):
    path = tmp_path / "old run"
    settings = {
        "objectives": ["acc", "flops"], "constraints": ["flops<=9e6", "params<=1e5"], "train_limit": 300, "table": [],
        "surrogate": False, "baseline": False, "asynchronous": True, "seed": 5,
    }  # fmt: skip
    Run.create(path, settings, new_manifest(seed=5)).close()
    base = sqlite3.connect(path / "evaluations.sqlite")
    base.execute("PRAGMA user_version = 1")
    base.close()
    for write in (False, True):
        with pytest.raises(RunError, match="got schema 1") as caught:
            Run.open(path, write=write)
        command = shlex.split(str(caught.value).partition("The same search again:  ")[2])
        assert command == [
            "evonas", "search", "--objectives", "acc,flops", "--constraint", "flops<=9e6", "--constraint",
            "params<=1e5", "--train-limit", "300", "--no-surrogate", "--asynchronous", "--seed", "5",
            "--out", str(tmp_path / "old run-2"),
        ]  # fmt: skip
