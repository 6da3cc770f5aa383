from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.report import draw_architecture, to_png, to_svg
from evonas.report.drawing import Box, Curve, Drawing, Label, stack
from evonas.spaces import CellArchitecture, StageArchitecture, load_space, shipped

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b]]>"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", sorted(shipped()))
@pytest.mark.parametrize("canonical", [False, True])
def test_every_space_is_drawn_with_all_that_runs(name, canonical):
    space = load_space(name)
    for genome in space.sample(5, np.random.default_rng(0), by="choice"):
        architecture = space.decode(genome)
        if canonical:
            architecture = space.canonical(architecture)
        drawing = draw_architecture(space, architecture, space.skeleton("small"))
        labels = texts(to_svg(drawing))
        if isinstance(architecture, CellArchitecture):
            written = [e.operation for cell in architecture.cells for node in cell.nodes for e in node]
            if canonical:
                # path() names the operations that run, once each.
                alive = [step.option for step in space.path(architecture) if step.option in space.operations]
                assert sorted(t for t in labels if t in space.operations) == sorted(alive)
            else:
                assert sorted(t for t in labels if t in space.operations) == sorted(written)
        else:
            assert isinstance(architecture, StageArchitecture)
            running = len(space.path(architecture))
            assert sum(bool(re.match(r"k\d+ e\d+|skip$", text)) for text in labels) == running


@pytest.mark.parametrize("name", ["darts", "lhd", "nasbench201"])
def test_no_label_covers_another_and_all_lie_on_the_sheet(name):
    space = load_space(name)
    for genome in space.sample(10, np.random.default_rng(1), by="choice"):
        drawing = draw_architecture(space, space.decode(genome))
        boxes = [shape for shape in drawing.shapes if isinstance(shape, Box)]
        for i, a in enumerate(boxes):
            assert a.x >= 0 <= a.y
            assert a.x + a.width <= drawing.width
            assert a.y + a.height <= drawing.height
            for b in boxes[i + 1 :]:
                apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
                assert apart, (a.label, b.label)
        for curve in drawing.shapes:
            if isinstance(curve, Curve):
                assert all(0 <= y <= drawing.height for _, y in curve.points)


def test_kernels_are_widths_and_expansions_colors():
    space = load_space("mobilenet_v3")
    ks, es = [3, 5, 7] + [3] * 17, [3, 4, 6] + [3] * 17
    text = f'{{"ks": {ks}, "e": {es}, "d": [4, 2, 2, 2, 2]}}'
    drawing = draw_architecture(space, space.parse(text))
    boxes = {s.label: s for s in drawing.shapes if isinstance(s, Box) and s.label.startswith("k")}
    assert boxes["k3 e3"].width < boxes["k5 e4"].width < boxes["k7 e6"].width
    assert len({boxes[label].role for label in ("k3 e3", "k5 e4", "k7 e6")}) == 3
    assert sum(s.label == "off" for s in drawing.shapes if isinstance(s, Box)) == 8


def test_hostile_texts_are_inert():
    drawing = Drawing(100, 50, (Box(0, 0, 10, 10, "conv", HOSTILE, hint=HOSTILE), Label(0, 9, HOSTILE)), HOSTILE)
    for alone in (True, False):
        svg = to_svg(drawing, alone=alone)
        assert "<script" not in svg
        root = ET.fromstring(svg)
        assert not [
            n for n in root.iter() if n.tag not in {f"{SVG}{t}" for t in ("svg", "title", "style", "rect", "g", "text")}
        ]
        assert "alert(1)" in "".join(texts(svg))


@given(st.text(max_size=60))
def test_any_text_makes_well_formed_svg(text):
    svg = to_svg(Drawing(10, 10, (Box(0, 0, 5, 5, "conv", text), Label(0, 0, text)), text))
    ET.fromstring(svg.encode("utf-8", "replace"))


def test_stacked_drawings_do_not_overlap():
    one = Drawing(10, 20, (Box(0, 0, 10, 20, "conv"), Curve(((0, 0), (10, 20)))), "one")
    both = stack([one, one], "both", gap=5)
    assert (both.width, both.height) == (10, 45)
    assert [s.y for s in both.shapes if isinstance(s, Box)] == [0, 25]
    assert both.shapes[3].points == ((0, 25), (10, 45))


@pytest.mark.parametrize("name", ["darts", "mobilenet_v3"])
def test_the_png_is_twice_the_size(name):
    pytest.importorskip("matplotlib")
    space = load_space(name)
    drawing = draw_architecture(space, space.decode(np.zeros(len(space.choices), dtype=int)))
    png = to_png(drawing)
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert abs(width - 2 * drawing.width) <= 2
