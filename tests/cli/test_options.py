"""What help prints of the options that `Settings` makes, read off the page as a person at 80 columns sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer

from evonas.cli import app
from evonas.cli.options import default_text, range_text
from evonas.config import ALGORITHMS, PANELS, SAMPLINGS, WHERE, Settings
from evonas.evolution import algorithms
from evonas.supernet.sampling import SAMPLINGS as SHIPPED_SAMPLINGS


def commands_of(application: typer.Typer) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, those of groups too."""
    for command in application.registered_commands:
        yield (command.name or command.callback.__name__.replace("_", "-"),)
    for group in application.registered_groups:
        name = group.name or group.typer_instance.info.name
        yield from ((name, *words) for words in commands_of(group.typer_instance))


COMMANDS = sorted(commands_of(app))


@pytest.fixture(scope="module")
def printed(evonas):
    """The help of a command as it is printed at 80 columns."""

    def page(*command: str) -> str:
        done = evonas(*command, "--help", COLUMNS="80", TERM="dumb", NO_COLOR="1")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return page


def options_of(page: str) -> dict[str, str]:
    """Return each option's help by its flag, lines joined."""
    found: dict[str, list[str]] = {}
    current = None
    for line in page.splitlines():
        inner = line.strip("│ ").rstrip()
        if match := re.match(r"│\s+(?:\*\s+)?--([a-z0-9-]+)", line):
            current = match[1]
            found[current] = []
        elif not line.startswith("│"):
            current = None
        if current is not None:
            found[current].append(inner)
    return {flag: " ".join(" ".join(lines).split()) for flag, lines in found.items()}


@pytest.fixture(scope="module")
def pages(printed):
    return {command: printed(command) for command in ("search", "resume")}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_search_shows_default_and_allowed_values_of_each_setting(pages, name):
    flag = name.replace("_", "-")
    text = options_of(pages["search"])[flag]
    assert f"[default: {default_text(name)}]" in text
    allowed = Settings.model_fields[name].json_schema_extra["allowed"]
    if allowed:
        assert f"One of {', '.join(allowed)}." in text
    assert range_text(name) in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("epochs", "0 or more"),
        ("lr", "Above 0 to 10"),
        ("validation", "Above 0, below 1"),
        ("population", "2 to 100000"),
        ("space", ""),
    ],
)
def test_ranges_are_those_that_settings_check(name, expected):
    assert range_text(name) == expected


def test_resume_shows_the_settings_that_a_run_may_change(pages):
    shown = options_of(pages["resume"])
    for name in WHERE:
        assert f"[default: {default_text(name)}]" in shown[name.replace("_", "-")]


def test_options_stand_in_panels(pages):
    heads = re.findall(r"─ ([A-Z][a-z ]+) ─", pages["search"])
    assert heads == ["Options", *(panel.capitalize() for panel in PANELS)]


def test_no_line_is_wider_than_the_terminal(pages):
    assert max(map(len, pages["search"].splitlines())) <= 80


def test_allowed_values_are_the_registries_names():
    assert set(SAMPLINGS) == set(SHIPPED_SAMPLINGS)
    assert set(ALGORITHMS) == set(algorithms)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_says_its_default_or_that_it_is_required(printed, command):
    for flag, text in options_of(printed(*command)).items():
        if flag != "help":
            assert "[default: " in text or "[required]" in text, f"--{flag}: {text}"


def test_commands_of_all_groups_are_looked_at():
    assert {("search",), ("list",), ("import", "lhd"), ("bench", "distillation"), ("latency", "kit")} <= set(COMMANDS)


def test_keys_of_a_settings_file_are_the_flags_names():
    content = Settings().content()
    assert "batch-size" in content
    assert all("_" not in key for key in content)
