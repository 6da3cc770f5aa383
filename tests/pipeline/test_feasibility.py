from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.pareto.objective import parse_constraints
from evonas.pipeline.feasibility import find_feasibility, least, repaired
from evonas.pipeline.problem import SearchProblem

CARDINALITIES = np.array([4, 4, 4, 4, 4])


def read(name: str, genomes: np.ndarray) -> np.ndarray:
    return genomes.sum(axis=1).astype(float) if name == "sum" else genomes[:, 0].astype(float)


@given(weights=st.lists(st.floats(-5, 5), min_size=5, max_size=5), seed=st.integers(0, 99))
def test_descent_finds_the_least_of_a_sum_from_anywhere(weights: list[float], seed: int):
    start = np.random.default_rng(seed).integers(0, CARDINALITIES)
    genome, value = least(lambda genomes: genomes @ np.array(weights), start, CARDINALITIES)
    assert value == pytest.approx(sum(min(0.0, 3 * weight) for weight in weights))
    assert genome @ np.array(weights) == pytest.approx(value)


def test_what_no_sample_holds_is_found_by_search():
    sample = np.full((10, 5), 2)
    found = find_feasibility(parse_constraints(["sum<=1", "first>=1"]), read, sample, 10, CARDINALITIES)
    assert (found.kept, found.violation) == (0.0, 0.0)
    assert found.corners == {"sum<=1": 0.0, "first>=1": 3.0}
    assert len(found.feasible) >= 1
    assert (read("sum", found.feasible) <= 1).all()
    assert (read("first", found.feasible) >= 1).all()


def test_bounds_that_nothing_keeps_together_say_how_near_it_comes():
    sample = np.full((10, 5), 2)
    found = find_feasibility(parse_constraints(["sum<=2", "first>=3"]), read, sample, 10, CARDINALITIES)
    assert found.violation == pytest.approx(1 / 3)
    assert len(found.feasible) == 0
    assert "breaks its bounds by 33.33%" in found.sentences()[1]


def test_the_share_is_that_of_the_random_ones():
    sample = np.array([[0] * 5, [3] * 5, [3] * 5, [3] * 5, [0] * 5])
    found = find_feasibility(parse_constraints(["sum<=7"]), read, sample, 4, CARDINALITIES)
    assert found.kept == 0.25
    assert found.sentences()[0].startswith("25.00% of 4 random architectures keep to sum<=7; alone, sum<=7 reaches 0")


def test_the_first_population_of_a_bounded_search_holds_what_keeps_to_its_bounds():
    free = SearchProblem(make_settings(space="nasbench201", objectives=("flops", "params")))
    cheapest = free.bounds._read("flops", np.zeros((1, 6), dtype=np.int64))[0]
    bound = SearchProblem(
        make_settings(space="nasbench201", objectives=("flops", "params"), constraint=(f"flops<={cheapest:.0f}",))
    )
    genomes = np.tile(free.genome.cardinalities - 1, (4, 1))
    assert free.bounds.with_feasible(genomes) is genomes
    first = bound.bounds.with_feasible(genomes)
    assert first.shape == genomes.shape
    assert bound.bounds._read("flops", first)[-1] <= cheapest
    with pytest.raises(SettingsError, match="the nearest has"):
        SearchProblem(
            make_settings(
                space="nasbench201", objectives=("flops", "params"), constraint=(f"flops<={cheapest / 2:.0f}",)
            )
        )


def test_a_descent_that_ends_outside_the_bounds_begins_again_elsewhere():
    """One gene at a time leads from everywhere but the last fifth of one gene to where nothing is left to gain."""

    def trap(name: str, genomes: np.ndarray) -> np.ndarray:
        inside = (genomes[:, :2] == 3).all(axis=1)
        return np.where(inside, 0.0, 2.0 + genomes[:, 0] + genomes[:, 1])

    found = find_feasibility(parse_constraints(["trap<=1"]), trap, np.zeros((4, 5), dtype=int), 4, CARDINALITIES)
    assert (found.kept, found.violation) == (0.0, 0.0)
    assert found.sentences()[1].startswith("Search found 1 that does")


def test_a_repair_changes_as_few_genes_as_keep_to_the_bounds():
    genome = np.array([3, 3, 2, 0, 1])
    mended = repaired(lambda genomes: np.maximum(0.0, genomes.sum(axis=1) - 4.0), genome, CARDINALITIES)
    assert mended is not None
    assert mended.sum() <= 4
    assert (mended != genome).sum() == 2
    assert repaired(lambda genomes: np.ones(len(genomes)), genome, CARDINALITIES) is None


def test_a_population_that_no_draw_fills_is_made_of_repaired_candidates_and_bounds_that_exclude_each_other_end_it():
    settings = {"space": "nasbench201", "objectives": ("flops", "params")}
    bounds = SearchProblem(make_settings(**settings, constraint=("flops<=250000",))).bounds
    drawn = np.random.default_rng(0).integers(2, 4, size=(12, 6))  # convolutions alone
    drawn = drawn[bounds._read("flops", drawn) > 250_000]
    genomes, candidates = bounds.sample(6, np.random.default_rng(0), lambda n, rng: drawn)
    assert len(genomes) == len({str(candidate) for candidate in candidates}) == 6
    assert (bounds._read("flops", genomes) <= 250_000).all()
    with pytest.raises(SettingsError, match=r"keeps to flops<=120000 and params>=60000 at once.*nearest has flops "):
        SearchProblem(make_settings(**settings, constraint=("flops<=120000", "params>=60000")))
