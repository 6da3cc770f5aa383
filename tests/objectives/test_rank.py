from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.errors import SettingsError
from evonas.objectives import Context, check_objectives, make_evaluator
from evonas.objectives.rank import ranked_proxies
from evonas.spaces import as_candidates


def test_names_are_read():
    assert ranked_proxies("rank(swap,synflow)") == ("swap", "synflow")
    assert ranked_proxies("rank") == ranked_proxies("swap") == ()
    check_objectives(["rank(params,flops)"])


@pytest.mark.parametrize(
    ("name", "words"), [("rank(swpa)", "got 'swpa'"), ("rank()", "at least one"), ("rank(flops,flops)", "twice")]
)
def test_what_cannot_be_ranked_is_named(name: str, words: str):
    with pytest.raises(SettingsError, match=words):
        check_objectives([name])


def test_a_rank_is_the_share_of_the_sample_below(trained: Context, draw):
    evaluator = make_evaluator("rank(params)", trained)
    forms = draw(trained.space, 6)
    values = [row["rank(params)"].value for row in evaluator.evaluate(as_candidates(forms))]
    assert all(0 <= value <= 1 for value in values)
    sizes = [evaluator.scores(form)[0] for form in forms]
    assert [values[i] for i in np.argsort(sizes)] == sorted(values)
    assert len(set(values)) > 1


def test_a_rank_is_the_mean_over_proxies(trained: Context, draw):
    forms = draw(trained.space, 3)
    values = {
        name: [row[name].value for row in make_evaluator(name, trained).evaluate(as_candidates(forms))]
        for name in ("rank(params)", "rank(flops)", "rank(params,flops)")
    }
    mean = np.mean([values["rank(params)"], values["rank(flops)"]], axis=0)
    np.testing.assert_allclose(values["rank(params,flops)"], mean)


def test_the_sample_does_not_follow_the_seed_of_the_search(trained: Context, draw):
    forms = draw(trained.space, 3)
    values = [
        [
            row["rank(flops)"].value
            for row in make_evaluator("rank(flops)", replace(trained, seed=seed)).evaluate(as_candidates(forms))
        ]
        for seed in (0, 1)
    ]
    assert values[0] == values[1]
