"""A search for networks that bear attacks."""

from __future__ import annotations

import pytest

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import search
from evonas.pipeline.unit_costs import measure_units
from evonas.report.origins import origin
from evonas.runs.front_file import read_front

SMALL = {"space": "nasbench201", "warm_start": 0, "population": 4, "generations": 2, "epochs": 1, "train_limit": 300}
NAME = "robust:fgsm@2/255"


@pytest.mark.slow
def test_robustness_is_searched_for_bounded_and_reported(tmp_path):
    bound = f"{NAME}>=0.1%"
    settings = make_settings(objectives=("acc", "flops", NAME), constraint=(bound,), anchors=0, **SMALL)
    run = search(settings, out=tmp_path / "run")
    front = read_front(run)
    assert [objective.name for objective in front.objectives] == ["acc", "flops", NAME]
    assert all(0.001 <= member.values[NAME] <= 1 for member in front)
    # Read on the half not selected on, as accuracy is.
    assert all(0 <= member.known[f"{NAME}_report"] <= 1 for member in front)
    assert (
        origin(NAME, run.settings)
        == "share of images right under FGSM, each pixel by 2/255 at most, with shared weights"
    )


def test_the_plan_counts_what_robustness_costs():
    plain, robust, longer = (
        measure_units(SearchProblem(make_settings(objectives=names, anchors=0, **SMALL)))
        for names in (("acc", "flops"), ("acc", NAME), ("acc", "robust:pgd@2/255x40"))
    )
    assert plain.evaluation == plain.path
    assert robust.evaluation > robust.path
    assert longer.evaluation / longer.path > 2 * robust.evaluation / robust.path


def test_what_cannot_be_attacked_is_said_before_any_work():
    with pytest.raises(SettingsError, match="epsilon of 0 to 1"):
        SearchProblem(make_settings(objectives=("acc", "robust:pgd@2"), **SMALL))
    with pytest.raises(SettingsError, match=r"for 40 percent write robust:pgd>=40%"):
        SearchProblem(make_settings(constraint=("robust:pgd>=40",), **SMALL))
