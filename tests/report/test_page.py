from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from evonas.errors import MissingExtraError, RunError
from evonas.pareto.front import Member
from evonas.pareto.objective import Objective
from evonas.report import gather, make_page, write_report
from evonas.report.cards import cards
from evonas.report.page import _data, _library
from evonas.runs.run import Run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Page(HTMLParser):
    """Elements, attributes and the text of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.stack: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.stack.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts[-1] += data
        else:
            self.text += data


@pytest.fixture(autouse=True)
def _plotly():
    pytest.importorskip("plotly")


def read(path):
    with Run.open(path) as run:
        return gather(run)


def unpack(script: str) -> str:
    return gzip.decompress(base64.b64decode(script)).decode()


def test_the_page_is_whole_small_and_needs_no_network(make_run):
    html = make_page(read(make_run(objectives=("acc", "flops", "latency"), n=400)))
    assert len(html.encode()) < 6_000_000
    page = Page(html)
    assert not [tags for tags in page.tags if {"src", "href"} & set(tags[1]) and tags[1].get("href") != "#main"]
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    # What the policy allows are the very scripts that are there.
    library, script = unpack(page.scripts[1]), page.scripts[2]
    for code in (library, script):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    data = json.loads(unpack(page.scripts[0]))
    assert len(data["points"]["texts"]) == 400


def test_every_member_has_a_row_and_a_drawing(make_run):
    contents = read(make_run())
    page = Page(make_page(contents))
    indices = [a["data-index"] for t, a in page.tags if t == "tr" and "data-index" in a]
    assert indices == [str(i) for i in range(len(contents.front))]
    data = json.loads(unpack(page.scripts[0]))
    assert sorted(map(int, data["drawings"])) == sorted(data["points"]["front"])
    assert all(svg.startswith("<svg") for svg in data["drawings"].values())


def test_drawings_have_the_strides_of_the_runs_skeleton(make_run):
    contents = read(make_run(space="mobilenet_v3"))
    own, small = (
        _data(replace(contents, settings={**contents.settings, "skeleton": name}), [])["drawings"]
        for name in ("imagenet", "small")
    )
    first = next(iter(own))
    assert "16 channels, stride 2<" in own[first]
    assert "16 × 0.35 channels<" in small[first]


def test_hostile_names_are_inert(make_run):
    contents = read(make_run())
    first, *rest = contents.front.members
    objective = Objective(HOSTILE, HOSTILE, "max")
    front = replace(
        contents.front,
        objectives=(objective, contents.objectives[1]),
        members=tuple(
            replace(m, values={HOSTILE: m.values["acc"], "flops": m.values["flops"]}, breaks=(HOSTILE,))
            for m in (first, *rest)
        ),
    )
    stranger = Member(HOSTILE, {HOSTILE: 0.5, "flops": 1.0}, {HOSTILE + "_report": 1.0})
    hostile = replace(
        contents,
        objectives=front.objectives,
        front=replace(front, members=(*front.members, stranger)),
        settings={**contents.settings, HOSTILE: HOSTILE, "data": HOSTILE},
        manifest={**contents.manifest, "versions": {HOSTILE: HOSTILE}, "timings": {HOSTILE: 1.0}},
        causes={contents.texts[0]: HOSTILE},
        seconds={HOSTILE: (1, 1.0)},
        latency={"error": 0.1, "device": {HOSTILE: HOSTILE}},
        supernet={"epochs": [{"epoch": HOSTILE, "loss": 1.0, HOSTILE: 1}], "forgetting": []},
        known={HOSTILE: {HOSTILE + "_trained": 1.0}},
    )
    page = Page(make_page(hostile))
    assert len(page.scripts) == 3
    assert not [t for t, a in page.tags if t == "img" or any(name.startswith("on") for name in a)]
    assert "alert(1)" in page.text
    assert json.loads(unpack(page.scripts[0]))["points"]["texts"][-1] == HOSTILE


def test_a_search_under_way_loads_itself_anew_until_it_ends(make_run):
    running, ended = make_page(read(make_run(ended=False))), make_page(read(make_run("ended")))
    assert "http-equiv='refresh'" in running
    assert "http-equiv='refresh'" not in ended
    assert json.loads(unpack(Page(running).scripts[0]))["live"] is True
    assert json.loads(unpack(Page(ended).scripts[0]))["live"] is False


def test_no_number_is_without_what_it_is(make_run):
    contents = read(make_run(objectives=("acc", "flops", "latency")))
    data = _data(contents, cards(contents.front, contents.manifest))
    assert all(column["origin"] for column in data["columns"])


def test_an_empty_run_and_a_lost_space_have_a_page(make_run):
    with Run.open(make_run(n=20, ended=False), write=True) as run:
        run.store._base.execute("DELETE FROM evaluations")
        assert "Nothing is known" in make_page(gather(run))
    contents = read(make_run("other"))
    lost = replace(contents, settings={**contents.settings, "space": "gone.toml"})
    data = json.loads(unpack(Page(make_page(lost)).scripts[0]))
    assert data["drawings"] == {}


def test_the_report_is_written_whole_into_the_run_or_elsewhere(make_run, tmp_path):
    path = make_run()
    with Run.open(path) as run:
        assert write_report(run) == path / "report.html"
        assert write_report(run, tmp_path / "r.html").read_text(encoding="utf-8").endswith("</html>\n")
        with pytest.raises(RunError, match="Cannot write"):
            write_report(run, tmp_path / "none" / "r.html")


def test_a_missing_library_is_one_line(make_run, monkeypatch):
    contents = read(make_run())
    _library.cache_clear()
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[report\]'"):
        make_page(contents)


def test_no_address_stands_in_what_we_write(make_run):
    html = make_page(read(make_run()))
    ours = re.sub(r"<script type='text/plain'.*?</script>", "", html, flags=re.S)
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", ours) == []


def test_no_name_of_the_pages_code_is_declared_twice():
    """A browser refuses the whole of a script that does, and draws nothing."""
    code = files("evonas.report").joinpath("page.js").read_text(encoding="utf-8")
    names = re.findall(r"^  (?:const|let|function) (\w+)", code, flags=re.MULTILINE)
    assert len(names) > 30
    assert len(set(names)) == len(names)


def test_the_pages_code_is_javascript():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    file = Path(str(files("evonas.report").joinpath("page.js")))
    done = subprocess.run([node, "--check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
