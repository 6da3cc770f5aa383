from __future__ import annotations

import base64
import gzip
import json
import re

import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.proxies.nlc_profile import ActivationNlc, ChangedChoice, NlcProfile, StageNlc
from evonas.report.drawing import Box, to_svg
from evonas.report.nonlinearity import draw_nonlinearity, nonlinearity_sentences


def profile(nlc: float, *, low: float | None = None, here: float = 1.2112, changes=()) -> NlcProfile:
    stages = (StageNlc("stem", 1.0, 1.0, 0), StageNlc("whole network", nlc, 1.2112**4, 4))
    activations = (*(ActivationNlc(f"a{i}", "stem", "ReLU", 1.2112, 1.2112) for i in range(3)),
                   ActivationNlc("gate", "stem", "Tanh", 1.1, here))  # fmt: skip
    lower = nlc / 2 if low is None else low
    return NlcProfile(nlc, lower, 2 * nlc, 5, stages, activations, tuple(changes), len(changes))


@pytest.mark.parametrize(("nlc", "words"), [(2.0, "lies in the band"), (1.01, "nearly linear"), (6.0, "too nonlinear")])
def test_the_verdict_is_by_the_band_and_the_depth(nlc, words):
    text = " ".join(nonlinearity_sentences(profile(nlc, low=nlc)))
    assert words in text
    assert f"each multiplies it by {nlc**0.25:.3f}" in text
    assert "1.316 would keep" in text  # the fourth root of 3
    assert "reaches into" not in text
    assert ("reaches into" in " ".join(nonlinearity_sentences(profile(nlc)))) == (nlc == 6.0)


def test_what_stands_out_is_named_and_nothing_else():
    assert "No activation stands out" in " ".join(nonlinearity_sentences(profile(2.0)))
    assert "is gate (Tanh): 2.5" in " ".join(nonlinearity_sentences(profile(2.0, here=2.5)))


def test_changes_are_named_on_the_side_that_they_move_to():
    found = (ChangedChoice("a", "x", "y", 1.5), ChangedChoice("b", "x", "z", 1.0), ChangedChoice("c", "u", "v", 0.8))
    text = nonlinearity_sentences(profile(2.0, changes=found))[-1]
    assert "raise it most: a x → y × 1.500. Lower it most: c u → v × 0.800." in text


def test_bars_are_as_long_as_logarithms():
    drawing = draw_nonlinearity(profile(1.2112**2))
    bars = [shape for shape in drawing.shapes if isinstance(shape, Box) and shape.hint]
    measured, product = (next(b for b in bars if b.hint.startswith(w) and b.width > 1) for w in ("measured", "product"))
    assert measured.width == pytest.approx(product.width / 2)
    assert to_svg(drawing).startswith("<svg")


def test_a_run_keeps_what_was_explained_and_its_page_draws_it(run):
    text = json.loads((run / "front.json").read_text())["members"][0]["architecture"]
    space = re.search(r'^space = "(.*)"', (run / "run.toml").read_text(), re.MULTILINE)[1]
    command = ["describe", space, text, "--nonlinearity", "--repeats", "2", "--images", "6", "--neighbors", "2"]
    done = CliRunner().invoke(app, [*command, "--run", str(run)])
    assert done.exit_code == 0, done.output
    assert "whole network" in done.output
    assert "One choice changed (2 architectures, drawn of" in done.output
    assert CliRunner().invoke(app, ["report", str(run)]).exit_code == 0
    page = (run / "report.html").read_text()
    packed = re.search(r"<script type='text/plain' id='data'>([^<]*)</script>", page)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    ((number, kept),) = data["nonlinearity"].items()
    assert data["points"]["texts"][int(number)] == text
    assert kept["words"][0] in done.output
    assert kept["drawing"].startswith("<svg")


@pytest.mark.parametrize(("options", "message"), [
    (["darts", "--nonlinearity"], "'random', with --nonlinearity"),
    (["darts", "random", "--run", "x"], "--nonlinearity with --run"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(options, message):
    assert message in str(CliRunner().invoke(app, ["describe", *options]).exception)


def test_an_architecture_that_a_run_does_not_know_is_not_kept(run):
    command = ["describe", "nasbench201", "random", "--nonlinearity", "--repeats", "1", "--images", "4"]
    done = CliRunner().invoke(app, [*command, "--neighbors", "0", "--run", str(run)])
    assert "which its report lacks" in str(done.exception)
