"""A search with several seeds: a run of each, which a stop does not change, and further seeds of a run."""

from __future__ import annotations

import json
import shutil

import pytest

import evonas
from evonas.config import make_settings
from evonas.errors import EvaluationError, EvonasError, InfeasibleError, RunError, SettingsError
from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from evonas.pipeline.seeds import SeedFolder
from evonas.report.seeds_listing import words
from evonas.runs.front_file import read_front
from evonas.runs.run import Run

SETTINGS = {
    "space": "nasbench201", "objectives": ("flops", "params"), "population": 4, "generations": 2, "warm_start": 0,
}  # fmt: skip


class Stopped(Silent):
    """Progress that is interrupted at the second search."""

    searches = 0

    def say(self, text: str) -> None:
        Stopped.searches += text.startswith("Seed ") and "took" not in text

    def advance(self, n: int = 1, note: str = "") -> None:
        if Stopped.searches == 2:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> SeedFolder:
    """Two seeds, stopped in the second one's search and gone on with; never changed."""
    path = tmp_path_factory.mktemp("seeds") / "both"
    folder = SeedFolder.create(make_settings(**SETTINGS, seed=7), 2, path)
    with pytest.raises(KeyboardInterrupt):
        folder.search(Stopped)
    assert json.loads((path / "seeds.json").read_text())["done"] == [7]
    assert (path / "seed-8").exists()
    with pytest.raises(RunError, match="have not ended"):
        SeedFolder.open(path).compare()
    again = SeedFolder.open(path)
    again.search(Silent)
    return again


def test_each_seed_has_the_run_that_a_search_with_it_alone_has_though_it_was_stopped(whole, tmp_path):
    alone = pipeline.search(make_settings(**SETTINGS, seed=8), tmp_path / "alone")
    assert read_front(alone).to_json() == read_front(whole.home(8)).to_json()
    assert whole.home(7).name == "seed-7"


def test_what_has_ended_is_compared_and_not_searched_again(whole):
    whole.search(lambda: pytest.fail("searched again"))  # type: ignore[arg-type]
    found = whole.compare()
    assert list(found.hypervolume) == [7, 8]
    assert (whole.path / "comparison.json").read_text() == found.to_json()
    assert {path.name for path in whole.path.iterdir()} >= {"members.csv", "attainment.csv", "seed-7", "seed-8"}


def test_a_run_gets_further_seeds_and_counts_as_the_first(whole, tmp_path):
    with Run.open(whole.home(7)) as run:
        folder = SeedFolder.beside(run, 2, tmp_path / "more")
        again = SeedFolder.open(tmp_path / "more")
    assert folder.seeds == (7, 8)
    assert again.home(7).samefile(whole.home(7))
    with pytest.raises(RunError, match="exists already: continue it with  evonas repeat"):
        SeedFolder.create(make_settings(**SETTINGS), 2, tmp_path / "more")
    folder.search(Silent)
    assert not (tmp_path / "more" / "seed-7").exists()
    assert read_front(tmp_path / "more" / "seed-8").to_json() == read_front(whole.home(8)).to_json()
    with pytest.raises(SettingsError, match="has 3 seeds, got 2"):
        folder.extended(3).extended(2)


def test_a_time_is_that_of_all_seeds_and_a_refused_search_leaves_nothing_behind(tmp_path):
    folder = SeedFolder.create(make_settings(time="63s"), 3, tmp_path / "timed")
    assert json.loads((folder.path / "seeds.json").read_text())["settings"]["time"] == "20.0s"
    short = SeedFolder.create(make_settings(**SETTINGS, time="3.2s"), 2, tmp_path / "s")
    short._asked.settings["constraint"] = ["flops<=1"]
    with pytest.raises(SettingsError, match=r"flops<=1.*2 seeds gets an equal part of --time"):
        short.search(Silent)
    assert not short.path.exists()


def test_a_seed_in_which_nothing_keeps_to_the_bounds_does_not_end_the_others(whole, tmp_path, monkeypatch):
    from evonas.pipeline import seeds

    folder = SeedFolder.create(make_settings(**SETTINGS, seed=7), 2, tmp_path / "failed")

    def search(settings, *arguments, **more):
        if settings.seed == 7:
            raise InfeasibleError("None of 4 architectures keeps to acc>=1")
        return pipeline.search(settings, *arguments, **more)

    monkeypatch.setattr(seeds, "search", search)  # no bound fails with one seed alone
    folder.search(Silent)
    assert folder.failed == {7: "None of 4 architectures keeps to acc>=1"}
    assert folder.compare().hypervolume[7] == 0.0
    assert [line for line in words(folder.compare()) if "Seed" in line] == [
        "Seed 7 has no front: it counts as hypervolume 0."
    ]


def test_a_search_that_its_machine_ends_is_not_one_without_a_front(whole, tmp_path, monkeypatch):
    from evonas.pipeline import seeds

    with Run.open(whole.home(7)) as run:
        folder = SeedFolder.beside(run, 2, tmp_path / "broken")

    def search(*arguments, **more):
        raise EvaluationError("3 workers in a row did not start")

    with monkeypatch.context() as patch:
        patch.setattr(seeds, "search", search)  # workers that cannot start
        with pytest.raises(EvaluationError, match="did not start"):
            folder.search(Silent)
    again = SeedFolder.open(folder.path)
    assert again.failed == {}
    again.search(Silent)
    assert again.compare().hypervolume[8] > 0.0


def test_bounds_that_nothing_evaluated_keeps_to_are_told_from_other_failures(tmp_path, monkeypatch):
    from evonas.pipeline import final_front

    monkeypatch.setattr(final_front, "make_front", lambda *arguments: ())  # no bound fails for sure
    with pytest.raises(InfeasibleError, match="None of"):
        pipeline.search(make_settings(**SETTINGS), tmp_path / "run")


def test_where_no_number_is_given_a_folder_keeps_its_own_and_a_new_one_has_five(whole, tmp_path):
    home = shutil.copytree(whole.home(7), tmp_path / "run")
    with Run.open(home) as run:
        assert len(SeedFolder.beside(run).seeds) == 5
        assert len(SeedFolder.beside(run, 8).seeds) == 8
        assert len(SeedFolder.beside(run).seeds) == 8


def test_a_name_that_another_search_takes_first_is_passed_over(tmp_path, monkeypatch):
    from evonas.pipeline import seeds

    monkeypatch.setenv("EVONAS_RUNS", str(tmp_path))
    free, taken = seeds._free_path, []

    def late(settings):
        path = free(settings)
        if not taken:
            path.mkdir(parents=True)
            taken.append(path)
        return path

    monkeypatch.setattr(seeds, "_free_path", late)  # another search begins in between
    folder = SeedFolder.create(make_settings(**SETTINGS), 2)
    assert folder.path.name == f"{taken[0].name}-2"
    assert list(taken[0].iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda path: SeedFolder.create(make_settings(), 1, path / "one"), "two seeds or more"),
        (lambda path: SeedFolder.create(make_settings(time="2s"), 5, path / "one"), "a time for 5 searches"),
        (lambda path: SeedFolder.open(path), "has no seeds.json"),
        (lambda path: (path / "seeds.json").write_text("{") and SeedFolder.open(path), "cannot be read"),
        (lambda path: (path / "seeds.json").write_text("{}") and SeedFolder.open(path), "cannot be read"),
        (lambda path: (path / "seeds.json").write_text("{}") and Run.open(path), "several seeds.*evonas repeat"),
    ],
)
def test_wrong_input_is_refused(tmp_path, wrong, said):
    with pytest.raises(EvonasError, match=said):
        wrong(tmp_path)


def test_the_python_door_goes_on_with_a_folder_and_says_how_it_compares(whole, tmp_path):
    copy = shutil.copytree(whole.path, tmp_path / "both")
    found = evonas.repeat(copy)
    assert found.to_json() == whole.compare().to_json()
    assert (copy / "report.html").exists()
    with pytest.raises(SettingsError, match="goes on where it is"):
        evonas.repeat(str(copy), out=tmp_path / "other")
    with pytest.raises(SettingsError, match="two seeds or more"):
        evonas.repeat(make_settings(**SETTINGS), 1)
