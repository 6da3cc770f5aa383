"""Resolutions that candidates of a search from published weights choose among."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.deployment import load_model, train_members
from evonas.engine import LocalEngine
from evonas.errors import SettingsError
from evonas.files.progress import Silent
from evonas.objectives.cost.memory import MemoryEvaluator
from evonas.objectives.cost.size import SizeEvaluator
from evonas.objectives.latency.latency import LatencyEvaluator, measure_latency_table
from evonas.pipeline.context import problem_of
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import search, start_of
from evonas.pipeline.shrunk import ends_of
from evonas.pipeline.surrogate import _GenomeFeatures
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Candidate
from evonas.training import load_recipe
from tests.pipeline.published import settings


def test_candidates_choose_among_all_sides_up_to_the_images_where_none_are_named(made, published_run):
    with Run.open(published_run) as opened:
        assert opened.settings["resolution"] == 24
        assert opened.settings["resolutions"] == [16, 24]
        first = [member.architecture for member in opened.store.members()][:4]
    # The smallest at the lowest, the largest at each: what was published is worth most as it was published.
    assert first[:3] == ["k3e2-(k3e2) @ 16x16", "k5e3-k5e3 @ 24x24", "k5e3-k5e3 @ 16x16"]
    said = []

    class Told(Silent):
        def say(self, text):
            said.append(text)

    def sides(**more):
        return start_of(settings(made, **{"resolution": 24, **more}), Told()).settings.resolutions

    assert sides() == (16, 24)
    assert said == ["Each candidate chooses its resolution among 16 and 24 px (--resolutions 24: this one alone)"]
    said.clear()
    assert sides(resolution=16) == ()
    assert sides(resolutions="24") == (24,)
    assert sides(objectives="acc,swap") == ()
    assert sides(estimator="train:1") == ()
    assert sides(metric="macro_f1") == ()
    assert sides(warm_start=8) == ()
    assert said == []
    assert sides(objectives="acc,memory") == (16, 24)


def test_predictors_see_the_resolution_that_a_candidate_is_read_at(published_run):
    with Run.open(published_run) as run:
        assert run.settings["surrogate"]
        problem, _ = problem_of(run)
        genomes = ends_of(problem)
        pixels = [math.prod(problem.genome.candidate(one).resolution) for one in genomes]
        assert len(set(pixels)) > 1
        engine = LocalEngine({"flops": problem.bounds.cheap["flops"]}, run.store)
        columns = _GenomeFeatures(problem, run, [], engine).statistics(genomes).T
    assert any(np.array_equal(column, pixels) for column in columns)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resolutions": "16,17"}, "has the resolutions 16, 24, got 17"),
        ({"resolutions": "16,24", "resolution": 16}, "Images are read at the largest of the resolutions 16, 24"),
        ({"resolutions": "16,24", "objectives": ("acc", "swap")}, "The objective 'swap' is of one resolution"),
        ({"resolutions": "16,24", "warm_start": 5}, "--warm-start and --anchors are of one resolution"),
        (
            {"resolutions": "16,24", "estimator": "supernet:smoothed"},
            "'supernet:smoothed' is of one resolution: with --resolutions expected one of supernet:loss, supernet:acc",
        ),
        ({"resolutions": "16,24", "estimator": "train:1"}, "'train:1' is of one resolution"),
        ({"resolutions": "16,24", "estimator": "supernet"}, "'supernet' is of one resolution"),
        ({"resolutions": "16,24", "pretrained": "none"}, "are searched from published weights"),
        ({"resolutions": "16,x"}, "expected sides in pixels of 1 to 4096, such as 64,96,128, got 'x'"),
    ],
)
def test_resolutions_that_cannot_be_searched(made, given, message):
    with pytest.raises(SettingsError, match=message):
        SearchProblem(settings(made, **given))


def test_each_candidate_chooses_its_resolution(made, tmp_path):
    wanted = settings(made, resolutions="16,24", epochs=2, population=8, generations=2, train_limit=60)
    with search(wanted, tmp_path / "run") as run:
        front = read_front(run)
        texts = {member.architecture for member in run.store.members()}
        assert len({text.rpartition(" @ ")[2] for text in texts}) == 2
        assert all(" @ " in member.architecture for member in front)
    (trained,) = train_members(tmp_path / "run", "index:0", load_recipe("finetune", epochs=1))
    side = int(trained.architecture.rpartition("x")[2])
    assert load_model(trained.folder).skeleton.resolution == side
    assert "@" not in (trained.folder / "network.toml").read_text().split("skeleton")[0]


def test_costs_follow_the_resolution_of_a_candidate(made):
    problem = SearchProblem(settings(made, resolutions="16,24", train_limit=60))
    form = problem.space.extremes()[1]
    rows = problem.bounds.cheap["flops"].evaluate([Candidate(form, resolution=(side, side)) for side in (16, 24)])
    small, large = (row["flops"].value for row in rows)
    whole = problem.bounds.cheap["flops"].evaluate([Candidate(form)])[0]["flops"].value
    assert small < large == whole
    assert [row["params"].value for row in rows] == [rows[0]["params"].value] * 2


@pytest.fixture(scope="module")
def latencies(made, tmp_path_factory):
    """Tables of both resolutions, and of one."""
    problem = SearchProblem(settings(made, resolutions="16,24", train_limit=60))
    folder = tmp_path_factory.mktemp("latencies")
    for name, sides in (("both", (16, 24)), ("one", ())):
        table = measure_latency_table(
            problem.space, problem.skeleton, resolutions=sides, networks=20, repeats=2, seconds=1
        )
        (folder / f"{name}.json").write_text(table.to_json())
    return folder


def test_latency_size_and_memory_are_those_of_the_candidates_resolution(made, latencies):
    given = {"resolutions": "16,24", "train_limit": 60, "objectives": "acc,latency"}
    problem = SearchProblem(settings(made, **given, latency_table=str(latencies / "both.json")))
    form = problem.space.extremes()[1]
    sides = [Candidate(form, resolution=(side, side)) for side in (16, 24)]
    context = problem.context(options={"latency_table": str(latencies / "both.json")})
    evaluator = LatencyEvaluator(context)
    small, large = (row["latency"].value for row in evaluator.evaluate(sides))
    assert small != large
    assert large == evaluator.evaluate([Candidate(form)])[0]["latency"].value
    assert len({row["size"].value for row in SizeEvaluator(context).evaluate(sides)}) == 1
    small, large = (row["memory"].value for row in MemoryEvaluator(context).evaluate(sides))
    assert 0 < small < large
    with pytest.raises(SettingsError, match="is of the resolutions 24, and candidates choose among 16,24: build one"):
        LatencyEvaluator(problem.context(options={"latency_table": str(latencies / "one.json")}))


def test_a_latency_table_of_one_resolution_leaves_candidates_that_one(made, latencies):
    files = {name: str(latencies / f"{name}.json") for name in ("both", "one")}
    given = {"objectives": "acc,latency", "resolution": 24}
    tables = {name: settings(made, **given, latency_table=file) for name, file in files.items()}
    assert start_of(tables["both"], Silent()).settings.resolutions == (16, 24)
    assert start_of(tables["one"], Silent()).settings.resolutions == ()
    with pytest.raises(SettingsError, match="latency table is of one resolution, and candidates choose among 16,24"):
        SearchProblem(tables["one"].model_copy(update={"resolutions": (16, 24), "resolution": None}))
