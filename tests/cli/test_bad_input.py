"""Bad input: whatever is wrong with a file or a text, one line says so, or the result is right; nothing hangs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evonas.config import Settings, make_settings
from evonas.errors import EvonasError
from evonas.files.csv import to_csv
from evonas.files.duration import parse_time
from evonas.files.toml import to_toml
from evonas.objectives.latency.latency import read_latency_table
from evonas.objectives.latency.table import Fit, LatencyTable
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Constraint, Objective, parse_constraint, split_names
from evonas.pipeline import run as pipeline
from evonas.report import write_report
from evonas.report.contents import gather
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.store import Store
from evonas.spaces import Architecture, load_space, shipped
from evonas.supernet.checkpoint import read_supernet, write_supernet
from evonas.tables.load import load_table

FEW, MANY = 25, 1000
TOKENS = [
    b"", b"\x00", b"\xff\xfe", b"\n", b"\r\n", b"=", b"\"", b"'", b"[", b"]", b"[[", b"{", b"}", b",", b"#", b"\\",
    b"..", b"-1", b"0", b"1e999", b"-1e999", b"nan", b"inf", b"true", b"null", b"9" * 30, b"1_000_000", b"3.5",
    b"2024-01-01", b"../../etc", b"$(id)", b"'; DROP TABLE evaluations; --", b"<script>",
    "é\u202e\u0000".encode(), b"a" * 300,
    b"__class__", b"seed = 1\n", b"[choices]\n", b"|", b"~", b"+", b"-", b"(", b")",
]  # fmt: skip


@st.composite
def edits(draw) -> list[tuple[str, float, int, bytes]]:
    """Return changes to make to some bytes: what, where as a share of the length, how many, with what."""
    change = st.tuples(
        st.sampled_from(("insert", "replace", "delete", "double", "cut", "flip", "word")),
        st.floats(0, 1),
        st.integers(1, 40),
        st.sampled_from(TOKENS) | st.binary(max_size=8),
    )
    return draw(st.lists(change, min_size=1, max_size=4))


def changed(content: bytes, changes) -> bytes:
    for what, place, length, payload in changes:
        i = int(place * len(content))
        if what == "word":  # a whole value between separators
            start = max(content.rfind(mark, 0, i) for mark in (b" ", b"=", b",", b"[", b'"', b"\n")) + 1
            ends = [end for mark in (b" ", b",", b"]", b'"', b"\n") if (end := content.find(mark, i)) >= 0]
            content = content[:start] + payload + content[min(ends, default=len(content)) :]
        elif what == "flip":
            content = content[:i] + bytes(255 - byte for byte in content[i : i + 1]) + content[i + 1 :]
        elif what == "cut":
            content = content[:i]
        else:
            middle = {"insert": payload, "replace": payload, "delete": b"", "double": content[i : i + length] * 2}[what]
            content = content[:i] + middle + content[i + (0 if what == "insert" else length) :]
    return content


def told(call: Callable[[], object]) -> object | None:
    """Return what a call gives, or None where it ends in one clear line."""
    try:
        return call()
    except EvonasError as error:
        text = str(error)
    assert text.strip()
    assert "\n" not in text, text
    assert "Traceback" not in text
    return None


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A folder of sound things: a run, a checkpoint, a table, settings."""
    folder = tmp_path_factory.mktemp("base")
    given = make_settings(objectives=("flops", "params"), warm_start=0, population=4, generations=2)
    pipeline.search(given, folder / "run").close()
    tensors = {f"weights/{i}": torch.arange(6.0).reshape(2, 3) + i for i in range(3)}
    write_supernet(folder / "c.safetensors", tensors, {"epoch": 3})
    space = load_space("nasbench201")
    forms = [space.decode(g) for g in space.sample(6, np.random.default_rng(0))]
    rows = [["arch", "acc", "latency", "note"], *([str(f), repr(i / 7), str(i), f"n{i}"] for i, f in enumerate(forms))]
    (folder / "table.csv").write_text(to_csv(rows))
    (folder / "settings.toml").write_text(to_toml(make_settings(constraint=("flops<=20e6",), time="3m").content()))
    return folder


def use_settings(base: Path, folder: Path, changes) -> None:
    path = folder / "settings.toml"
    path.write_bytes(changed((base / "settings.toml").read_bytes(), changes))
    found = told(lambda: make_settings(path))
    if found is not None:
        assert isinstance(found, Settings)
        assert make_settings(**found.content()) == found


def use_space(base: Path, folder: Path, changes) -> None:
    names = sorted(shipped())
    path = folder / "space.toml"
    source = shipped()[names[len(changes[0][3]) % len(names)]]
    path.write_bytes(changed(source.read_bytes(), changes))
    space = told(lambda: load_space(path))
    if space is not None:
        assert space.size >= 1
        for genome in space.sample(2, np.random.default_rng(0), by="choice"):
            form = space.canonical(space.decode(genome))
            assert space.canonical(form) == form
            assert str(space.canonical(space.parse(str(form)))) == str(form)


def use_store(base: Path, folder: Path, changes) -> None:
    run = Path(shutil.copytree(base / "run", folder / "run"))
    store = run / "evaluations.sqlite"
    store.write_bytes(changed(store.read_bytes(), changes))
    before = files(run)

    def read() -> None:
        with Run.open(run) as opened:
            list(opened.store.evaluations())
            series = list(opened.store.series())
            opened.store.texts(opened.store.values(series)[0]) if series else None
            opened.store.members()
            opened.store.notes()
            gather(opened)

    told(read)
    assert files(run) == before


def use_run(base: Path, folder: Path, changes) -> None:
    run = Path(shutil.copytree(base / "run", folder / "run"))
    name = ("run.toml", "manifest.json", "front.json")[len(changes[-1][3]) % 3]
    (run / name).write_bytes(changed((run / name).read_bytes(), changes))
    before = files(run)

    def read() -> None:
        with Run.open(run) as opened:
            read_front(opened)
            gather(opened)

    told(read)
    assert files(run) == before


def use_resume(base: Path, folder: Path, changes) -> None:
    run = Path(shutil.copytree(base / "run", folder / "run"))
    name = ("run.toml", "manifest.json", "evaluations.sqlite")[len(changes[-1][3]) % 3]
    (run / name).write_bytes(changed((run / name).read_bytes(), changes))
    before = files(run)

    def again() -> bool:
        with Run.open(run) as opened:
            if opened.settings.get("generations", 1) > 3 or opened.settings.get("population", 1) > 8:
                return True  # a correct wish, but too long for here
            if opened.manifest.get("generations") or opened.settings.get("warm-start", 500):
                return True
            if {"acc", "latency"} & set(split_names(opened.settings.get("objectives", ["acc"]))):
                return True
        pipeline.resume(run).close()
        return True

    if told(again) is None and name != "evaluations.sqlite":
        after = files(run)
        assert {n: c for n, c in after.items() if n != "lock"} == {n: c for n, c in before.items() if n != "lock"}


def use_checkpoint(base: Path, folder: Path, changes) -> None:
    path = folder / "c.safetensors"
    path.write_bytes(changed((base / "c.safetensors").read_bytes(), changes))
    found = told(lambda: read_supernet(path))
    if found is not None:
        tensors, header = found
        assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
        assert isinstance(header, dict)


def use_architecture(base: Path, folder: Path, changes) -> None:
    names = sorted(shipped())
    space = load_space(names[len(changes[0][3]) % len(names)])
    sound = str(space.decode(space.sample(1, np.random.default_rng(len(changes)))[0]))
    text = changed(sound.encode(), changes).decode("utf-8", "replace")
    form = told(lambda: space.parse(text))
    if form is not None:
        assert isinstance(form, Architecture)
        assert space.parse(str(form)) == form
        space.canonical(form)


def use_words(base: Path, folder: Path, changes) -> None:
    for sound in (b"flops<=20e6", b"acc,latency", b"1h30m"):
        text = changed(sound, changes).decode("utf-8", "replace")
        constraint = told(lambda text=text: parse_constraint(text))
        assert constraint is None or isinstance(constraint, Constraint)
        if constraint is not None:
            assert parse_constraint(str(constraint)) == constraint
            assert np.isfinite(constraint.violation(1.0))
        told(lambda text=text: split_names([text]))
        seconds = told(lambda text=text: parse_time(text))
        assert seconds is None or seconds > 0


def use_table(base: Path, folder: Path, changes) -> None:
    path = folder / "table.csv"
    path.write_bytes(changed((base / "table.csv").read_bytes(), changes))
    table = told(lambda: load_table(path, load_space("nasbench201")))
    if table is not None:
        told(lambda: table.keys)
        for column in table.columns.values():
            assert column.shape == (len(table),)


def use_front(base: Path, folder: Path, changes) -> None:
    text = changed((base / "run" / "front.json").read_bytes(), changes).decode("utf-8", "replace")
    front = told(lambda: Front.from_json(text))
    if front is not None:
        told(lambda: front.to_csv())
        told(lambda: front.select("knee"))
        told(lambda: front.where(["flops<=1e9"]))


def use_latency(base: Path, folder: Path, changes) -> None:
    block = {"label": "conv", "ms": 0.5, "median_ms": 0.6, "mad_ms": 0.01}
    fit = Fit(0.1, 1.0, 0.001, {"conv": 0.2})
    sound = LatencyTable("darts", {}, {}, {}, {"a": block}, {"a": [("relu", 0.1)]}, fit, 3, 0.02, 0.01, 0.001)
    path = folder / "latency.json"
    path.write_bytes(changed(sound.to_json().encode(), changes))
    table = told(lambda: read_latency_table(path))
    if table is not None:
        assert all(np.isfinite(block["ms"]) for block in table.blocks.values())


USES = [
    use_settings, use_space, use_store, use_run, use_checkpoint, use_architecture, use_words, use_table, use_front,
    use_latency,
]  # fmt: skip


def exercise(use, cases: int, base: Path, tmp_path_factory) -> None:
    @settings(
        max_examples=cases,
        deadline=timedelta(seconds=30),  # what takes longer hangs
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edits())
    def run(changes) -> None:
        folder = tmp_path_factory.mktemp("case")
        try:
            use(base, folder, changes)
        finally:
            shutil.rmtree(folder)

    run()


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_bad_input_ends_in_one_line(use, base, tmp_path_factory):
    exercise(use, FEW, base, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_much_bad_input_ends_in_one_line(use, base, tmp_path_factory):
    exercise(use, MANY, base, tmp_path_factory)


@pytest.mark.parametrize("cases", [10, pytest.param(300, marks=pytest.mark.slow)])
def test_resuming_a_damaged_run_ends_in_one_line(cases, base, tmp_path_factory):
    exercise(use_resume, cases, base, tmp_path_factory)


# settings as an API takes them

hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def check_any_settings(cases: int) -> None:
    @settings(max_examples=cases, derandomize=True, database=None, deadline=None)
    @given(st.dictionaries(st.sampled_from([*Settings.model_fields, "nonsense"]), hostile, max_size=4))
    def run(given) -> None:
        found = told(lambda: make_settings(**given))
        assert found is None or isinstance(found, Settings)

    run()


def test_any_settings_are_taken_or_refused():
    check_any_settings(100)


@pytest.mark.slow
def test_very_many_settings_are_taken_or_refused():
    check_any_settings(1000)


# what is written from hostile names

HOSTILE = [
    '=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\tx", 'quote " and, comma', "<script>alert(1)</script>",
    "'--><img src=x onerror=alert(1)>", "line\nbreak",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_of_hostile_names_is_inert_and_reads_back(name):
    objectives = (Objective(name, name, "max"), Objective("flops", "", "min"))
    front = Front(objectives, (Member(name, {name: -0.5, "flops": 2.0}, {name + "x": -1.0}, (name,)),))
    rows = list(csv.reader(io.StringIO(front.to_csv(), newline="")))
    assert len(rows) == 2
    for cell in [*rows[0], *rows[1]]:
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert not cell.startswith("-") or float(cell) < 0
    assert rows[1][0] in (name, "'" + name)
    assert [float(cell) for cell in rows[1][1:4]] == [-0.5, 2.0, -1.0]
    assert Front.from_json(front.to_json()) == front


@pytest.mark.parametrize("name", [name for name in HOSTILE if "<" in name])
def test_html_of_hostile_names_is_inert(base, tmp_path, name):
    pytest.importorskip("plotly", reason="the report needs plotly")
    run = Path(shutil.copytree(base / "run", tmp_path / "run"))
    content = json.loads((run / "front.json").read_text())
    for member in content["members"]:
        member["known"][name] = 1.0
        member["breaks"] = [name]
    (run / "front.json").write_text(json.dumps(content))
    with Run.open(run) as opened:
        page = write_report(opened, ended=True).read_text()
    assert name not in page


def test_a_checkpoint_whose_header_claims_more_than_there_is(tmp_path):
    for length in (0, 1 << 20, 1 << 62, (1 << 64) - 1):
        (tmp_path / "c").write_bytes(struct.pack("<Q", length) + b"{}")
        assert told(lambda: read_supernet(tmp_path / "c")) is None


def test_a_store_of_another_program_is_left_as_it_is(tmp_path):
    (tmp_path / "s").write_bytes(b"SQLite format 3\x00" + bytes(84))
    before = files(tmp_path)
    assert told(lambda: Store(tmp_path / "s", write=False)) is None
    assert files(tmp_path) == before
