"""Every command of README, how-to pages and results, taken from the page's own text, is run or at least parsed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from evonas.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
RESULTS = sorted((ROOT / "docs" / "results").glob("*.md"))
MARKS = ("run", "slow", "parsed", "test command")
"""``run`` and ``slow`` are run; ``parsed: WHY`` only has options that exist; the last is what .ci/run runs itself."""


@dataclass(frozen=True)
class Block:
    """One fenced block of shell.

    Attributes:
        page: File it stands in.
        line: Number of its first line.
        mark: The comment above it, one of `MARKS`; empty where there is none.
        reason: What a ``parsed`` block gives as the cause that it is not run.
        text: Its lines.
    """

    page: Path
    line: int
    mark: str
    reason: str
    text: str

    def commands(self) -> list[list[str]]:
        """Return the words after ``evonas`` of each of its calls."""
        found = []
        for line in self.text.replace("\\\n", " ").splitlines():
            for call in re.findall(r"(?:^|[;&|]|then |else )\s*evonas ([^;]*)", line):
                found.append(shlex.split(call, comments=True))
        return found


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks fenced as bash, in order."""
    text = page.read_text()
    blocks = []
    for match in re.finditer(r"(?m)(?:^<!-- (.*?) -->\n)?^```(?:bash|sh|shell)\b.*\n((?:.*\n)*?)^```", text):
        mark, _, reason = (match[1] or "").partition(": ")
        blocks.append(Block(page, text[: match.start()].count("\n") + 1, mark, reason, match[2]))
    return blocks


BLOCKS = [block for page in PAGES for block in read_blocks(page)]
RESULT_BLOCKS = [block for page in RESULTS for block in read_blocks(page)]


def read_spans(page: Path) -> list[str]:
    """Return what stands after ``evonas`` in calls inside sentences; parts may be left open (…, N, [--option])."""
    prose = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
    return [" ".join(span.split()) for span in re.findall(r"`evonas\s([^`]+)`", prose)]


def _id(block: Block) -> str:
    return f"{block.page.stem}:{block.line}"


def test_pages_have_blocks():
    assert {block.page for block in BLOCKS} == set(PAGES)
    assert sum(len(block.commands()) for block in BLOCKS) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_says_which_commands_are_run(page):
    for block in read_blocks(page):
        assert block.mark in MARKS, f"{page.name}:{block.line} has no mark"
        assert (block.mark == "parsed") == bool(block.reason)
    assert "by a test" in page.read_text()


@pytest.mark.parametrize("page", RESULTS, ids=lambda page: page.stem)
def test_commands_of_results_are_fenced_as_parsed(page):
    for block in read_blocks(page):
        assert block.commands()
        assert block.mark == "parsed", f"{page.name}:{block.line} is not marked as parsed"
        assert block.reason


@pytest.mark.parametrize("block", [b for b in [*BLOCKS, *RESULT_BLOCKS] if b.commands()], ids=_id)
def test_options_of_every_command_exist(block):
    for words in block.commands():
        command, name = typer.main.get_command(app), "evonas"
        rest = list(words)
        while hasattr(command, "commands"):
            name = rest.pop(0)
            assert name in command.commands, f"evonas has no command {name}"
            command = command.commands[name]
        command.make_context(name, rest)  # raises where an option is unknown, or a value not allowed


@pytest.mark.parametrize("page", [page for page in RESULTS if read_spans(page)], ids=lambda page: page.stem)
def test_options_that_sentences_of_results_name_exist(page):
    for span in read_spans(page):
        command, rest = typer.main.get_command(app), span.split()
        while hasattr(command, "commands") and not rest[0].startswith("--"):
            assert rest[0] in command.commands, f"{page.name}: evonas {span}"
            command = command.commands[rest.pop(0)]
        known = {"--help"}.union(*((*one.opts, *one.secondary_opts) for one in command.params))
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(rest))) <= known, f"{page.name}: evonas {span}"


def test_results_have_commands():
    assert len(RESULT_BLOCKS) > 10
    assert sum(len(read_spans(page)) for page in RESULTS) > 20


def test_an_option_that_does_not_exist_is_found():
    with pytest.raises(Exception, match="--no-such-option"):
        typer.main.get_command(app).commands["search"].make_context("search", ["--no-such-option"])


def _pages_to_run() -> list:
    pages = []
    for page in PAGES:
        marks = {block.mark for block in read_blocks(page)} & {"run", "slow"}
        if marks:
            pages.append(pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if "slow" in marks else []))
    return pages


@pytest.mark.parametrize("page", _pages_to_run())
def test_commands_of_a_page_run_in_order(page, desk):
    environment = os.environ | {
        "PATH": os.pathsep.join([str(desk / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    for block in read_blocks(page):
        if block.mark not in ("run", "slow"):
            continue
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=desk, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{page.name}:{block.line}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
