"""Searches on tables that hold a part of their space, and columns called as what is computed here."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.deployment.verify import verify
from evonas.errors import DataError, RunError, SettingsError
from evonas.pipeline import run as pipeline
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.rows import RowGenome, is_partial
from evonas.report.closing import closing_lines
from evonas.report.contents import gather
from evonas.report.figures import columns
from evonas.runs.front_file import read_front
from evonas.spaces import load_space
from evonas.tables.load import load_table


def write_rows(path: Path, n: int, names: tuple[str, str] = ("acc", "flops"), holes: int = 0) -> Path:
    """Write n different cells of NAS-Bench-201 with two numbers each, the second a third of the first squared."""
    space, rng = load_space("nasbench201"), np.random.default_rng(0)
    forms = dict.fromkeys(str(space.form(genome)) for genome in space.sample(4 * n, rng))
    rows = [(text, str(60 + i % 37), str((60 + i % 37) ** 2 / 3)) for i, text in enumerate(list(forms)[:n])]
    rows[:holes] = [(text, "N/A", second) for text, _, second in rows[:holes]]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("arch", *names), *rows])
    return path


def settings(table: Path, **more: object) -> dict[str, object]:
    given = {"space": "nasbench201", "table": str(table), "objectives": "acc,flops", "population": 8, "generations": 4}
    return given | {"warm_start": 0} | more


@pytest.mark.parametrize("objectives", ["acc,flops", "acc:max,flops:min"])
@pytest.mark.parametrize("surrogate", [False, True])
def test_a_part_of_a_space_is_searched_over_its_rows(tmp_path, objectives, surrogate):
    table = write_rows(tmp_path / "part.csv", 60)
    given = settings(table, objectives=objectives, surrogate=surrogate, population=16, generations=2)
    with pipeline.search(make_settings(**given), tmp_path / "run") as run:
        known = load_table(table, load_space("nasbench201"))
        rows = run.store.evaluations()
        assert len({row.architecture for row in rows}) == 32
        assert all(row.cause is None for row in rows)
        front = read_front(run)
        for member in front:
            row = known.index(member.architecture)
            assert (member.values["acc"], member.values["flops"]) == (known["acc"][row], known["flops"][row])
        words = " ".join(closing_lines(run, front))
        assert "multiply-add" not in words
        assert "shared weights" not in words
        origins = {one["name"]: one["origin"] for one in columns(gather(run)) if one["name"] in given["objectives"]}
        assert origins == {"acc": "from a table", "flops": "from a table"}


def test_the_share_is_said_and_rows_without_a_value_are_left_out(tmp_path):
    problem = SearchProblem(make_settings(**settings(write_rows(tmp_path / "part.csv", 60, holes=10))))
    assert isinstance(problem.genome, RowGenome)
    (line,) = problem.notes
    assert "among the 50 rows of part.csv, of the 15,625 architectures of nasbench201 (0.3%)" in line
    assert "10 rows without a value of every objective are left out" in line


def test_epochs_of_a_supernet_do_not_matter_where_none_is_trained(tmp_path):
    problem = SearchProblem(make_settings(**settings(write_rows(tmp_path / "part.csv", 10), epochs=0, population=2)))
    assert (problem.settings.epochs, problem.learned) == (0, [])
    again = SearchProblem(make_settings(**problem.settings.content()))  # as when it is resumed: from no weights
    assert again.settings == problem.settings


def test_a_genome_means_the_row_nearest_to_it(tmp_path):
    space = load_space("nasbench201")
    table = load_table(write_rows(tmp_path / "part.csv", 40), space)
    genome = RowGenome(space, table, ["acc"])
    codes = np.stack([space.encode(architecture) for architecture in table.architectures])
    for row in space.sample(200, np.random.default_rng(1)):
        found = space.encode(table.architectures[table.index(genome.candidate(row).architecture)])
        assert (found != row).sum() == (codes != row).sum(axis=1).min()
    assert {genome.key(row) for row in codes} == {str(space.canonical(one)) for one in table.architectures}


def test_all_rows_are_found_and_then_the_search_ends(tmp_path):
    table = write_rows(tmp_path / "part.csv", 20)
    with pipeline.search(make_settings(**settings(table, generations=30)), tmp_path / "run") as run:
        assert len({row.architecture for row in run.store.evaluations()}) == 20


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"Expected two rows or more of part.csv with values of acc, flops, got 1"):
        SearchProblem(make_settings(**settings(write_rows(tmp_path / "part.csv", 4, holes=3))))


def test_a_whole_table_is_searched_as_the_space(truth, tmp_path):
    space = load_space("nasbench201")
    assert not is_partial(space, load_table(truth / "nasbench201.csv.gz", space))
    given = settings(truth / "nasbench201.csv.gz", objectives="c10_val_200:max,flops")
    assert not isinstance(SearchProblem(make_settings(**given)).genome, RowGenome)


@pytest.mark.parametrize("text", ["acc_tset:max", "acc_tset"])
def test_a_name_that_nothing_has_lists_columns_and_objectives(tmp_path, text):
    table = write_rows(tmp_path / "part.csv", 20, names=("acc_test", "cost"))
    with pytest.raises(SettingsError, match=r"column of the table \(acc_test, cost\).*computed \(.*swap.*'acc_test'"):
        SearchProblem(make_settings(**settings(table, objectives=f"{text},cost:min")))


def test_a_bad_cell_of_an_objective_is_named(tmp_path):
    table = write_rows(tmp_path / "part.csv", 20, names=("acc_test", "cost"))
    table.write_text(table.read_text().replace(",61,", ",6l,"))
    with pytest.raises(SettingsError, match=r"column 'acc_test' of part.csv, got '6l' in row 2"):
        SearchProblem(make_settings(**settings(table, objectives="acc_test,cost:min")))


def test_a_column_may_have_a_colon_and_a_slash(tmp_path):
    table = write_rows(tmp_path / "part.csv", 30, names=("c10/acc:200", "a/b:c"))
    given = settings(table, objectives="c10/acc:200:max,a/b:c:min", constraint="a/b:c<=2500")
    with pipeline.search(make_settings(**given), tmp_path / "run") as run:
        front = read_front(run)
        assert [objective.name for objective in front.objectives] == ["c10/acc:200", "a/b:c"]
        assert all(member.values["a/b:c"] <= 2500 for member in front)
        best = max(member.values["c10/acc:200"] for member in front)
        assert front.select("best:c10/acc:200").values["c10/acc:200"] == best


def test_gzip_of_another_name_is_read_too(tmp_path):
    table = write_rows(tmp_path / "part.csv", 20)
    other = tmp_path / "part.table"
    other.write_bytes(gzip.compress(table.read_bytes()))
    assert load_table(other, load_space("nasbench201")).keys == load_table(table, load_space("nasbench201")).keys


def test_a_table_that_was_moved_is_named_again(tmp_path):
    table, moved = write_rows(tmp_path / "part.csv", 40), tmp_path / "elsewhere.csv"
    pipeline.search(make_settings(**settings(table)), tmp_path / "run").close()
    table.rename(moved)
    with pytest.raises(DataError, match="No table at"):
        pipeline.resume(tmp_path / "run", generations=5)
    with pipeline.resume(tmp_path / "run", generations=5, table=[str(moved)]) as run:
        assert len({row.architecture for row in run.store.evaluations()}) == 40
    moved.write_text(moved.read_text().replace(",61,", ",62,"))
    with pytest.raises(RunError, match="cannot be continued"):
        pipeline.resume(tmp_path / "run", generations=6, table=[str(moved)])


def test_a_run_that_can_only_be_read_is_verified(tmp_path, monkeypatch):
    pipeline.search(make_settings(**settings(write_rows(tmp_path / "part.csv", 30))), tmp_path / "run").close()
    moved = (tmp_path / "part.csv").rename(tmp_path / "moved.csv")
    before = {file.name for file in (tmp_path / "run").iterdir()}
    # Root, as which tests may run, may write everywhere.
    monkeypatch.setattr("evonas.deployment.verify.os.access", lambda path, mode: False)
    verification = verify(tmp_path / "run", "index:0", table=[str(moved)])
    assert not verification.moved
    assert {file.name for file in (tmp_path / "run").iterdir()} == before
