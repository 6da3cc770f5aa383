from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
import torch

from evonas.errors import EvaluationError, SettingsError
from evonas.networks import build
from evonas.objectives import Context, make_evaluator
from evonas.objectives.proxy import ProxyEvaluator, Scores, parameters, sampled_sizes
from evonas.proxies import Proxy, load_proxy, regularization
from evonas.spaces import Candidate, as_candidates


class Failing(Proxy):
    name = "failing"

    def measure(self, forward):
        raise EvaluationError("the third image is too dark")


def test_a_score_is_that_of_the_proxy_alone(trained: Context, draw):
    (form,) = draw(trained.space, 1)
    evaluator = ProxyEvaluator(trained, "swap", repeats=2)
    (row,) = evaluator.evaluate([Candidate(form)])
    (skeleton,) = evaluator.scores.skeletons
    seed = zlib.crc32(f"0 {form}".encode())
    network = build(trained.space, skeleton, form)
    images = trained.data.head(16)
    expected = load_proxy("swap", repeats=2).score(network, images, torch.Generator().manual_seed(seed))
    assert row["swap"].value == expected
    assert skeleton.resolution == 8
    assert skeleton.in_channels == 1


def test_proxies_score_together_as_alone(trained: Context, draw):
    (form,) = draw(trained.space, 1)
    names = ("naswot", "jacov", "grad_norm", "snip", "params", "flops")
    chosen = [load_proxy(name, batch=8) for name in names]
    together = Scores(trained, chosen)(form)
    alone = [Scores(trained, [proxy])(form)[0] for proxy in chosen]
    assert together == alone
    assert all(isinstance(score, float) for score in together)


def test_a_score_does_not_depend_on_what_was_scored_before(trained: Context, draw):
    forms = draw(trained.space, 3)
    evaluator = make_evaluator("naswot", trained)
    first = [row["naswot"].value for row in evaluator.evaluate(as_candidates(forms))]
    assert [row["naswot"].value for row in evaluator.evaluate(as_candidates(forms[::-1]))][::-1] == first
    other = make_evaluator("naswot", replace(trained, seed=1))
    assert [row["naswot"].value for row in other.evaluate(as_candidates(forms))] != first
    assert other.fingerprint != evaluator.fingerprint


def test_what_fails_leaves_the_others_alone(trained: Context, draw):
    (form,) = draw(trained.space, 1)
    bad, good = Scores(trained, [Failing(batch=8), load_proxy("naswot", batch=8)])(form)
    assert isinstance(bad, EvaluationError)
    assert "too dark" in str(bad)
    assert isinstance(good, float)


def test_options_are_part_of_the_fingerprint(trained: Context):
    prints = {ProxyEvaluator(trained, "swap", repeats=n).fingerprint for n in (1, 2)}
    assert len(prints) == 2


def test_scores_need_data(tiny: Context):
    with pytest.raises(SettingsError, match="'swap' needs images"):
        make_evaluator("swap", tiny)


def test_a_score_that_needs_labels_sees_every_class(trained: Context):
    scores = Scores(trained, [load_proxy("grad_norm")])
    ((_, skeleton, images, labels),) = scores._groups
    assert skeleton.head
    assert len(images) == len(labels) == 32
    assert len(labels.unique()) == 10


def test_regularized_scores_count_the_classifier_and_see_the_sizes_of_the_space(trained: Context, draw):
    """A skeleton without a classifier gets one, and mu is the largest of the space's sampled networks."""
    (form,) = draw(trained.space, 1)
    space = trained.space
    proxy = ProxyEvaluator(trained, "swap_regularized", repeats=1)
    (skeleton,) = proxy.scores.skeletons
    assert skeleton.head
    assert not ProxyEvaluator(trained, "swap", repeats=1).scores.skeletons[0].head
    sizes = sampled_sizes(space, skeleton)
    assert proxy.proxy.mu == max(sizes) / 1000
    target = ProxyEvaluator(trained, "swap_regularized(theta=target)", repeats=1)
    assert target.proxy.mu == max(sampled_sizes(space, trained.skeleton)) / 1000
    (row,), (other,) = proxy.evaluate([Candidate(form)]), target.evaluate([Candidate(form)])
    theta, searched = (parameters(space, s, form) / 1000 for s in (skeleton, trained.skeleton))
    factor = regularization(theta, proxy.proxy.mu, proxy.proxy.sigma)
    other_factor = regularization(searched, target.proxy.mu, target.proxy.sigma)
    plain, again = row["swap_regularized"].value / factor, other["swap_regularized(theta=target)"].value / other_factor
    assert plain == pytest.approx(again)
    assert proxy.fingerprint != target.fingerprint
