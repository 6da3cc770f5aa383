from __future__ import annotations

import csv
import gzip
import io

import pytest

from evonas.errors import DataError, EvaluationError, SettingsError
from evonas.objectives import Context, check_objectives, make_evaluator, score
from evonas.objectives.score import score_file


@pytest.fixture
def archs(trained: Context, draw, tmp_path):
    """A table of architectures with a column of its own; its last row repeats the first."""
    forms = [str(form) for form in draw(trained.space, 3, canonical=False)]
    text = io.StringIO()
    csv.writer(text).writerows([["id", "genotype"], *([f"00{i}", form] for i, form in enumerate([*forms, forms[0]]))])
    path = tmp_path / "archs.csv"
    path.write_text(text.getvalue())
    return path


def rows(path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_kept_and_scores_added(packed: bool, trained: Context, archs, tmp_path):
    source, out = archs, tmp_path / ("out.csv.gz" if packed else "out.csv")
    if packed:
        source = tmp_path / "archs.csv.gz"
        source.write_bytes(gzip.compress(archs.read_bytes()))
    report = score_file(trained, ("params", "flops"), source, out)
    before, after = rows(archs), rows(out)
    assert [{name: row[name] for name in ("id", "genotype")} for row in after] == before
    assert list(after[0]) == ["id", "genotype", "params", "flops"]
    assert all(float(row["params"]) > 0 for row in after)
    assert after[0]["flops"] == after[3]["flops"]
    assert report.rows == 4
    assert report.scored == {"params": 4, "flops": 4}
    assert report.causes == {}


def test_a_score_that_fails_leaves_its_cell_empty(trained: Context, archs, tmp_path, monkeypatch):
    class Broken(score.Scores):
        def __call__(self, architecture):
            return [EvaluationError("it overflows"), 1.5]

    # A score that breaks in the middle of a file.
    monkeypatch.setattr(score, "Scores", Broken)
    report = score_file(trained, ("params", "flops"), archs, tmp_path / "out.csv")
    assert {(row["params"], row["flops"]) for row in rows(tmp_path / "out.csv")} == {("", "1.5")}
    assert report.causes == {"params": "it overflows"}
    assert report.scored == {"params": 0, "flops": 4}


def test_ranks_stand_beside_scores(trained: Context, archs, tmp_path):
    score_file(trained, ("rank(params,flops)", "params"), archs, tmp_path / "out.csv", limit=2)
    after = rows(tmp_path / "out.csv")
    assert len(after) == 2
    assert list(after[0])[-2:] == ["rank(params,flops)", "params"]
    assert all(0 <= float(row["rank(params,flops)"]) <= 1 for row in after)


def test_options_stand_behind_a_name(trained: Context, archs, tmp_path):
    names = ("swap(repeats=2)", "swap(repeats=2,mu=1,sigma=1e9)", "params")
    score_file(trained, names, archs, tmp_path / "out.csv", limit=2)
    for row in rows(tmp_path / "out.csv"):
        plain, regularized, _ = (float(row[name]) for name in names)
        assert 0.9 * plain < regularized < plain
    plain, regularized = (make_evaluator(name, trained) for name in names[:2])
    assert plain.fingerprint != regularized.fingerprint
    for name, words in [("swap(mu=1)", "both mu and sigma"), ("swap(nu=1)", "nu"), ("swap(mu", "got 'swap"),
                        ("swap(mu)", "key=value")]:  # fmt: skip
        with pytest.raises(SettingsError, match=words):
            check_objectives([name])


def test_a_column_of_a_score_s_name_stays_and_the_score_stands_beside(trained: Context, archs, tmp_path):
    archs.write_text(archs.read_text().replace("id,", "params,"))
    report = score_file(trained, ("params", "flops"), archs, tmp_path / "out.csv")
    after = rows(tmp_path / "out.csv")
    assert list(after[0]) == ["params", "genotype", "params_scored", "flops"]
    assert [row["params"] for row in after] == ["000", "001", "002", "003"]
    assert all(float(row["params_scored"]) > 0 for row in after)
    assert report.columns == {"params": "params_scored"}


def test_what_cannot_be_scored_is_said_before_work(trained: Context, archs, tmp_path):
    out = tmp_path / "out.csv"
    with pytest.raises(SettingsError, match=r"got 'parmas'.*Did you mean 'params'"):
        score_file(trained, ("parmas",), archs, out)
    with pytest.raises(SettingsError, match="exists already"):
        score_file(trained, ("params",), archs, archs)
    lines = archs.read_text().splitlines()
    archs.write_text("\n".join(["params,params_scored," + lines[0], *(f"1,2,{line}" for line in lines[1:])]))
    with pytest.raises(SettingsError, match="has columns 'params' and 'params_scored' already"):
        score_file(trained, ("params",), archs, out)
    with pytest.raises(DataError, match=r"No table at .*none\.csv"):
        score_file(trained, ("params",), tmp_path / "none.csv", out)
    assert not out.exists()


def test_a_row_that_is_no_architecture_is_named(trained: Context, archs, tmp_path):
    lines = archs.read_text().splitlines()
    lines[2] = "1,nonsense"
    archs.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"Row 2 of archs\.csv is no architecture of darts"):
        score_file(trained, ("params",), archs, tmp_path / "out.csv")
