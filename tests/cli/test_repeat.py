"""``evonas search --seeds`` and ``evonas repeat``: what is printed and written, and what is refused."""

from __future__ import annotations

import pytest
import typer

from evonas.cli.seeds import search_seeds
from evonas.config import make_settings
from evonas.pipeline import seeds
from evonas.pipeline.seeds import SeedFolder

SEARCH = ("search", "--space", "nasbench201", "--objectives", "flops,params", "--population", "4",
          "--generations", "2", "--warm-start", "0")  # fmt: skip


@pytest.fixture(scope="module")
def several(evonas, tmp_path_factory):
    """A folder of two seeds and what was printed of it."""
    folder = tmp_path_factory.mktemp("several") / "both"
    return folder, evonas(*SEARCH, "--seeds", 2, "--out", folder, "-q", COLUMNS="80")


def test_the_comparison_is_short_and_its_files_are_there(several):
    folder, ended = several
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert len(lines) < 25
    assert all(len(line) <= 80 for line in lines if str(folder) not in line)
    for words in ("seed  members  hypervolume  best flops ↓", "± ", "Median front, what at least 1 of 2 seeds reach"):
        assert words in ended.stdout
    assert (folder / "attainment.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "report.html").read_text()
    assert "href='seed-1/report.html'" in page
    assert "<script" not in page


def test_repeating_a_folder_does_nothing_again_and_says_the_same(several, evonas):
    folder, ended = several
    again = evonas("repeat", folder, COLUMNS="80")
    assert (again.stdout, again.stderr) == (ended.stdout, "")


def test_wrong_folders_and_numbers_are_refused(several, evonas, tmp_path):
    folder, _ = several
    for said, arguments in {
        "exists already: continue it with evonas repeat": (*SEARCH, "--seeds", 2, "--out", folder),
        "has 2 seeds, got 1": ("repeat", folder, "--seeds", 1),
        "leave out --out": ("repeat", folder, "--out", tmp_path / "x"),
        "Expected two seeds or more": ("repeat", folder / "seed-0", "--seeds", 1),
        "Expected a run directory": ("repeat", tmp_path),
        "several seeds: name one of them": ("front", folder),
    }.items():
        ended = evonas(*arguments)
        assert ended.returncode == 2
        assert said in ended.stderr


def test_a_stop_before_the_first_run_names_no_folder_that_is_gone(tmp_path, monkeypatch, capsys):
    def search(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(seeds, "search", search)  # Ctrl-C while data are read
    folder = SeedFolder.create(make_settings(space="nasbench201", objectives=("flops", "params")), 2, tmp_path / "gone")
    with pytest.raises(typer.Exit):
        search_seeds(folder, lambda progress: [], True, None)
    assert not folder.path.exists()
    assert capsys.readouterr().err == "\nStopped before anything was evaluated.\n"
