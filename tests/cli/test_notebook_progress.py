from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import evonas
from evonas.cli.notebook_progress import NotebookProgress, notebook_progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_output_shows_what_runs_below_what_went_before():
    clock, shown = Clock(), list[str]()
    progress = NotebookProgress(shown.append, clock)
    progress.plan({"First": 1.0, "Second": 3.0})
    with progress.task("First", 4) as task:
        for _ in range(4):
            clock.now += 1.0
            task.advance(1)
    progress.say("a <line>")
    with progress.task("Second", 2) as task:
        clock.now += 1.0
        task.advance(1)
    first, last = shown[0], shown[-2]
    assert first.startswith("<pre>1/2 First")
    assert "1/2 First: 4 s\na &lt;line&gt;\n2/2 Second  " not in first
    assert last.splitlines()[0] == "<pre>1/2 First: 4 s"
    assert last.splitlines()[1] == "a &lt;line&gt;"
    assert "2/2 Second" in last
    assert shown[-1].splitlines()[-1] == "2/2 Second: 1 s</pre>"


def test_it_is_drawn_a_few_times_a_second_at_most():
    clock, shown = Clock(), list[str]()
    progress = NotebookProgress(shown.append, clock)
    with progress.task("Only", 1000) as task:
        for _ in range(1000):
            clock.now += 0.01
            task.advance(1)
    assert 30 <= len(shown) <= 45


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a notebook has it; returns what it showed."""
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)
    shell = SimpleNamespace(kernel=object())
    display = SimpleNamespace(HTML=str, display=lambda html, display_id: handle)
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shell, shown


def test_notebooks_show_progress_by_themselves_and_scripts_do_not(notebook, monkeypatch):
    shell, shown = notebook
    progress = evonas._shown(None)
    assert isinstance(progress, NotebookProgress)
    progress.say("seen")
    assert shown == ["<pre>seen</pre>"]
    mine = NotebookProgress(print)
    assert evonas._shown(mine) is mine
    del shell.kernel  # IPython in a terminal
    assert notebook_progress() is None
    monkeypatch.delitem(sys.modules, "IPython")
    assert evonas._shown(None) is None
