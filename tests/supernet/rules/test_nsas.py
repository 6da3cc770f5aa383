from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.supernet import Pass, RuleContext, SupernetSettings, train_supernet
from evonas.supernet.rules.nsas import NSAS, distance


def digits(rng):
    return "".join(map(str, rng.integers(0, 3, 6)))


def path_of(text):
    return tuple(f"{slot}.{option}" for slot, option in enumerate(text))


def a_rule(sample=digits, **options):
    return NSAS(RuleContext(nn.Linear(1, 1), sample, path_of, steps=1), **options)


def mean_distance(members):
    return np.mean([distance(a.path, b.path) for a, b in itertools.combinations(members, 2)])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("012", "012", 0.0), ("012", "011", 1 / 3), ("000", "111", 1.0), ("01", "0122", 0.5)],
)
def test_distance_is_the_share_of_slots_that_differ(first, second, expected):
    assert distance(path_of(first), path_of(second)) == pytest.approx(expected, abs=1e-12)


def test_an_update_is_of_the_new_path_a_random_and_the_farthest_member():
    rule, rng = a_rule(), np.random.default_rng(0)
    rule.plan(rng)
    drawn = set()
    for _ in range(40):
        members = list(rule.archive)
        new, random, diverse = rule.plan(rng)
        assert [one.weight for one in (new, random, diverse)] == [0.2, 0.4, 0.4]
        assert {random.path, diverse.path} <= {member.path for member in members}
        far = max(distance(new.path, member.path) for member in members)
        assert distance(new.path, diverse.path) == far
        drawn.add([member.path for member in members].index(random.path))
    assert len(drawn) > 3


def test_the_member_most_like_the_new_path_gives_way_to_the_most_novel():
    rule = a_rule(lambda rng: "000011", archive=3)
    for text in ("000001", "111111", "222222"):
        rule.archive.append(Pass(path_of(text), architecture=text))
    rule.recent.append(Pass(path_of("000000"), architecture="000000"))
    rule.plan(np.random.default_rng(0))
    # The new one is most like 000001; of 000000 and itself the first is farther from the two that stay.
    assert sorted(map(str, rule.archive)) == ["000000", "111111", "222222"]


def test_the_archive_is_more_diverse_than_samples():
    rule, rng = a_rule(), np.random.default_rng(0)
    for _ in range(60):
        rule.plan(rng)
    chance = np.mean([mean_distance([Pass(path_of(digits(rng))) for _ in range(8)]) for _ in range(50)])
    assert len(rule.archive) == 8
    assert mean_distance(rule.archive) > chance + 0.05


def test_gradients_flow_from_the_archive(make_network, data):
    """A member's own candidate moves though no new path holds it."""
    network = make_network()
    texts = iter(["conv-conv-conv"] * 20 + ["skip-skip-skip"] * 20)
    before = network.slots[0]["conv"][1].weight.detach().clone()
    train_supernet(
        network,
        data,
        lambda context: NSAS(context, archive=2, recent=1),
        SupernetSettings(epochs=1, batch_size=24),
        sample=lambda rng: network.space.parse(next(texts)),
    )
    assert not torch.equal(before, network.slots[0]["conv"][1].weight)


def test_its_state_restores_archive_and_recent():
    first, second, rng = a_rule(), a_rule(), np.random.default_rng(3)
    for _ in range(9):
        first.plan(rng)
    second.load_state_dict(first.state_dict())
    plans = [[rule.plan(np.random.default_rng(5)) for _ in range(4)] for rule in (first, second)]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("options", [{"archive": 1}, {"recent": 0}])
def test_senseless_settings_are_refused(options):
    with pytest.raises(SettingsError, match="archive of at least 2 and at least 1 recent"):
        a_rule(**options)
