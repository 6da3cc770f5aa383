"""Every command of README and of the how-to pages, taken from the page's own text, is run or at least parsed."""

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


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.commands()], ids=_id)
def test_options_of_every_command_exist(block):
    for words in block.commands():
        command, name = typer.main.get_command(app), "evonas"
        rest = list(words)
        while hasattr(command, "commands"):
            name = rest.pop(0)
            assert name in command.commands, f"evonas has no command {name}"
            command = command.commands[name]
        command.make_context(name, rest)  # raises where an option is unknown, or a value not allowed


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
            cwd=desk, env=environment, capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{page.name}:{block.line}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
