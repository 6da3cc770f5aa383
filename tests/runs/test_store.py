from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evonas
from evonas.errors import EvaluationError, RunError
from evonas.runs.store import SCHEMA, EnrolledMember, Evaluation, Note, Store

ROOT = Path(evonas.__file__).parents[1]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "evaluations.sqlite", create=True) as store:
        yield store


def row(architecture: str, value: float | None = 1.0, objective: str = "acc", fingerprint: str = "f", **more):
    return Evaluation(architecture, objective, fingerprint, value, more.get("cause"), more.get("seconds", 0.5))


def failure(architecture: str, cause: str = "out of memory") -> Evaluation:
    return row(architecture, None, cause=cause)


# evaluations


def test_what_is_recorded_is_looked_up_by_architecture_objective_and_fingerprint(store):
    store.record([row("a", 0.1), row("b", 0.2), row("a", 7.0, "flops"), row("a", 0.3, fingerprint="g"), failure("c")])
    assert store.lookup(["a", "b", "c", "d"], "acc", "f") == {
        "a": row("a", 0.1),
        "b": row("b", 0.2),
        "c": failure("c"),
    }
    assert store.lookup(["a", "b"], "acc", "g") == {"a": row("a", 0.3, fingerprint="g")}
    assert store.lookup(["a"], "latency", "f") == {}
    assert store.lookup([], "acc", "f") == {}


def test_a_stored_result_is_never_overwritten(store):
    assert store.record([row("a", 0.1), row("b", 0.2)]) == 2
    assert store.record([row("a", 0.9), row("c", 0.3), row("c", 0.4), failure("b")]) == 1
    assert [found.value for found in store.lookup(["a", "b", "c"], "acc", "f").values()] == [0.1, 0.2, 0.3]


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_values_come_back_bit_for_bit(tmp_path_factory, values):
    names = [str(i) for i in range(len(values))]
    with Store(tmp_path_factory.mktemp("store") / "s", create=True) as store:
        store.record(map(row, names, values))
    with Store(store.path) as store:
        found = store.lookup(names, "acc", "f")
        assert [found[name].value for name in names] == values
        assert store.values([("acc", "f")])[1][:, 0].tolist() == values


def test_numbers_of_numpy_are_taken(store):
    store.record([row("a", np.float32(0.5)), row("b", np.int64(3), seconds=np.float32(1.5))])
    assert store.lookup(["b"], "acc", "f")["b"] == row("b", 3.0, seconds=1.5)


@pytest.mark.parametrize("texts", [["naïve é", "quote ' \" ; --", "a\nb", "%s {x}", ""]])
def test_hostile_texts_are_only_texts(store, texts):
    store.record([row(text, float(i)) for i, text in enumerate(texts)])
    assert {text: found.value for text, found in store.lookup(texts, "acc", "f").items()} == {
        text: float(i) for i, text in enumerate(texts)
    }
    numbers, _ = store.values([("acc", "f")])
    assert store.texts(numbers) == texts
    assert store.texts(numbers[::-1]) == texts[::-1]


@pytest.mark.parametrize(
    "bad",
    [
        row("a", None),
        row("a", 1.0, cause="both"),
        row("a", math.nan),
        row("a", math.inf),
        row("a", -math.inf),
    ],
)
def test_neither_both_and_what_is_not_finite_is_refused_and_nothing_stored(store, bad):
    with pytest.raises(EvaluationError, match="either a finite value or a cause for acc of a"):
        store.record([row("b"), bad])
    assert list(store.evaluations()) == []


def test_the_table_itself_holds_exactly_one_of_value_and_cause(store):
    store.record([row("a")])
    with pytest.raises(sqlite3.IntegrityError):
        store._base.execute("UPDATE evaluations SET cause = 'both'")
    with pytest.raises(sqlite3.IntegrityError):
        store._base.execute("UPDATE evaluations SET value = NULL")


def test_a_batch_is_stored_whole_or_not_at_all(store):
    def rows():
        yield row("a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.record(rows())
    with pytest.raises(RunError):
        store.record([row("a"), row("b", seconds=0.0)._replace(cause=None, architecture=object())])
    assert list(store.evaluations()) == []
    assert store.series() == {}
    assert store.record([row("a")]) == 1


def test_evaluations_come_in_the_order_of_storing_also_over_reopening(tmp_path):
    names = [f"a{i * 7 % 10}" for i in range(10)]
    for i, name in enumerate(names):
        with Store(tmp_path / "s", create=i == 0) as store:
            store.record([row(name, float(i), "flops" if i % 3 else "acc")])
    with Store(tmp_path / "s", write=False) as store:
        assert [found.architecture for found in store.evaluations()] == names
        assert store.series() == {("acc", "f"): 4, ("flops", "f"): 6}


def test_values_are_those_of_architectures_known_in_every_series(store):
    store.record([row("a", 0.1), row("b", 0.2), failure("c"), row("d", 0.4), row("e", 0.5)])
    store.record([row(name, value, "flops") for name, value in [("e", 5.0), ("d", 4.0), ("c", 3.0), ("a", 1.0)]])
    numbers, values = store.values([("flops", "f"), ("acc", "f")])
    assert store.texts(numbers) == ["a", "d", "e"]
    np.testing.assert_array_equal(values, [[1.0, 0.1], [4.0, 0.4], [5.0, 0.5]])
    numbers, values = store.values([("acc", "f"), ("latency", "f")])
    assert values.shape == (0, 2)
    assert store.texts(numbers) == []
    with pytest.raises(EvaluationError, match="at least one objective"):
        store.values([])


def test_failures_can_be_forgotten(store):
    store.record([row("a"), failure("b"), failure("c", "time-out")])
    store.enroll(0, ["a", "b", "c"])
    assert store.forget_failures() == 2
    assert set(store.lookup(["a", "b", "c"], "acc", "f")) == {"a"}
    assert store.members() == []  # later generations may differ now
    assert store.record([row("b", 0.7)]) == 1
    store.enroll(0, ["a", "b", "c"])
    assert store.forget_failures() == 0
    assert len(store.members()) == 3


def test_failures_at_the_end_can_be_forgotten_in_a_store_that_is_opened_again(tmp_path):
    with Store(tmp_path / "s", create=True) as store:
        store.record([row("a")])
        store.record([failure("b")])
    with Store(tmp_path / "s") as store:
        assert store.forget_failures() == 1
    with Store(tmp_path / "s") as store:
        assert store.record([row("b", 0.7)]) == 1
        assert set(store.times()) == {"a", "b"}


# decisions, members, notes


def test_a_decision_is_made_once_and_replayed(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"epochs": 12, "share": 0.1 + 0.2, "steps": (1, 2)}

    with Store(tmp_path / "s", create=True) as store:
        first = store.decide("budget", make)
        assert store.decide("budget", make) == first
    with Store(tmp_path / "s") as store:
        assert store.decide("budget", make) == first
        assert store.decide("other", lambda: None) is None
        assert store.decide("other", lambda: 5) is None
    assert made == [1]
    assert first == {"epochs": 12, "share": 0.1 + 0.2, "steps": [1, 2]}  # as JSON has it, also the first time


@pytest.mark.parametrize("value", [math.nan, object(), {1, 2}])
def test_a_decision_that_cannot_be_stored_is_refused(store, value):
    with pytest.raises(RunError, match="decision 'x' to be of JSON's types"):
        store.decide("x", lambda: value)
    assert store.decide("x", lambda: 1) == 1


def test_members_keep_their_order_and_lineage_and_replay_changes_nothing(store):
    assert store.enroll(0, ["b", "a"]) == 2
    assert store.enroll(1, ["c", "d"], [("a", "b"), ()]) == 2
    assert store.enroll(0, ["b", "a"]) == 0
    assert store.enroll(1, ["c", "d", "e"], [("a", "b"), (), ("c",)]) == 1
    assert store.members() == [
        EnrolledMember(0, 0, "b", ()),
        EnrolledMember(0, 1, "a", ()),
        EnrolledMember(1, 0, "c", ("a", "b")),
        EnrolledMember(1, 1, "d", ()),
        EnrolledMember(1, 2, "e", ("c",)),
    ]


def test_a_run_that_does_not_replay_is_noticed(store):
    store.enroll(0, ["a", "b"])
    with pytest.raises(RunError, match="Expected b as member 1 of generation 0, as stored, got c"):
        store.enroll(0, ["a", "c"])
    with pytest.raises(RunError, match="parents of 1 architectures, got those of 2"):
        store.enroll(1, ["a"], [(), ()])
    assert [member.architecture for member in store.members()] == ["a", "b"]


def test_notes_hold_the_newest_number_and_what_explains_it(store):
    store.note("a", "acc_report", 0.9)
    store.note("a", "latency_measured", 1.5, {"runs": 30})
    store.note("b", "acc_trained", 0.97, "recipe")
    store.note("a", "acc_report", 0.91)
    assert store.notes() == {
        "a": {"acc_report": Note(0.91, None), "latency_measured": Note(1.5, {"runs": 30})},
        "b": {"acc_trained": Note(0.97, "recipe")},
    }
    with pytest.raises(EvaluationError, match="finite acc_report of a, got nan"):
        store.note("a", "acc_report", math.nan)


# files


def test_a_store_is_made_once_and_opened_only_where_it_is(tmp_path):
    with pytest.raises(RunError, match=r"Expected a store at .*there is none"):
        Store(tmp_path / "s")
    assert not (tmp_path / "s").exists()
    Store(tmp_path / "s", create=True).close()
    with pytest.raises(RunError, match="there is a file already"):
        Store(tmp_path / "s", create=True)


def test_another_schema_or_application_is_refused(tmp_path):
    path = tmp_path / "s"
    Store(path, create=True).close()
    for schema, what in [(SCHEMA + 1, "update evonas"), (SCHEMA - 1, "start a new run")]:
        base = sqlite3.connect(path)
        base.execute(f"PRAGMA user_version = {schema}")
        base.close()
        with pytest.raises(RunError, match=f"schema {SCHEMA} at .*got schema {schema}: {what}"):
            Store(path)
    base = sqlite3.connect(tmp_path / "foreign")
    base.execute("CREATE TABLE t (x)")
    base.close()
    with pytest.raises(RunError, match="another SQLite file"):
        Store(tmp_path / "foreign")


@pytest.mark.parametrize("content", [b"", b"no database at all, but some text" * 40, bytes(8192)])
def test_what_is_no_database_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(RunError) as caught:
        Store(tmp_path / "s")
    assert "\n" not in str(caught.value)


def test_a_reader_cannot_write(store):
    store.record([row("a")])
    with Store(store.path, write=False) as reader:
        assert set(reader.lookup(["a"], "acc", "f")) == {"a"}
        with pytest.raises(RunError, match="only be read"):
            reader.record([row("b")])
        store.record([row("b")])  # a reader does not stop the writer
        assert set(reader.lookup(["a", "b"], "acc", "f")) == {"a", "b"}


def test_a_full_disk_is_told_in_one_line_and_costs_only_what_did_not_fit(store):
    store.record([row("a")])
    pages = store._base.execute("PRAGMA page_count").fetchone()[0]
    store._base.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RunError, match=r"^No space left on the disk of .*: free some and run  evonas resume \S+$"):
        store.record([row(f"architecture {i:06}" * 10) for i in range(2000)])
    assert [found.architecture for found in store.evaluations()] == ["a"]
    store._base.execute("PRAGMA max_page_count = 1000000")
    assert store.record([row("a"), row("b")]) == 1


WRITER = """
import itertools, sys
from evonas.runs.store import Evaluation, Store
with Store(sys.argv[1]) as store:
    for batch in itertools.count():
        names = [f"{batch}.{i}" for i in range(7)]
        store.record([Evaluation(name, "acc", "f", batch / 3, None, 0.1) for name in names])
        store.enroll(batch, names)
        print(batch, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 20, 200])
def test_a_process_killed_while_recording_loses_nothing_it_was_done_with(tmp_path, batches):
    path = tmp_path / "s"
    Store(path, create=True).close()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer.stdout:
        done = [int(writer.stdout.readline()) for _ in range(batches)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        done = max([done, *map(int, writer.stdout.read().split("\n")[:-1])])
    assert writer.wait() == -signal.SIGKILL
    with Store(path) as store:
        for batch in range(done + 1):
            names = [f"{batch}.{i}" for i in range(7)]
            found = store.lookup(names, "acc", "f")
            assert [found[name].value for name in names] == [batch / 3] * 7
        assert store.members()[: 7 * (done + 1)] == [
            EnrolledMember(batch, i, f"{batch}.{i}", ()) for batch in range(done + 1) for i in range(7)
        ]
        assert len(list(store.evaluations())) % 7 == 0  # a batch is there whole or not at all
        assert store.record([row("0.0"), row("new")]) == 1


# read-only folders


def test_a_store_in_a_folder_that_cannot_be_written_is_read_and_nothing_is_left_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "evaluations.sqlite"
    with Store(path, create=True) as store:
        store.record([row("a", 0.1)])
    # Root, as which tests may run, may write everywhere.
    monkeypatch.setattr("evonas.runs.database._is_writable", lambda folder: False)
    with Store(path, write=False) as store:
        assert [file.name for file in tmp_path.iterdir()] == [path.name]
        assert store.lookup(["a"], "acc", "f") == {"a": row("a", 0.1)}
        with pytest.raises(RunError):
            store.record([row("b", 0.1)])


def test_results_that_stand_in_the_log_alone_are_read_from_there_too(tmp_path, monkeypatch):
    path, away = tmp_path / "evaluations.sqlite", tmp_path / "away"
    away.mkdir()
    with Store(path, create=True) as store:
        store.record([row("a", 0.1)])
        for file in tmp_path.glob("evaluations.sqlite*"):  # as a killed process leaves them
            (away / file.name).write_bytes(file.read_bytes())
    assert (away / "evaluations.sqlite-wal").stat().st_size > 0
    (away / "evaluations.sqlite-shm").unlink()
    # Root, as which tests may run, may write everywhere.
    monkeypatch.setattr("evonas.runs.database._is_writable", lambda folder: False)
    with Store(away / path.name, write=False) as store:
        assert store.lookup(["a"], "acc", "f") == {"a": row("a", 0.1)}
        copy = Path(store._copy.name)
    assert not copy.exists()
    assert sorted(file.name for file in away.iterdir()) == [path.name, f"{path.name}-wal"]
