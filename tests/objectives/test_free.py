from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.errors import DataError
from evonas.objectives import Context, check_objectives, free, make_evaluator
from evonas.objectives.free import FreeEvaluator, read_free_reference
from evonas.objectives.registry import describe_objectives
from evonas.predictors.ranker import JointScore
from evonas.spaces import as_candidates


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch):
    # Fewer repeats: seconds instead of minutes.
    monkeypatch.setattr(free, "OPTIONS", {"swap": {"repeats": 1}, "synflow": {}})


def values(evaluator, forms):
    return [row["free"].value for row in evaluator.evaluate(as_candidates(forms))]


def test_without_images_it_ranks_as_flops_of_canonical_forms(tiny: Context, draw):
    forms = draw(tiny.space, 15)
    flops = [row["flops"].value for row in make_evaluator("flops", tiny).evaluate(as_candidates(forms))]
    found = values(make_evaluator("free", tiny), forms)
    assert (np.argsort(found) == np.argsort(flops)).all()
    assert set(FreeEvaluator(tiny).reference.scores) == {"flops"}


def test_with_images_it_is_the_joint_score_of_three_scores(tiny: Context, digits, draw):
    context = replace(tiny, data=digits)
    evaluator, forms = FreeEvaluator(context), draw(tiny.space, 3)
    rows = [evaluator._row(form) for form in forms]
    columns = {name: np.array([row[i] for row in rows], float) for i, name in enumerate(("flops", "swap", "synflow"))}
    assert values(evaluator, forms) == pytest.approx(JointScore(evaluator.reference.columns())(columns).tolist())
    assert values(FreeEvaluator(context), forms) == values(evaluator, forms)


def test_the_sample_follows_from_the_seed_and_nothing_else(tiny: Context):
    same, other = FreeEvaluator(tiny), FreeEvaluator(replace(tiny, seed=1))
    assert same.reference == FreeEvaluator(tiny).reference
    assert same.reference.architectures != other.reference.architectures
    assert same.fingerprint != other.fingerprint


class Unread(FreeEvaluator):
    """One that cannot score anything."""

    _row = None


class Lame(FreeEvaluator):
    """One whose last score fails."""

    def _row(self, architecture):
        return [*super()._row(architecture)[:-1], None]


def test_a_stored_sample_is_taken_and_one_of_other_settings_refused(tiny: Context, tmp_path):
    path = tmp_path / "free.json"
    path.write_text(FreeEvaluator(tiny).reference.to_json())
    stored = replace(tiny, options={"free_reference": path})
    evaluator = Unread(stored)
    evaluator.prepare()
    assert evaluator.reference == read_free_reference(path)
    with pytest.raises(DataError, match="other data, space, skeleton or seed"):
        FreeEvaluator(replace(stored, seed=1))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"fingerprint": "a", "architectures": ["x"], "scores": {"flops": [1, 2]}}']
)
def test_a_broken_sample_is_an_error_of_one_line(tmp_path, text):
    path = tmp_path / "free.json"
    path.write_text(text)
    with pytest.raises(DataError, match="reference sample of 'free'"):
        read_free_reference(path)


def test_an_architecture_that_a_score_fails_for_gets_its_lowest_rank(tiny: Context, digits, draw, tmp_path):
    evaluator, (form,) = FreeEvaluator(replace(tiny, data=digits)), draw(tiny.space, 1)
    path = tmp_path / "free.json"
    path.write_text(evaluator.reference.to_json())
    (whole,) = values(evaluator, [form])
    (lame,) = values(Lame(replace(tiny, data=digits, options={"free_reference": path})), [form])
    assert lame < whole


def test_it_is_listed():
    check_objectives(["free"])
    assert "SWAP" in describe_objectives()["free"]


def test_a_search_stores_the_sample_and_resumes_with_it(tmp_path):
    from evonas.pipeline import run as pipeline

    settings = {"space": "nasbench201", "objectives": ("free", "flops"), "population": 4, "warm_start": 0}
    settings |= {"train_limit": 100, "surrogate": False}
    pipeline.search(out=tmp_path / "run", generations=1, **settings).close()
    stored = (tmp_path / "run" / "free.json").read_text()
    pipeline.search(out=tmp_path / "again", generations=2, **settings).close()
    with pipeline.resume(tmp_path / "run", generations=2) as run:
        assert (tmp_path / "run" / "free.json").read_text() == stored
        assert run.front == pipeline.Run.open(tmp_path / "again").front
