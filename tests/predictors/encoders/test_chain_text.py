from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from evonas.predictors.encoders.chain_text import chain_text
from tests.predictors.encoders.chain_models import MODELS, joined

GOLDEN = json.loads(Path(__file__).with_name("chain_texts.json").read_text())
"""What the authors' code wrote for our models; source and commit stand in the file."""


@pytest.mark.parametrize("name", MODELS)
def test_faithful_texts_are_the_authors(name):
    assert chain_text(MODELS[name](), "faithful") == GOLDEN["texts"][name]


def test_axes_differ_in_the_fixed_mode_alone():
    faithful = [chain_text(joined(axis), "faithful").replace("6x6x6", "").replace("3x12x6", "") for axis in (1, 2)]
    assert faithful[0] == faithful[1]
    fixed = [chain_text(joined(axis), "fixed") for axis in (1, 2)]
    assert "Concat(Value1, Value2)(axis=1)" in fixed[0]
    assert "Concat(Value1, Value2)(axis=2)" in fixed[1]


def test_the_fixed_mode_names_what_is_read_and_keeps_groups():
    gated = chain_text(MODELS["gated"]())
    assert "group=6" in gated
    assert "alpha=0.166667" in gated
    assert "HardSwish(prev) --> Value2:1x6x4x8\nGlobalAveragePool(Value2)" in gated
    assert "Mul(Value2, Value3)" in gated
    assert "AveragePool(Value1)(kernel_shape=2,strides=2)" in chain_text(MODELS["branches"]())
    assert "Clip(Value2, Param[])" in chain_text(MODELS["divided"]())
    for make in MODELS.values():
        lines = chain_text(make()).splitlines()
        assert not any("(prev" in line.split(" --> ")[0] for line in lines)  # no line begins with an unnamed value


@pytest.mark.parametrize("mode", ["faithful", "fixed"])
def test_names_do_not_matter(mode):
    model = MODELS["gated"]()
    other = onnx.ModelProto()
    other.CopyFrom(model)
    for node in other.graph.node:
        node.name = "some node"
        for names in (node.input, node.output):
            names[:] = [f"{name}/renamed" for name in names]
    for held in (other.graph.input, other.graph.output, other.graph.initializer):
        for value in held:
            value.name = f"{value.name}/renamed"
    assert chain_text(other, mode) == chain_text(model, mode)
