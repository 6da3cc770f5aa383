"""Scalars of a search: every number once, on one scale."""

from __future__ import annotations

import pytest

from evonas.export.scalars import NewScalars
from evonas.report.contents import gather


def test_every_number_is_told_once_and_volumes_only_grow(growing, add_generation):
    scalars = NewScalars()
    add_generation(growing, 0)
    first = scalars.take(gather(growing, ended=False))
    assert [one for one in first if one[0] == "evaluations/acc"] == [
        ("evaluations/acc", 0.5, 1), ("evaluations/acc", 0.6, 2),
    ]  # fmt: skip
    assert scalars.take(gather(growing, ended=False)) == []
    add_generation(growing, 1)
    second = scalars.take(gather(growing, ended=False))
    assert [one for one in second if one[0] == "evaluations/flops"] == [
        ("evaluations/flops", 5e6, 3), ("evaluations/flops", 8e6, 4),
    ]  # fmt: skip
    volumes = [one for one in (*first, *second) if one[0] == "front/hypervolume"]
    # By hand, on the scale of the first two, both on the edge: then (0.7, 5e6) covers 2 by 0.5 of it.
    assert [(value, step) for _, value, step in volumes] == [(0.0, 2), (pytest.approx(1.0), 4)]
    assert ("front/members", 3.0, 4) in second
