from __future__ import annotations

import contextlib
import errno
import io
import json
import re
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from evonas.deployment import Deployment, deployment_summary, load_model
from evonas.deployment.compression.qdq import quantize as real_quantize
from evonas.deployment.deploy import deploy
from evonas.errors import ExportError, RunError, SettingsError
from evonas.networks import Network
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runtime import export as real_export
from evonas.runtime import logits
from evonas.tasks import ClassReport

FILES = [
    "README.md", "benchmark.py", "card.json", "model.onnx", "network.toml", "predict.py", "preprocess.json",
    "space.toml", "weights.safetensors",
]  # fmt: skip


@pytest.fixture(scope="module")
def inherited(made, tmp_path_factory) -> Deployment:
    return deploy(made, "best:acc", tmp_path_factory.mktemp("inherited") / "out")


@pytest.fixture(scope="module")
def eight_bits(made_trained, tmp_path_factory, fast_integers) -> Deployment:
    out = tmp_path_factory.mktemp("int8") / "out"
    return deploy(made_trained[0], "index:0", out, quantize="int8", dynamic_batch=False, max_drop=100.0)


@pytest.fixture
def fast_export(monkeypatch):
    """Exports by the quick exporter: for tests of what happens around the export."""
    # A model that comes out wrong, or costs too much.
    monkeypatch.setattr(
        "evonas.deployment.deploy_steps.export",
        lambda module, example, **options: real_export(module, example, exporter="quick", opset=options["opset"]),
    )


def test_the_folder_holds_what_a_user_ships(inherited, made):
    assert sorted(path.name for path in inherited.folder.iterdir()) == FILES
    model = onnx.load(inherited.model, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not [weight for weight in model.graph.initializer if weight.external_data]
    with Run.open(made) as run:
        front, data = read_front(run), run_context(run).data
    opened = onnxruntime.InferenceSession(inherited.model)
    (entry,), (exit_,) = opened.get_inputs(), opened.get_outputs()
    assert (entry.name, entry.type, entry.shape[1:]) == ("images", "tensor(float)", [1, 8, 8])
    assert not isinstance(entry.shape[0], int)
    assert (exit_.name, exit_.shape[1]) == ("logits", 10)
    texts = opened.get_modelmeta().custom_metadata_map
    assert json.loads(texts["classes"]) == list(data.classes)
    assert texts["architecture"] == front.select("best:acc").architecture == inherited.architecture
    assert texts["space"] == "darts"
    assert texts["input_size"] == "1x8x8"
    assert float(texts["accuracy"]) == inherited.figures.accuracy
    predictions = logits(inherited.model, data.test.images, scale=data.scale).argmax(1)
    assert inherited.figures.accuracy == (predictions == data.test.labels.numpy()).mean()


def test_the_file_follows_torch(inherited, made):
    with Run.open(made) as run:
        data = run_context(run).data
    images = data.test.images.float() / data.scale
    with torch.inference_mode():
        expected = load_model(inherited.folder, unit_input=True)(images).numpy()
    np.testing.assert_allclose(logits(inherited.model, images), expected, atol=1e-4)
    assert inherited.figures.error <= 1e-4
    assert inherited.figures.agreement == 1.0
    assert inherited.figures.torch_accuracy == inherited.figures.accuracy


def test_nothing_is_trained_and_the_summary_says_so(inherited, made):
    assert not (made / "models").exists()
    assert inherited.trained is None
    text = "\n".join(deployment_summary(inherited))
    assert "Weights inherited from the supernet, batch-norm statistics re-estimated on 301 images; not trained" in text
    assert f"evonas train {made} --select best:acc" in text
    assert f"{100 * inherited.figures.accuracy:.2f} % on 359 images" in text
    network = load_model(inherited.folder)
    with Run.open(made) as run:
        context = run_context(run, with_supernet=True)
    assert isinstance(network, Network)
    own = context.supernet.extract(network.architecture).state_dict()
    assert all(torch.equal(value, own[name]) for name, value in network.state_dict().items() if not _statistic(name))


def _statistic(name):
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_the_card_says_what_measured_each_figure(inherited):
    card = json.loads((inherited.folder / "card.json").read_text())
    figures = {figure["name"]: figure for figure in card["figures"]}
    assert all(figure["by"] for figure in figures.values())
    assert figures["test accuracy of model.onnx"]["value"] == inherited.figures.accuracy
    assert figures["parameters"]["value"] == sum(p.numel() for p in load_model(inherited.folder).parameters())
    assert figures["size"]["value"] == pytest.approx(inherited.model.stat().st_size, rel=0.02)
    assert "1 thread" in figures["latency, median"]["by"]
    assert card["weights"]["origin"] == "inherited"
    readme = (inherited.folder / "README.md").read_text()
    assert all(name in readme for name in figures)
    report = ClassReport.from_content(card["classes"])
    assert report.measures["accuracy"] == pytest.approx(inherited.figures.accuracy)
    assert f"always `{report.constant}`" in readme
    assert all(f"| {' | '.join(row)} |" in readme for row in (*report.class_rows(), *report.confusion_rows()))


def test_the_lines_in_the_readme_work_when_pasted(inherited, made, tmp_path, monkeypatch):
    with Run.open(made) as run:
        data = run_context(run).data
    code = compile(re.search(r"```python\n(.*?)```", (inherited.folder / "README.md").read_text(), re.S)[1], "", "exec")
    shutil.copy(inherited.model, tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = logits(inherited.model, data.test.images[:40], scale=data.scale)
    for image, row in zip(data.test.images[:40], expected, strict=True):
        pixels = np.rint(image[0].numpy() * (255 / data.scale)).astype(np.uint8)
        Image.fromarray(pixels).save("photo.jpg", "PNG")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, {})
        name, probability = out.getvalue().split()
        assert name == data.classes[row.argmax()]
        assert float(probability) == pytest.approx(np.exp(row - row.max()).max() / np.exp(row - row.max()).sum())


def test_with_preprocessing_inside_the_model_takes_photos(made, tmp_path):
    deployment = deploy(made, "best:acc", tmp_path / "out", preprocessing="inside")
    (entry,) = onnxruntime.InferenceSession(deployment.model).get_inputs()
    assert entry.type == "tensor(uint8)"
    assert entry.shape[3] == 1
    assert "without preprocessing" in "\n".join(deployment_summary(deployment))
    settings = json.loads((deployment.folder / "preprocess.json").read_text())
    assert settings["inside"]
    readme = (deployment.folder / "README.md").read_text()
    assert "uint8, (batch, height, width, channels), any height and width" in readme


def test_trained_weights_are_taken_where_there_are_some_and_int8_is_judged(eight_bits, made_trained):
    trained = made_trained[1]
    assert eight_bits.trained.folder == trained.folder
    assert eight_bits.weights == "trained: recipe short, inherited weights, seed 0"
    assert eight_bits.figures.torch_accuracy == eight_bits.float_figures.accuracy == trained.accuracy
    assert eight_bits.float_figures.error <= 1e-4 < eight_bits.figures.error
    assert eight_bits.drop == pytest.approx(100 * (trained.accuracy - eight_bits.figures.accuracy))
    assert eight_bits.calibration == 99  # of 199 validation images; the others compare
    assert eight_bits.compression.compared == 100
    assert f"int8 costs {eight_bits.drop:.2f} points" in "\n".join(deployment_summary(eight_bits))
    opened = onnxruntime.InferenceSession(eight_bits.model)
    assert opened.get_inputs()[0].shape == [1, 1, 8, 8]
    assert opened.get_modelmeta().custom_metadata_map["precision"] == "int8"
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(eight_bits.model).graph.node}
    assert json.loads((eight_bits.folder / "card.json").read_text())["weights"]["training"] == trained.record
    expected, got = load_model(trained.folder).state_dict(), load_model(eight_bits.folder).state_dict()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.usefixtures("fast_export")
def test_int8_that_costs_too_much_is_refused(trained_run, monkeypatch):
    def spoil(model, **options):
        spoilt = onnx.ModelProto()
        spoilt.CopyFrom(model)
        for weight in spoilt.graph.initializer:
            if weight.dims and weight.data_type == 1 and weight.raw_data:
                weight.raw_data = bytes(len(weight.raw_data))
        return real_quantize(spoilt, **options)

    # A model that comes out wrong, or costs too much.
    monkeypatch.setattr("evonas.deployment.compression.compress.quantize", spoil)
    monkeypatch.setattr("evonas.deployment.deploy_steps.DeploySteps.accuracy", lambda self, parity: parity.agreement)
    with pytest.raises(
        ExportError, match=r"int8 costs \d+\.\d\d points .* more than --max-drop 1; nothing was written"
    ):
        deploy(trained_run, "index:0", quantize="int8")
    assert not [path for path in (trained_run / "models").iterdir() if not (path / "training.json").exists()]


@pytest.mark.usefixtures("fast_export", "fast_integers")
def test_further_forms_are_fine_tuned_and_held_to_the_bound_on_the_test_part(trained_run, monkeypatch):
    steps = "evonas.deployment.deploy_steps.DeploySteps"

    def costly(self, single, one):
        return "costs 5.00 points" if one.file.startswith("variants/") and one.precision == "int8" else ""

    # A model that comes out wrong, or costs too much.
    monkeypatch.setattr(f"{steps}.too_costly", costly)
    # All forms are on the front, the chosen one apart from the others.
    monkeypatch.setattr("evonas.deployment.compression.compress.front", lambda variants, direction: list(variants))
    deployment = deploy(trained_run, "index:0", quantize="auto", qat=1, max_drop=100.0)
    tried = deployment.compression
    tuned = [variant for variant in tried.variants if "fine-tuned" in variant.name]
    assert tuned
    assert {variant.precision for variant in tuned} == {"int8"}
    left_out = [note for note in tried.notes if "costs 5.00 points on the test part; not written" in note]
    written = sorted(path.name for path in (deployment.folder / "variants").iterdir())
    assert left_out
    assert not [name for name in written if name.startswith("int8-") and name != "int8-weights.onnx"]
    assert written == sorted(other.file_name for other in tried.others)
    kept = {variant.name for variant in tried.variants if variant.kept}
    assert kept == {tried.chosen.name, *(other.name for other in tried.others)}


@pytest.mark.usefixtures("fast_export")
def test_a_model_of_other_weights_is_not_written(run, tmp_path, monkeypatch):
    def wrong(module, example, **options):
        model = real_export(module, example, exporter="quick")
        bias = next(w for w in model.graph.initializer if list(w.dims) == [10])
        bias.raw_data = (np.frombuffer(bias.raw_data, np.float32) + np.float32(1e-3)).tobytes()
        return model

    # A model that comes out wrong, or costs too much.
    monkeypatch.setattr("evonas.deployment.deploy_steps.export", wrong)
    with pytest.raises(ExportError, match=r"Parity failed, nothing was written: .* off by 0\.001"):
        deploy(run, "knee", tmp_path / "deep" / "out")
    assert not list((tmp_path / "deep").iterdir())


@pytest.mark.usefixtures("fast_export")
def test_a_full_disk_leaves_nothing(run, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    # A disk that is full in the middle.
    monkeypatch.setattr("evonas.deployment.deploy_steps.model_files", full)
    with pytest.raises(ExportError, match="No space left on the disk of "):
        deploy(run, "knee", run.parent / "out")
    assert sorted(path.name for path in run.parent.iterdir()) == ["run"]


@pytest.mark.usefixtures("fast_export")
def test_without_a_place_it_stands_in_the_run_and_older_opsets_are_written(run):
    with Run.open(run) as opened:
        deployment = deploy(opened, "index:1", opset=13)
    assert onnx.load(deployment.model).opset_import[0].version == 13
    assert deployment.folder.parent == run / "models"
    assert deployment.folder.name.endswith("-supernet-onnx")
    with pytest.raises(ExportError, match="a folder that holds something"):
        deploy(run, "index:1")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"quantize": "int4"}, SettingsError, r"none, auto, int8, int8-weights, fp16, got 'int4'.*Did you mean 'int8'"),
        ({"qat": 2}, SettingsError, "--quantize int8 or auto with it, got 2 epochs and --quantize none"),
        ({"edges": "flat"}, SettingsError, "Did you mean 'float'"),
        ({"quantize": "int8", "opset": 12}, ExportError, "opset 13 or more, .* got 12: raise it, or use"),
        ({"max_drop": -1.0}, SettingsError, "max-drop of 0 .*, got -1"),
        ({"max_drop": float("nan")}, SettingsError, "got nan"),
        ({"threads": 0}, SettingsError, "1 thread or more, got 0"),
        ({"opset": 10}, SettingsError, "opset of 11, .* got 10"),
        ({"preprocessing": "within"}, SettingsError, "preprocessing outside or inside, got 'within'"),
        ({"tolerance": 0.0}, SettingsError, "tolerance above 0, got 0"),
        ({"select": "index:99"}, SettingsError, "index:99"),
        ({"out": "."}, ExportError, "a folder that holds something"),
    ],
)
def test_bad_settings_are_refused_at_once(run, options, error, words):
    lines = [line for line in (run / "run.toml").read_text().splitlines() if not line.startswith("data ")]
    (run / "run.toml").write_text("\n".join(['data = "nowhere.npz"', *lines]))  # who reads the images fails
    with pytest.raises(error, match=words):
        deploy(run, **options)


def test_runs_that_lack_something_say_what_to_do(run):
    (run / "supernet.safetensors").unlink()
    with pytest.raises(RunError, match=r"was not trained and .* no supernet .*: run  evonas train .* --weights fresh"):
        deploy(run, "knee")
    (run / "front.json").unlink()
    with pytest.raises(RunError, match="evonas resume"):
        deploy(run, "knee")


def test_too_few_validation_images_are_refused_before_the_export(run, monkeypatch):
    # Too few images take no larger data.
    monkeypatch.setattr("evonas.deployment.compression.compress.FEWEST", 100)
    with pytest.raises(ExportError, match=r"at least 200 validation images, 100 to calibrate on .*, got 199"):
        deploy(run, "knee", quantize="int8")
    assert not (run / "models").exists()
