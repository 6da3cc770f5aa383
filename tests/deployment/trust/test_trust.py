"""Trust in a deployed classifier: its temperature, its calibration, and what the file withstands."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from evonas.data import Part
from evonas.data.lazy_images import DecodedCache, LazyImages
from evonas.data.source_readers import find_source
from evonas.deployment import deployment_summary, load_model
from evonas.deployment.deploy import deploy
from evonas.deployment.trust.calibration import CALIBRATION_MEASURES, calibration_content
from evonas.deployment.trust.temper import refuse_other_answers, unseen_images
from evonas.deployment.trust.withstood import masking_sentences, read_trust, withstood
from evonas.errors import ExportError, SettingsError
from evonas.networks.unit_input import Tempered
from evonas.pipeline.context import run_context
from evonas.report.write import write_report
from evonas.runs.run import Run
from evonas.runtime import export, logits, session
from evonas.tasks.calibration import expected_error, log_loss
from evonas.tasks.temperature import softmax
from evonas.tasks.trust_table import limits_of_trust, temperature_sentence


def quick_export(module, example, **options):
    return export(module, example, exporter="quick", **options)


@pytest.fixture(scope="module")
def calibrated(made, tmp_path_factory):
    """A member with shared weights, its temperature folded in, put to two attacks."""
    folder = tmp_path_factory.mktemp("calibrated") / "out"
    with pytest.MonkeyPatch.context() as patch:
        # The quick exporter: two exports are compared here, and neither is what is tested.
        patch.setattr("evonas.deployment.deploy_steps.export", quick_export)
        return deploy(made, "best:acc", folder, trust="fgsm@2/255,pgd@2/255x2", calibrate=True)


@pytest.fixture(scope="module")
def pictures(made):
    with Run.open(made) as run:
        data = run_context(run).data
    return data.test.images.float() / data.scale, data.test.labels


def test_the_temperature_is_in_the_file_and_changes_no_answer(calibrated, pictures):
    images, labels = pictures
    content = calibrated.trust["calibration"]
    temperature = content["temperature"]
    assert temperature > 0
    assert temperature != pytest.approx(1, abs=1e-3)
    plain = load_model(calibrated.folder, unit_input=True)
    assert isinstance(plain.readout, Tempered)
    plain.readout = nn.Identity()
    with torch.no_grad():
        without = plain(images)
    found = logits(calibrated.model, images)
    np.testing.assert_allclose(found, (without / temperature).numpy(), rtol=1e-3, atol=1e-4)
    assert (found.argmax(1) == without.argmax(1).numpy()).all()
    rows = {row["name"]: row for row in content["rows"]}
    right = found.argmax(1) == labels.numpy()
    assert rows["ece"]["before"]["value"] == pytest.approx(expected_error(softmax(without.numpy()).max(1), right), 1e-3)
    assert rows["ece"]["after"]["value"] == pytest.approx(expected_error(softmax(found).max(1), right), rel=1e-3)
    assert rows["nll"]["after"]["value"] < rows["nll"]["before"]["value"]  # what a temperature is fitted for
    assert rows["nll"]["after"]["low"] < rows["nll"]["after"]["value"] < rows["nll"]["after"]["high"]
    assert content["fitted_on"] == 199  # both halves of the validation part, which shared weights have not seen


def test_the_table_stands_in_card_summary_and_report(calibrated, made, tmp_path):
    clean, *attacked = calibrated.trust["withstood"]
    assert clean["value"] == pytest.approx(calibrated.figures.accuracy)
    assert [row["name"] for row in attacked] == ["fgsm@2/255", "pgd@2/255x2"]
    for row in attacked:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["value"] <= clean["value"]
        assert row["through"] == "torch twin, then onnxruntime"
    card = json.loads((calibrated.folder / "card.json").read_text())
    assert card["trust"] == calibrated.trust
    readme = (calibrated.folder / "README.md").read_text()
    assert "## How far to trust its answers" in readme
    assert "| PGD-2, each pixel by 2/255 at most |" in readme
    assert "the file divides its logits by it" in readme
    assert "Square, an attack without gradients, was not tried" in readme
    assert any(line.startswith("Right under PGD-2") for line in deployment_summary(calibrated))
    with Run.open(made) as run:
        (run.path / "models").mkdir(exist_ok=True)
        folder = run.path / "models" / "trusted"
        folder.mkdir()
        try:
            (folder / "card.json").write_text(json.dumps(card))
            page = write_report(run, tmp_path / "report.html").read_text()
        finally:
            (folder / "card.json").unlink()
            folder.rmdir()
    assert "How far to trust what was deployed" in page
    assert "Reliability before a temperature: " in page


def test_weights_that_have_seen_all_images_have_no_temperature(made_trained, tmp_path, monkeypatch):
    with pytest.raises(ExportError, match="--calibrate fits a temperature on images that were not trained on"):
        deploy(made_trained[0], "index:0", tmp_path / "out", calibrate=True)
    assert not (tmp_path / "out").exists()
    with Run.open(made_trained[0]) as run:
        data = run_context(run).data
    trained = made_trained[1]
    assert unseen_images(data, trained) is None
    held = replace(trained, record={**trained.record, "held_out": 9})
    assert torch.equal(unseen_images(data, held).images, data.report.images[:9])
    # That nothing is decoded is what is tested.
    monkeypatch.setattr(
        LazyImages, "decoded", lambda images, rows: pytest.fail("images are decoded before they are read")
    )
    source = find_source("digits").train  # images as a folder of large ones has them, decoded when read
    lazy = Part(LazyImages(source, np.arange(90), (1, 8, 8), DecodedCache(0)), torch.zeros(90, dtype=torch.int64))
    undecoded = replace(data, search=lazy, report=lazy)
    for one in (None, held):
        assert isinstance(unseen_images(undecoded, one).images, LazyImages)
    own = replace(trained, record={**trained.record, "trained_on": "train"})
    assert len(unseen_images(data, own)) == len(data.search) + len(data.report)


def test_answers_that_a_temperature_changes_are_refused(pictures):
    class Flipped(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return -images.flatten(1)

    images = pictures[0][:3]
    plain, other = (export(module.eval(), images, exporter="quick") for module in (nn.Flatten(), Flipped()))
    part = type("Part", (), {"images": images})()
    refuse_other_answers(plain, plain, [part], 1.0)
    with pytest.raises(ExportError, match="got 3 others"):
        refuse_other_answers(plain, other, [part], 1.0)


def test_calibration_without_unseen_images_is_judged_half_by_half():
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=400)
    values = rng.normal(size=(400, 4)) + 1.5 * np.eye(4)[targets]
    content = calibration_content(
        4 * values, targets, ("a", "b", "c", "never seen"), temperature=None, fitted_on=0, folded=False, seed=0
    )
    assert content["absent"] == ["never seen"]
    assert [row["name"] for row in content["rows"]] == [one.name for one in CALIBRATION_MEASURES]
    rows = {row["name"]: row for row in content["rows"]}
    assert rows["ece"]["after"]["value"] < rows["ece"]["before"]["value"] / 2
    assert rows["nll"]["before"]["value"] == pytest.approx(log_loss(softmax(4 * values), targets))
    assert sum(one["images"] for one in content["reliability"]["after"]) == 400
    assert "fitted on the other half of the test images" in temperature_sentence(content)
    words = limits_of_trust({"calibration": content, "withstood": [{}], "masking": []})
    assert "No test image is of never seen" in " ".join(words)


class Stairs(nn.Module):
    """Two classes told apart by rounded pixels: right or wrong as any, but without a gradient."""

    def forward(self, images: Tensor) -> Tensor:
        margin = (torch.round(images * 8) / 8).flatten(1).mean(1) - 0.5
        return torch.stack([margin, -margin], 1)


def test_masked_gradients_are_told():
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    network = Stairs().eval()
    labels = network(images).argmax(1)
    opened = session(export(network, images[:2], exporter="quick"))
    rows = withstood(read_trust("pgd@8/255x5"), opened, network, images, labels)
    assert rows[1]["value"] > 0.8  # gradients lead nowhere
    (first, second) = masking_sentences(rows, network, images, labels)
    assert "gradients lead nowhere" in first
    assert "was not tried" in second
    square = rows[1] | {"name": "square@8/255x5", "through": "onnxruntime", "value": 0.2}
    assert "these are masked" in masking_sentences([*rows, square], network, images, labels)[1]
    other = square | {"name": "square@4/255x5"}
    assert "another epsilon" in masking_sentences([*rows, other], network, images, labels)[1]
    no_twin = pytest.raises(SettingsError, match="needs gradients, which an ONNX file does not give")
    with no_twin:
        withstood(read_trust("pgd@8/255x5"), opened, None, images, labels)


@pytest.mark.slow
def test_square_is_put_to_the_file_itself():
    pytest.importorskip("art", reason="the extra 'robust' is not installed")
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = Stairs()(images).argmax(1)
    opened = session(export(Stairs().eval(), images[:2], exporter="quick"))
    clean, square = withstood(read_trust("square@32/255x100"), opened, None, images, labels)
    assert (clean["value"], square["through"]) == (1.0, "onnxruntime")
    assert square["value"] < 0.8


def test_what_a_table_of_trust_is_asked_for():
    assert read_trust("none") == read_trust("calibration") == {}
    assert {"fgsm@4/255", "pgd@4/255x20r5"} <= set(read_trust("standard"))
    assert list(read_trust("robust:fgsm, pgd@1/255x3")) == ["fgsm", "pgd@1/255x3"]
    for text, said in ((",", "Expected --trust none"), ("stanard", "Unknown objective 'robust:stanard'")):
        with pytest.raises(SettingsError, match=said):
            read_trust(text)


def test_corruption_is_read_kind_by_kind_and_is_no_attack():
    """A row of each kind, whose name is read again; sentences on attacks are of attacks alone."""
    found = read_trust("corruption@fog+snow/1-3,corruption@fog/2")
    assert list(found) == ["corruption@snow/1-3", "corruption@fog/1-3", "corruption@fog/2"]
    assert all(read_trust(name) == {name: one} for name, one in found.items())
    assert len(read_trust("corruption")) == 15
    calibration = {"rows": [{"name": "ece", "before": {"value": 0.1}}], "folded": False, "absent": []}
    rows = [{"name": name, "text": name, "value": value} for name, value in (("", 0.5), ("corruption@fog", 0.6))]
    words = " ".join(limits_of_trust({"calibration": calibration, "withstood": rows, "masking": []}))
    assert "No attack was tried" in words
    assert "it does better than on images as they are (60.0 against 50.0 %)" in words
    rows.append({"name": "fgsm@4/255", "text": "FGSM", "value": 0.1})
    words = " ".join(limits_of_trust({"calibration": calibration, "withstood": rows, "masking": []}))
    assert "No attack was tried" not in words
    assert "An attack shows what can be turned" in words


def test_a_temperature_travels_in_the_graph(calibrated):
    nodes = onnx.load(calibrated.model).graph.node
    assert nodes[-1].op_type in ("Div", "Mul", "Gemm")
