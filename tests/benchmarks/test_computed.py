from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks import computed_objectives, score_sources, scores_together
from evonas.data import load_data
from evonas.errors import EvaluationError, SettingsError
from evonas.networks import build
from evonas.objectives import Context, Evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import load_space
from evonas.tables.load import load_table


class Shaky(Evaluator):
    """Fails for every other architecture, or for all where the seed is odd."""

    objectives = (Objective("params", "", "min"),)
    fingerprint = "shaky"

    def __init__(self, context: Context) -> None:
        self.seed = context.seed

    def evaluate(self, candidates):
        return [
            {"params": Result(None, "no luck", 0) if i % 2 or self.seed % 2 else Result(self.seed, None, 0)}
            for i, _ in enumerate(candidates)
        ]


@pytest.fixture
def context() -> Context:
    space = load_space("mobilenet_v3")
    return Context(space, space.literature_skeleton())


def test_literature_skeletons():
    assert load_space("darts").literature_skeleton().channels == 36
    assert load_space("mobilenet_v3").literature_skeleton().resolution == 224


def test_failures_are_nan_and_the_seed_is_passed_on(context, monkeypatch):
    # An evaluator that fails now and then.
    monkeypatch.setattr("evonas.objectives.make_evaluator", lambda name, context: Shaky(context))
    np.testing.assert_array_equal(computed_objectives(context)["params"]([None] * 3), [0, np.nan, 0])
    drawn = [context.space.decode(genome) for genome in context.space.sample(3, np.random.default_rng(0))]
    np.testing.assert_array_equal(score_sources(context)["params"](drawn, 4), [4, np.nan, 4])
    with pytest.raises(EvaluationError, match="'params' failed for all 2 architectures: no luck"):
        score_sources(context)["params"](drawn[:2], 1)


def test_costs_rank_by_the_canonical_form():
    """Edges that lead nowhere cost as written; what ranks is what is left of the cell."""
    space = load_space("nasbench201")
    context = Context(space, space.skeleton("cifar"))
    dead = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    live = space.canonical(dead)
    written = computed_objectives(context)["flops"]([dead, live])
    assert written[0] > written[1]
    for source in (score_sources(context)["flops"], score_sources(context)["params"]):
        first, second = source([dead, live], 0)
        assert first == second


def test_scores_read_the_skeleton_that_is_named(nasbench201):
    data = load_data("digits", limit=200)
    context = Context(nasbench201, nasbench201.literature_skeleton(), data=data)
    architectures = [nasbench201.decode(genome) for genome in nasbench201.sample(2, np.random.default_rng(0))]
    own, proxy, small = (
        score_sources(context, skeleton=name)["synflow"](architectures, 0) for name in (None, "proxy", "small")
    )
    np.testing.assert_array_equal(own, small)
    assert (own != proxy).all()


@pytest.mark.usefixtures("few_references")
def test_rankings_and_options_can_be_judged(nasbench201):
    context = Context(nasbench201, nasbench201.literature_skeleton(), data=load_data("digits", limit=200))
    architectures = [nasbench201.decode(genome) for genome in nasbench201.sample(2, np.random.default_rng(0))]
    names = ["rank(swap,synflow)", "swap(mu=10,sigma=900)"]
    sources = score_sources(context, names)
    found = scores_together(context)(names, architectures, 0)
    for name in names:
        np.testing.assert_array_equal(found[name], sources[name](architectures, 0))
    with pytest.raises(SettingsError, match="swpa"):
        score_sources(context, ["rank(swpa)"])


def test_scores_together_are_those_of_each_alone(nasbench201, monkeypatch):
    data = load_data("digits", limit=200)
    context = Context(nasbench201, nasbench201.literature_skeleton(), data=data)
    architectures = [nasbench201.decode(genome) for genome in nasbench201.sample(2, np.random.default_rng(0))]
    names = ["naswot", "params", "jacov", "snip"]
    alone = {name: score_sources(context, skeleton="proxy")[name](architectures, 3) for name in names}
    built = []
    # How often networks are built is what is tested.
    monkeypatch.setattr("evonas.objectives.proxy.build", lambda *a, **k: built.append(1) or build(*a, **k))
    found = scores_together(context, skeleton="proxy")(names, architectures, 3)
    assert set(found) == set(names)
    for name in names:
        np.testing.assert_array_equal(found[name], alone[name])
    assert len(built) == 4  # two networks, once without labels and once with the batch that has them


def test_scores_that_fail_everywhere_say_why(nasbench201):
    data = load_data("digits", limit=200)
    context = Context(nasbench201, nasbench201.literature_skeleton(), data=data)
    nothing = nasbench201.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    with pytest.raises(EvaluationError, match="'jacov' failed for all 1 architectures: jacov: "):
        scores_together(context, skeleton="proxy")(["jacov"], [nothing], 0)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # fvcore's import
def test_parameters_of_cells_as_written_are_the_published_ones(nasbench201, truth):
    table = load_table(truth / "nasbench201.csv.gz", nasbench201).select(range(0, 15_625, 150))
    context = Context(nasbench201, nasbench201.literature_skeleton())
    params = computed_objectives(context)["params"](table.architectures)
    np.testing.assert_allclose(params, 1e6 * table["c10_params_M"], rtol=0, atol=0.5)
