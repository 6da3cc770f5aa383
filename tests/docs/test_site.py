"""The site and README follow the package: every room and command has its place, no figure has two homes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(path.parent.name for path in (ROOT / "evonas").glob("*/__init__.py"))


@pytest.fixture(scope="module")
def hooks():
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_names_every_room():
    table = (ROOT / "README.md").read_text().split("## Where things are")[1]
    assert {room for room in ROOMS if f"`{room}`" not in table} == set()


def test_command_reference_holds_every_option_of_a_command(hooks):
    text = hooks.command_reference()
    section = text.split("## evonas search\n")[1].split("\n## ")[0]
    for option in ("--objectives", "--epochs", "--workers", "--out"):
        assert f"`{option}`" in section
    assert re.search(r"\| `--generations` \|.*\| `?30`? \|", section)
    assert "## evonas latency build\n" in text


def test_a_room_has_a_page_with_its_modules(hooks):
    page = hooks._room("pareto")
    assert "::: evonas.pareto.dominance" in page
    assert "__init__" not in page


def test_paths_that_contributing_names_exist():
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", (ROOT / "CONTRIBUTING.md").read_text()))
    words = {
        word for span in spans for word in span.split() if re.fullmatch(r"[\w.-]+/[\w./-]*|[\w-]+\.(toml|md|py)", word)
    }
    assert len(words) > 15
    # NAME stands for any: there is such a file at least once
    assert {word for word in words if not any(ROOT.glob(word.replace("NAME", "*").rstrip("/")))} == set()


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "RESULTS.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            generated = "reference/" in target  # made when the site is built
            assert generated or (page.parent / target).exists(), f"{page.name}: {target}"
