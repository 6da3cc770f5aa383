"""NAS-Bench-201's identity, and the canonical form beside it."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict

import pytest

from evonas.spaces import load_space


@pytest.fixture(scope="module")
def table(truth):
    with gzip.open(truth / "nasbench201.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def test_every_string_is_a_member_and_stays(table):
    space = load_space("nasbench201")
    assert len({row["arch"] for row in table}) == space.size == 15_625
    for row in table:
        assert str(space.parse(row["arch"])) == row["arch"]


def test_keys_are_exactly_the_classes(table):
    space = load_space("nasbench201")
    pairs = {(space.literature_key(space.parse(row["arch"])), row["isomorph_id"]) for row in table}
    assert len(pairs) == len({key for key, _ in pairs}) == len({label for _, label in pairs}) == 6_466


def test_multiplicities_add_up(table):
    space = load_space("nasbench201")
    classes = defaultdict(int)
    for row in table:
        classes[space.canonical(space.parse(row["arch"]))] += 1
    assert all(space.multiplicity(architecture) == count for architecture, count in classes.items())
    assert sum(classes.values()) == 15_625


def test_cells_that_put_out_zero_are_one():
    space = load_space("nasbench201")
    nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    dead = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|none~0|none~1|none~2|"
    passed_on = "|none~0|+|none~0|avg_pool_3x3~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
    assert {space.key(space.encode(space.parse(t))) for t in (nothing, dead, passed_on)} == {nothing}
    # A norm behind a convolution makes something of nothing.
    made = "|none~0|+|none~0|none~1|+|none~0|nor_conv_1x1~1|none~2|"
    assert space.key(space.encode(space.parse(made))) == made


def test_paths_of_dead_cells():
    space = load_space("nasbench201")
    nothing = space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert space.path(space.canonical(nothing)) == ()
