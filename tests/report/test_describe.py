from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.report.describe import candidates, skeleton_rows, sort_choices
from evonas.spaces import load_space

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def call(*arguments: object):
    return CliRunner().invoke(app, ["describe", *map(str, arguments)])


def ok(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exception is None, result.output
    return result.stdout


def test_choices_are_sorted():
    sorts = {c.name: (c.count, dict(c.options)) for c in sort_choices(load_space("mobilenet_v3"))}
    assert sorts == {"kernel": (20, {3: 20}), "expand": (20, {3: 20}), "depth": (5, {3: 5})}
    assert [str(c) for c in sort_choices(load_space("nasbench201"))] == ["6 × 5 options"]


def test_candidates_and_skeletons_are_those_of_the_file():
    assert "sep_conv_5x5" in candidates(load_space("darts"))
    assert candidates(load_space("mobilenet_v3"))[-3:] == ["kernel 3, 5, 7", "expansion 3, 4, 6", "depth 2, 3, 4"]
    rows = {row["skeleton"]: row for row in skeleton_rows(load_space("darts"))}
    assert (rows["cifar"]["channels"], rows["cifar"]["cells"]) == (36, 20)
    assert "width" not in rows["cifar"]


def test_a_space_is_described():
    output = ok("nasbench201")
    for part in ("15,625", "nor_conv_3x3", "6 × 5 options", "small", "proxy"):
        assert part in output


def test_an_architecture_has_the_literatures_cost(tmp_path):
    output = ok("darts", DARTS_V2, "--skeleton", "cifar", "--out", tmp_path / "v2.svg")
    assert "528,359,040" in output
    assert "3,349,342" in output
    root = ET.parse(tmp_path / "v2.svg").getroot()
    labels = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert labels.count("max_pool_3x3") == 5
    assert labels.count("concat") == 2


def test_a_random_member_is_drawn_where_none_is_named(tmp_path):
    pytest.importorskip("matplotlib")
    first = ok("nasbench201", "--out", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "15,625" in first
    assert ok("nasbench201", "random", "--seed", 3) == ok("nasbench201", "random", "--seed", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dartz"], "Did you mean 'darts'"),
        (["darts", "nonsense"], "Not an architecture of space 'darts'"),
        (["darts", "--skeleton", "cifra"], "Did you mean 'cifar'"),
        (["darts", "--out", "a.pdf"], r"\.svg or \.png"),
        (["darts", "--out", "."], r"\.svg or \.png"),
    ],
)
def test_bad_input_is_told(arguments, message):
    result = call(*arguments)
    assert result.exception is not None
    with pytest.raises(Exception, match=message):
        raise result.exception
