from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evonas.deployment.compression import compress as module
from evonas.deployment.compression.compress import Comparison, compress, halves
from evonas.deployment.compression.variant import Variant, front, of_one_speed, pays
from evonas.errors import ExportError
from evonas.runtime import Timing, export, logits


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 16, 4)
        ).eval()
        with torch.no_grad():  # all four classes are said, not nearly always the same
            network[-1].bias -= network(torch.rand(256, 1, 8, 8)).mean(0)
    return export(network, torch.zeros(2, 1, 8, 8), exporter="quick")


@pytest.fixture(scope="module")
def comparison(model):
    images = np.random.default_rng(0).random((96, 1, 8, 8), dtype=np.float32)
    classes = logits(model, images[32:]).argmax(1)

    def measure(outputs):
        return float((outputs.argmax(1) == classes).mean())

    return Comparison(
        images[:32], images[32:], measure, "accuracy", "max", lambda before, after: 100 * (before - after)
    )


@pytest.fixture
def speeds(monkeypatch):
    """Sets the milliseconds of integers, others taking 1."""

    def fix(integers):
        def measure(models, **_):
            fast = [any(node.op_type == "QuantizeLinear" for node in one.graph.node) for one in models]
            return [Timing(integers if one else 1.0, 0.0, 0.1, 10) for one in fast]

        # Times that are known, instead of the clock's.
        monkeypatch.setattr(module, "measure_models", measure)

    return fix


def test_auto_tries_all_forms_and_keeps_the_front(model, comparison, speeds):
    speeds(0.5)
    tried = compress(model, comparison, "auto", max_drop=100.0)
    names = [variant.name for variant in tried.variants]
    assert names[0] == "float32"
    assert len(set(names)) == len(names) == 1 + 1 + 2 + 2 * 3 * 2
    assert {"int8, ends in float, entropy, biases corrected", "int8 weights", "fp16 weights"} <= set(names)
    assert tried.chosen.precision == "int8"
    kept = [tried.chosen, *tried.others]
    assert sorted(v.name for v in kept) == sorted(v.name for v in tried.variants if v.kept)
    for one in kept:  # nothing that is written is dominated by anything else that is
        assert not any(
            other.score >= one.score and other.size < one.size and other.latency < one.latency for other in kept
        )
    assert (tried.calibration, tried.compared) == (32, 64)


def test_where_integers_are_slow_weights_alone_are_stored_in_eight_bits(model, comparison, speeds):
    speeds(3.0)
    tried = compress(model, comparison, "auto")
    assert tried.chosen.precision == "int8-weights"
    assert tried.chosen.size < 0.5 * tried.float32.size
    halves_alone = compress(model, comparison, "auto", forms=("float32", "fp16"))
    assert {variant.precision for variant in halves_alone.variants} == {"float32", "fp16"}


def test_what_costs_too_much_is_not_kept(model, comparison, speeds, monkeypatch):
    speeds(0.5)
    # A form that onnxruntime cannot run.
    monkeypatch.setattr(module, "_integers", lambda *_: [("int8, bad", "int8", "int8", _broken(model))])
    tried = compress(model, comparison, "auto", max_drop=1.0)
    assert next(v for v in tried.variants if v.name == "int8, bad").score < 0.99
    assert all(v.precision != "int8" for v in (tried.chosen, *tried.others))


def _broken(model):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    nn.init.zeros_(network[1].weight)
    nn.init.zeros_(network[1].bias)
    broken = export(network, torch.zeros(2, 1, 8, 8), exporter="quick")
    broken.graph.node.add(op_type="QuantizeLinear", input=["unused", "unused"], output=["none"])
    return _Fake(broken, model)


class _Fake:
    """A model of one class that counts as one of integers, and is as large as another."""

    def __init__(self, broken, model):
        self.graph, self._bytes = broken.graph, model.ByteSize() // 2
        kept = [node for node in broken.graph.node if node.op_type != "QuantizeLinear"]
        runnable = type(broken)()
        runnable.CopyFrom(broken)
        del runnable.graph.node[:]
        runnable.graph.node.extend(kept)
        self._content = runnable.SerializeToString()

    def SerializeToString(self):
        return self._content

    def ByteSize(self):
        return self._bytes


def test_a_file_worse_in_every_figure_is_refused(comparison, speeds, model):
    speeds(2.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    small = export(network, torch.zeros(2, 1, 8, 8), exporter="quick")
    classes = logits(small, comparison.images).argmax(1)
    own = replace(comparison, measure=lambda outputs: float((outputs.argmax(1) == classes).mean()))
    with pytest.raises(ExportError, match=r"int8 is worse than float32 in every figure .* bytes, 1 to 2 ms; nothing"):
        compress(small, own, "int8", max_drop=100.0)
    assert compress(small, own, "auto").chosen.precision in ("float32", "fp16", "int8-weights")
    with pytest.raises(ExportError, match=r"layers between the first and the last .* --edges int8"):
        compress(small, own, "int8", edges="float")


def variant(name, score, size, latency, noise=0.0, structure=None):
    return Variant(name, "int8", structure or name, None, score, 0.0, size, latency, noise)


def test_forms_of_two_structures_have_two_files():
    names = [variant("a", 0.9, 1, 1.0, structure=f"int8, {ends}").file_name for ends in ("ends too", "ends in float")]
    assert names == ["int8-ends-too.onnx", "int8-ends-in-float.onnx"]


def test_of_one_structure_the_nearest_outputs_win_and_of_alike_savings_the_cheaper(comparison):
    def form(name, score, distance, size, structure):
        return replace(variant(name, score, size, 1.0, structure=structure), distance=distance)

    single = form("float32", 0.9, 0.0, 1000, "float32")
    lucky, near = form("lucky", 0.91, 0.3, 300, "int8"), form("near", 0.9, 0.1, 300, "int8")
    assert module._best_of_each_structure([single, lucky, near]) == [single, near]
    cheap, costly = form("cheap", 0.9, 0.2, 310, "ends in float"), form("costly", 0.892, 0.1, 300, "ends too")
    chosen, _ = module._choose([single, costly, cheap], comparison, "int8", 1.0)
    assert chosen is cheap


def test_latencies_within_noise_are_equal():
    single, slower = variant("single", 0.9, 100, 1.0, 0.05), variant("stored", 0.9, 50, 1.08, 0.05)
    assert [v.name for v in front([single, slower], "max")] == ["stored"]
    assert [v.name for v in front([single, variant("slow", 0.9, 50, 1.2, 0.05)], "max")] == ["single", "slow"]
    assert not pays(variant("same", 0.9, 100, 0.95, 0.05), single, "max")
    assert pays(variant("better", 0.8, 200, 0.5, 0.05), single, "max")
    assert pays(variant("less error", 0.8, 200, 2.0), single, "min")


def test_variants_of_one_structure_share_a_latency():
    one, other = variant("a", 0, 1, 1.0, 0.1, "x"), variant("b", 0, 1, 3.0, 0.3, "x")
    found = of_one_speed([one, other, variant("c", 0, 1, 9.0)])
    assert [(v.latency, v.noise) for v in found] == [(2.0, 0.2), (2.0, 0.2), (9.0, 0.0)]


def test_images_measure_ranges_or_judge_but_never_both():
    for images in (64, 65, 1200, 9000):
        measured, judged = halves(images)
        assert measured.stop <= judged.start
        assert judged.stop <= images
        assert min(measured.stop - measured.start, judged.stop - judged.start) >= 32
    with pytest.raises(ExportError, match=r"at least 64 validation images, .* got 63"):
        halves(63)
