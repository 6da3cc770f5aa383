"""Check of a ranking by full trainings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evonas.deployment import RankedNetwork, RankingCheck, verify_ranking
from evonas.deployment import member as member_module
from evonas.deployment import ranking as ranking_module
from evonas.deployment.ranking import pick_matched
from evonas.errors import RunError, SettingsError
from evonas.pareto.objective import Objective
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.training import TrainingRecipe


def check_of(estimates: list[float], trained: list[float], direction: str = "max") -> RankingCheck:
    half = len(estimates) // 2
    networks = [
        RankedNetwork(f"a{i}", i < half, 1e6 * (1 + i % half), estimate, value)
        for i, (estimate, value) in enumerate(zip(estimates, trained, strict=True))
    ]
    return RankingCheck("acc", direction, 1000, "recipe short", tuple(networks))


def test_costs_are_matched_by_their_ratio_and_each_row_is_taken_once() -> None:
    costs = np.array([1.0, 2.0, 4.0, 100.0])
    assert pick_matched(np.array([1.9, 2.1]), costs) == [1, 2]  # 2.1 is nearer to 4 than to 1, by the ratio
    assert pick_matched(np.array([50.0]), costs) == [3]


def test_a_ranking_that_is_right_has_tau_one_and_words() -> None:
    check = check_of([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], [0.95, 0.9, 0.85, 0.5, 0.45, 0.4])
    assert check.agreement().tau == pytest.approx(1.0)
    assert check.agreement(members=True).n == 3
    first, order, *others = check.summary()
    assert first == (
        "3 members and 3 random architectures of equal FLOPs were trained to the end (recipe short; 1,000 test images)."
    )
    assert order.startswith("Kendall's tau of acc with what was trained (95 % interval): 1.00 (1.00 to 1.00); ")
    assert "Members trained to 90.00 % against 45.00 % of random ones: +100.0 %" in " ".join(others)
    assert "The FLOPs of a pair differ by 0.0% at most." in others


def test_a_ranking_that_is_not_shown_to_beat_chance_says_so() -> None:
    check = check_of([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], [0.6, 0.9, 0.5, 0.8, 0.55, 0.7])
    assert not check.agreement().beats_chance
    assert any("not shown to beat chance" in line for line in check.summary())


def test_of_errors_less_is_better() -> None:
    errors = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert check_of(errors, errors, "min").agreement().tau == pytest.approx(1.0)


@pytest.fixture
def wide(run: Path) -> Path:
    """A run whose front has three members at least."""
    with Run.open(run) as opened:
        if len(read_front(opened)) < 3:
            pytest.fail("the session's run has too small a front for this test")
    return run


def test_members_and_random_architectures_are_trained_stored_and_resumed(
    wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer draws: seconds instead of a minute.
    monkeypatch.setattr(ranking_module, "DRAWN", 60)
    recipe = TrainingRecipe(name="short", epochs=1, batch_size=128, lr=0.1, momentum=0.9)
    trained, real = [], member_module.train

    def stops(*arguments: object, **options: object) -> object:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(1)
        return real(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        # Whether and what is trained is what is tested.
        patch.setattr(member_module, "train", stops)
        with pytest.raises(KeyboardInterrupt):
            verify_ranking(wide, 3, recipe)
    assert not (wide / "ranking.json").exists()
    with monkeypatch.context() as patch:  # networks of a check are no members that plain transfer is compared with
        # Whether and what is trained is what is tested.
        patch.setattr(member_module, "wants_transfer", lambda run: True)
        patch.setattr(member_module, "transfer_points", lambda *a: pytest.fail("plain transfer was trained"))
        check = verify_ranking(wide, 3, recipe)
    members, random = check.networks[:3], check.networks[3:]
    assert [one.member for one in check.networks] == [True] * 3 + [False] * 3
    assert len({one.architecture for one in check.networks}) == 6
    assert all(0 <= one.trained <= 1 and one.estimate is not None for one in check.networks)  # type: ignore[operator]
    assert [one.flops for one in members] == sorted(one.flops for one in members)
    for mine, other in zip(members, random, strict=True):
        assert abs(np.log(mine.flops / other.flops)) < 1.0
    stored = json.loads((wide / "ranking.json").read_text())
    assert stored["agreement"]["acc"]["n"] == 6
    assert [one["trained"] for one in stored["networks"]] == [one.trained for one in check.networks]
    with monkeypatch.context() as patch:
        # Whether and what is trained is what is tested.
        patch.setattr(member_module, "train", lambda *a, **o: pytest.fail("it had been trained"))
        assert verify_ranking(wide, 3, recipe) == check


def test_what_cannot_be_ranked_is_refused(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"Expected --ranking 3 to \d+, .* got 2"):
        verify_ranking(wide, 2)
    other = Objective("macro_f1", "", "max")
    with monkeypatch.context() as patch:
        # Whether and what is trained is what is tested.
        patch.setattr(ranking_module, "_learned", lambda run, front: other)
        with pytest.raises(RunError, match="ranks by acc, which trainings are measured by, got macro_f1"):
            verify_ranking(wide, 3)
    with Run.open(wide) as opened:
        n = len(read_front(opened))
    with pytest.raises(SettingsError, match=f"got {n + 1}"):
        verify_ranking(wide, n + 1)


def test_a_table_has_nothing_to_train(make_run) -> None:
    path = make_run(extras=False)
    with Run.open(path) as run:
        settings = dict(run.settings)
    assert settings
    with Run.open(path, write=True) as run:
        object.__setattr__(run, "settings", {**settings, "table": ["t.csv"]})
        with pytest.raises(RunError, match="whose accuracy is estimated"):
            verify_ranking(run, 3)
