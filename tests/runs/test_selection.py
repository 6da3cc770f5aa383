from __future__ import annotations

import pytest
from numpy.random import default_rng

from evonas.errors import SettingsError
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.runs.selection import choose
from evonas.spaces import load_space

SPACE = load_space("darts")
FORMS = [SPACE.canonical(SPACE.decode(genome)) for genome in SPACE.sample(4, default_rng(0))]
FRONT = Front(
    (Objective("acc", "", "max"), Objective("flops", "", "min")),
    tuple(
        Member(str(form), {"acc": acc, "flops": flops})
        for form, acc, flops in zip(FORMS[:3], (0.5, 0.9, 0.95), (1.0, 2.0, 9.0), strict=True)
    ),
)


@pytest.mark.parametrize(("selection", "place"), [("knee", 1), ("best:acc", 2), ("best:flops", 0), ("index:1", 1)])
def test_members_by_word(selection, place):
    choice = choose(FRONT, SPACE, selection)
    assert choice.member is FRONT[place]
    assert choice.architecture == FORMS[place]
    assert choice.text == FRONT[place].architecture


def test_architectures_by_text():
    assert choose(FRONT, SPACE, str(FORMS[2])).member is FRONT[2]
    beside = choose(FRONT, SPACE, f"  {FORMS[3]} ")
    assert beside.member is None
    assert beside.text == str(FORMS[3])


def test_keys_tell_architectures_apart_and_do_not_change():
    keys = [choose(FRONT, SPACE, str(form)).key for form in FORMS]
    assert len(set(keys)) == 4
    assert keys[1] == choose(FRONT, SPACE, "index:1").key


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ("index:3", "members 0 to 2"),
        ("best:latency", "no objective 'latency'"),
        ("kne", "Did you mean 'knee'"),
        ("Genotype(normal=[", r"index:N \(0 to 2\).*Genotype"),
    ],
)
def test_what_is_no_member_is_refused_in_one_line(selection, words):
    with pytest.raises(SettingsError, match=words) as caught:
        choose(FRONT, SPACE, selection)
    assert "\n" not in str(caught.value)
