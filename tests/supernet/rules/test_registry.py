from __future__ import annotations

from collections import Counter
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.supernet import RULES, RuleContext, SupernetSettings, UpdateRule, train_supernet
from evonas.supernet.rules.disturbance import DisturbanceImmune
from evonas.supernet.rules.fair import Fair
from evonas.supernet.rules.registry import find_rule, read_rule, split_rules, write_rule


def fair(cardinalities):
    context = RuleContext(nn.Linear(1, 1), lambda rng: None, lambda genome: genome, steps=1)
    return Fair(context, cardinalities=np.array(cardinalities), decode=lambda genome: tuple(map(int, genome)))


def test_every_rule_is_found_by_its_name(make_network):
    network = make_network()
    for name in RULES.keys() - {"sandwich"}:  # needs a space of stages
        context = RuleContext(network, lambda rng: network.space.parse("skip-skip-skip"), network.space.path, 1)
        plan = find_rule(name)(context).plan(np.random.default_rng(0))
        assert all(network.space.path(one.architecture) == one.path for one in plan)


def test_an_unknown_rule_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match="Did you mean 'uniform'"):
        find_rule("unifrom")


def test_fair_uses_every_option_of_every_choice_once():
    rule, rng = fair([4, 4, 4]), np.random.default_rng(0)
    plans = [[one.path for one in rule.plan(rng)] for _ in range(20)]
    for plan in plans:
        assert len(plan) == 4
        for choice in range(3):
            assert sorted(path[choice] for path in plan) == [0, 1, 2, 3]
    assert len({tuple(plan) for plan in plans}) > 15


def test_fair_is_fair_on_average_where_choices_differ_in_options():
    rule, rng = fair([5, 2, 3]), np.random.default_rng(0)
    plans = [[one.path for one in rule.plan(rng)] for _ in range(600)]
    for plan in plans:
        counts = Counter(path[1] for path in plan)
        assert sorted(counts.values()) == [2, 3]
    for choice, options in ((1, 2), (2, 3)):
        counts = Counter(path[choice] for plan in plans for path in plan)
        for option in range(options):
            assert counts[option] / 3000 == pytest.approx(1 / options, abs=0.02)
    # Choices are drawn independently: the odd one out falls on every pass.
    first = Counter(plan[0][1] for plan in plans)
    assert first[0] / 600 == pytest.approx(0.5, abs=0.08)


def test_fair_needs_a_space():
    context = RuleContext(SimpleNamespace(), lambda rng: None, lambda genome: genome, steps=1)
    with pytest.raises(SettingsError, match="network with a space"):
        Fair(context)


class Least(UpdateRule):
    """A rule that only plans."""

    def __init__(self, context):
        self.context = context

    def plan(self, rng):
        return [self.context.draw(rng)]


class Planner:
    """What plans by itself and lacks the rest."""

    summary = None

    def __init__(self, context):
        self.plan = Least(context).plan


def test_a_rule_that_only_plans_trains_as_uniform(make_network, data):
    networks = [make_network(), make_network()]
    for network, rule in zip(networks, ("uniform", Least), strict=True):
        train_supernet(network, data, rule, SupernetSettings(epochs=1, batch_size=8, seed=1))
    for first, second in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(first, second)


def test_what_is_no_rule_is_refused_in_one_line(make_network, data):
    with pytest.raises(SettingsError) as refused:
        train_supernet(make_network(), data, Planner, SupernetSettings(epochs=1))
    assert str(refused.value) == (
        "Expected an update rule, got one (Planner) without captured_layers, transform, after_step, state_dict, "
        "load_state_dict, report: inherit evonas.supernet.UpdateRule, which has defaults of all but plan"
    )


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("disturbance-immune", {}),
        ("disturbance-immune:alpha=1,rank=none,strength=early", {"alpha": 1, "rank": None, "strength": "early"}),
        ("disturbance-immune(layers=all, alpha=0.1)", {"layers": "all", "alpha": 0.1}),
        ("disturbance-immune( alpha = 1e-2 )", {"alpha": 0.01}),
    ],
)
def test_a_rule_and_its_options_are_read_from_text(text, options):
    assert read_rule(text) == ("disturbance-immune", options)
    made = find_rule(text)
    if not options:
        assert made is DisturbanceImmune
        return
    assert isinstance(made, partial)
    assert made.func is DisturbanceImmune
    assert made.keywords == options


def test_settings_have_names_and_files(tmp_path):
    name, options = read_rule("strict")
    assert name == "disturbance-immune"
    assert options == {
        "layers": "all", "patches": "mean", "memory": None, "rank": None, "strength": 1.0, "alpha": 0.001
    }  # fmt: skip
    path = tmp_path / "mine.toml"
    path.write_text('rule = "nsas"\n[options]\narchive = 2\n')
    assert read_rule(str(path)) == ("nsas", {"archive": 2})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unifrom", "Did you mean 'uniform'"),
        ("stric", "Did you mean 'strict'"),
        ("uniform:alpha=1", "none, got 'alpha'"),
        ("disturbance-immune(alfa=1)", "got 'alfa'. Did you mean 'alpha'"),
        ("fair:alpha", "key=value"),
        ("fair(alpha=1", "got 'fair\\(alpha=1'"),
        ("nowhere.toml", "Cannot read settings of a rule from 'nowhere.toml': No such file"),
    ],
)
def test_what_names_no_rule_or_option_is_refused(text, said):
    with pytest.raises(SettingsError, match=said):
        find_rule(text)


@pytest.mark.parametrize("content", ['rule = "nix"', 'rule = "fair"\nalpha = 1', "options = 3", "rule ="])
def test_files_that_hold_no_settings_are_refused(tmp_path, content):
    (tmp_path / "x.toml").write_text(content)
    with pytest.raises(SettingsError, match=r"x\.toml"):
        read_rule(str(tmp_path / "x.toml"))


def test_rules_of_a_list_keep_their_options():
    assert split_rules("uniform, disturbance-immune:alpha=1e-2,rank=8 ,fair") == [
        "uniform", "disturbance-immune:alpha=1e-2,rank=8", "fair"
    ]  # fmt: skip
    assert split_rules("disturbance-immune(alpha=1, rank=8), strict") == [
        "disturbance-immune(alpha=1, rank=8)", "strict"
    ]  # fmt: skip


def test_a_rule_of_a_file_is_written_without_it(tmp_path):
    (file := tmp_path / "mine.toml").write_text(
        'rule = "disturbance-immune"\n[options]\nlayers = "all"\nmemory = "none"\nalpha = 1e-7\nrank = 3\nx = true\n'
    )
    written = write_rule(str(file))
    assert written == "disturbance-immune(layers=all, memory=none, alpha=1e-07, rank=3, x=true)"
    assert read_rule(written) == read_rule(str(file))
    file.write_text('rule = "uniform"\n')
    assert write_rule(str(file)) == "uniform"
    for text in ("uniform", "strict", "disturbance-immune:rank=8"):
        assert write_rule(text) == text
    file.write_text('rule = "uniform"\n[options]\nlayers = "8"\n')
    with pytest.raises(SettingsError, match="numbers, true, false or plain words, got layers=8"):
        write_rule(str(file))
