from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image
from torch import nn

import evonas
from evonas.cli import app
from evonas.data import load_data
from evonas.data.preprocessing import preprocessing_of
from evonas.deployment import Deployment
from evonas.deployment.card_code import photo_code, preprocessing_words
from evonas.deployment.deploy import deploy
from evonas.deployment.predict_alone import PhotoModel, photo_input, scaled
from evonas.deployment.prediction import Predictions, load_photo_model, predict
from evonas.deployment.preprocessing_graph import check_inside, photo_settings, settings_text, with_preprocessing
from evonas.errors import EvonasError, ExportError, RunError, SettingsError
from evonas.files.standalone import standalone
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runtime import export, save
from evonas.runtime.checks import set_metadata

SIDE = 24
SETTINGS = {
    "format": 1, "mode": "RGB", "white": None, "size": [SIDE, SIDE], "resize": "pillow", "draft": 2 * SIDE,
    "inside": False, "levels": 255, "fit": "crop", "channels": 3, "type": "float32", "range": [0.0, 1.0],
}  # fmt: skip
NAMES = ["ape", "bee", "cat", "dog"]


def pictures(folder: Path) -> list[Path]:
    """Write photos as people have them: odd sizes, turned, gray, transparent, with palettes, of 16 bits."""
    rng = np.random.default_rng(3)

    def smooth(width: int, height: int, channels: int) -> np.ndarray:
        small = Image.fromarray(rng.integers(0, 256, (5, 5, channels), dtype=np.uint8).squeeze())
        return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))

    folder.mkdir(parents=True, exist_ok=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(smooth(61, 40, 3)).save(folder / "a.jpg", quality=95)
    Image.fromarray(smooth(333, 201, 3)).save(folder / "b.jpg", quality=90, exif=turned)
    Image.fromarray(smooth(24, 35, 1)).save(folder / "c.jpg")
    Image.fromarray(smooth(30, 33, 4), "RGBA").save(folder / "d.png")
    Image.fromarray(smooth(50, 27, 3)).convert("P").save(folder / "e.gif")
    Image.fromarray(smooth(SIDE, SIDE, 3)).save(folder / "f.png")
    Image.fromarray(smooth(40, 26, 1).astype(np.uint16) * 257).save(folder / "g.png")
    return sorted(folder.iterdir())


class Reader(nn.Module):
    """A network that a pixel changes."""

    def __init__(self, channels: int = 3, outputs: int = len(NAMES)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(channels, 8, 3, 2), nn.ReLU(), nn.Flatten())
        self.last = nn.Linear(8 * ((SIDE - 1) // 2) ** 2, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return outputs."""
        return 4 * self.last(self.layers(images))


def write_model(folder: Path, *, inside: bool = False, **changed: object) -> Path:
    """Write a folder as a deployment does, of a network that nobody trained."""
    folder.mkdir()
    outside = {**SETTINGS, **changed}
    settings = photo_settings(outside, inside=inside)
    kind = "targets" if "targets" in changed else "classes"
    names = changed.pop("targets", NAMES)
    example = torch.zeros(1, settings["channels"], *settings["size"])
    model = export(
        Reader(settings["channels"], len(names)), example, dynamic_batch=False, exporter="quick",
        output_names=("logits" if kind == "classes" else "values",),
    )  # fmt: skip
    assert isinstance(model, onnx.ModelProto)
    if inside:
        model = with_preprocessing(model, outside)
    set_metadata(model, {kind: json.dumps(names), "preprocess": settings_text(settings)})
    save(model, folder / "model.onnx")
    (folder / "predict.py").write_text(standalone("evonas.deployment.predict_alone"))
    return folder


def run_script(folder: Path, *arguments: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, "predict.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_script_and_the_package_say_the_same_and_name_what_they_cannot_read(tmp_path, monkeypatch, capsys):
    photos = tmp_path / "photos"
    assert len(pictures(photos)) == 7
    (photos / "broken.jpg").write_bytes((photos / "a.jpg").read_bytes()[:150])
    folder = write_model(tmp_path / "model")
    found = predict(folder, photos, top=2)
    assert [Path(one.photo).name for one in found.skipped] == ["broken.jpg"]
    assert len(found.lines()) == 7
    done = run_script(folder, photos, "gone.png", "--top", 2, "--csv", tmp_path / "theirs.csv")
    assert done.returncode == 3
    assert done.stdout.splitlines() == found.lines()
    assert re.search(r"Skipped .*broken\.jpg: ", done.stderr)
    assert re.search(r"Skipped gone\.png: .*No such file", done.stderr)
    for name in ("model.onnx", "gone.png"):
        (tmp_path / name).unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path)
    command = ["predict", str(folder / "model.onnx"), str(photos), "gone.png", "--top", "2", "--csv", "ours.csv"]
    assert app(command, standalone_mode=False) == 3
    printed = capsys.readouterr()
    assert printed.out.splitlines() == found.lines()
    assert "Skipped gone.png: " in printed.err
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "ours.csv").read_text())))
    assert len(rows) == 9
    assert float(rows[0]["probability_1"]) == found[0].pairs[0][1]
    assert rows[-1]["class_1"] == ""
    assert "No such file" in rows[-1]["error"]


def test_photos_become_what_the_data_are(tmp_path):
    for name in ("x", "y"):
        pictures(tmp_path / "data" / "train" / name)
        pictures(tmp_path / "data" / "test" / name)
    data = load_data(tmp_path / "data", resolution=SIDE)
    settings = preprocessing_of(data)
    assert {key: settings[key] for key in SETTINGS} == SETTINGS | {"white": 65535.0}
    files = [tmp_path / "data" / name for name in data._test_images.names]
    got = np.concatenate([photo_input(file, settings) for file in files])
    assert np.array_equal(got, data.test.images.numpy().astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(
    "changed", [{}, {"mode": "L", "channels": 1, "levels": 16.0}, {"resize": "arrays", "draft": None}]
)
def test_with_preprocessing_inside_a_model_says_the_same(tmp_path, changed):
    photos = pictures(tmp_path / "photos")
    outside = predict(write_model(tmp_path / "outside", **changed), photos, top=4)
    inside = predict(write_model(tmp_path / "inside", inside=True, **changed), photos, top=4)
    assert not outside.skipped
    for one, other in zip(outside, inside, strict=True):
        first, second = dict(one.pairs), dict(other.pairs)
        assert max(abs(first[name] - second[name]) for name in NAMES) < 0.01
        margin = one.pairs[0][1] - one.pairs[1][1]
        assert one.pairs[0][0] == other.pairs[0][0] or margin < 0.01


@pytest.mark.parametrize(
    ("rows", "columns", "resize", "alike"),
    [(SIDE, SIDE, "pillow", 0.99), (16, 40, "pillow", 0.7), (16, 40, "arrays", 0.99)],
)
def test_what_the_graph_makes_of_pixels_is_what_is_made_outside(tmp_path, rows, columns, resize, alike):
    """Pixel by pixel where Pillow resamples rows first; of tall photos, and of flat results of those that are not as
    flat, it takes the other axis first, which rounds about every fourth value to its neighbor."""
    import onnxruntime

    settings = {**SETTINGS, "size": [rows, columns], "resize": resize, "draft": None}
    identity = export(nn.Identity(), torch.zeros(1, 3, rows, columns), exporter="quick", output_names=("same",))
    model = with_preprocessing(identity, settings).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    for height, width in ((SIDE, SIDE), (33, 34), (61, 100), (7, 9), (20, 61), (2 * SIDE, 2 * SIDE)):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "one.png")
        expected = photo_input(tmp_path / "one.png", settings)
        assert expected.shape == (1, 3, rows, columns)
        (got,) = session.run(None, {"images": pixels[None]})
        assert np.abs(got - expected).max() <= 1.01 / 255
        assert (np.abs(got - expected) <= 1e-6).mean() >= alike


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"mode": "L", "channels": 1, "levels": 16.0}, {"mode": "RGBA", "channels": 4},
        {"resize": "arrays", "draft": None}, {"white": 4095.0}, {"targets": ["light", "dark"]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("inside", [False, True])
def test_the_cards_lines_say_what_predict_says(tmp_path, changed, inside, monkeypatch, capsys):
    folder = write_model(tmp_path / "model", inside=inside, **changed)
    values = "targets" in changed
    settings = photo_settings({**SETTINGS, **changed}, inside=inside)
    code = photo_code(settings, "values" if values else "logits")
    assert len([line for line in code.splitlines() if line]) <= 22
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("predict", None)
    for photo in pictures(tmp_path / "photos")[:6]:  # the last has 16 bits
        (folder / "photo.jpg").write_bytes(photo.read_bytes())
        exec(compile(code, "card", "exec"), {})
        printed = [line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines()]
        (answer,) = predict(folder, folder / "photo.jpg")
        assert printed[0][0] == answer.pairs[0][0]
        assert float(printed[0][1]) == pytest.approx(answer.pairs[0][1], rel=1e-6)
        assert len(printed) == (2 if values else 3 if "import PhotoModel" in code else 1)
    sys.modules.pop("predict", None)


@pytest.mark.parametrize(("fit", "words"), [("pad", "between black bars"), ("stretch", "out of proportion")])
def test_photos_that_are_no_squares_are_fitted_as_the_data_were(tmp_path, fit, words, monkeypatch, capsys):
    folder = write_model(tmp_path / "model", fit=fit)
    settings = {**SETTINGS, "fit": fit}
    photo = pictures(tmp_path / "photos")[0]
    (folder / "photo.jpg").write_bytes(photo.read_bytes())
    (answer,) = predict(folder, folder / "photo.jpg")
    cropped = predict(write_model(tmp_path / "cropped"), folder / "photo.jpg")[0]
    assert answer.pairs != cropped.pairs
    assert run_script(folder, folder / "photo.jpg").stdout.splitlines() == predict(folder, folder / "photo.jpg").lines()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("predict", None)
    exec(compile(photo_code(settings), "card", "exec"), {})
    sys.modules.pop("predict", None)
    name, probability = capsys.readouterr().out.splitlines()[0].rsplit(" ", 1)
    assert (name, float(probability)) == (answer.pairs[0][0], pytest.approx(answer.pairs[0][1], rel=1e-6))
    assert words in preprocessing_words(settings)[1]
    with pytest.raises(SettingsError, match=f"are read with --fit {fit}: deploy without it"):
        check_inside(settings, 18)


def test_values_are_shown_with_the_names_of_targets(tmp_path):
    photos = pictures(tmp_path / "photos")[:2]
    found = predict(write_model(tmp_path / "model", targets=["light", "dark"]), photos, top=1)
    assert [name for name, _ in found[0].pairs] == ["light", "dark"]
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [float(rows[1][name]) for name in ("light", "dark")] == [value for _, value in found[1].pairs]


def test_a_runs_member_is_deployed_else_trained_else_refused(made, made_trained, tmp_path):
    Image.fromarray(np.full((9, 11), 200, dtype=np.uint8)).save(tmp_path / "one.png")
    with pytest.raises(RunError, match=r"neither deployed nor trained: run  evonas train "):
        predict(made, tmp_path / "one.png", select="index:0")
    run, trained = made_trained
    by_torch = evonas.predict(run, tmp_path / "one.png", select="index:0", top=10)
    assert by_torch == predict(trained.folder, tmp_path / "one.png", top=10)
    with Run.open(run) as opened:
        assert predict(opened, [tmp_path / "one.png"], select="index:0", top=10) == by_torch
    assert sum(probability for _, probability in by_torch[0].pairs) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mode": None, "channels": 13}, "reads 13 channels, photos have 1, 3 or 4"),
        ({"format": 2}, "preprocessing of format 1, got 2"),
    ],
)
def test_models_that_photos_cannot_be_given_to_are_refused(tmp_path, changed, words):
    folder = write_model(tmp_path / "model", **changed)
    with pytest.raises(ExportError, match=words):
        predict(folder, "one.png")
    done = run_script(folder, "one.png")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert re.search(words, done.stderr)


def test_bad_input_is_one_line(tmp_path):
    folder = write_model(tmp_path / "model")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.onnx").write_text("no model")
    bare = export(nn.Identity(), torch.zeros(1, 3, 8, 8), exporter="quick")
    save(bare, tmp_path / "bare.onnx")
    for model, photos, words in (
        (tmp_path / "gone", "a.png", "found nothing"),
        (tmp_path / "text.onnx", "a.png", "a model that onnxruntime can run"),
        (tmp_path / "bare.onnx", "a.png", "does not say in its metadata what a photo becomes"),
        (tmp_path / "empty", "a.png", "run"),
        (folder, tmp_path / "empty", "found none"),
        (folder, [], "got none"),
    ):
        with pytest.raises(EvonasError, match=words) as caught:
            predict(model, photos)
        assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="top of 1"):
        predict(folder, "a.png", top=0)


def test_preprocessing_inside_needs_an_opset_and_photos_channels():
    with pytest.raises(SettingsError, match=r"--opset of 18 or more for --preprocessing inside, got 13"):
        check_inside(SETTINGS, 13)
    with pytest.raises(SettingsError, match="1, 3 or 4 channels for --preprocessing inside, these have 13"):
        check_inside({**SETTINGS, "mode": None, "channels": 13}, 18)
    assert "13" in preprocessing_words({**SETTINGS, "mode": None, "channels": 13})[0]
    assert "random" in photo_code({**SETTINGS, "mode": None, "channels": 13})


@pytest.mark.slow
def test_the_cards_lines_reach_the_cards_accuracy_with_three_packages(made_trained, tmp_path, bare_python):
    python = bare_python("onnxruntime", "numpy", "pillow")
    data = load_data("digits")
    deployment: Deployment = deploy(made_trained[0], "index:0", tmp_path / "model")
    code = re.search(r"```python\n(.*?)```", (deployment.folder / "README.md").read_text(), re.S)[1]
    (deployment.folder / "photos").mkdir()
    for number, image in enumerate(data.test.images):
        levels = np.rint(image[0].numpy() * (255 / data.scale)).astype(np.uint8)
        Image.fromarray(levels).save(deployment.folder / "photos" / f"{number:04}.png")
    loop = "import glob\nfor photo in sorted(glob.glob('photos/*.png')):\n"
    pasted = loop + "".join(f"    {line}\n" for line in code.replace('"photo.jpg"', "photo").splitlines() if line)
    done = subprocess.run(
        [str(python), "-c", pasted], cwd=deployment.folder, capture_output=True, text=True, check=True
    )
    answers = [line.split()[0] for line in done.stdout.splitlines()]
    right = [name == data.classes[label] for name, label in zip(answers, data.test.labels, strict=True)]
    assert np.mean(right) == deployment.figures.accuracy
    ours = predict(deployment.folder, deployment.folder / "photos", top=1)
    assert isinstance(ours, Predictions)
    theirs = run_script(deployment.folder, deployment.folder / "photos", "--top", 1, python=str(python))
    assert theirs.stdout.splitlines() == ours.lines()


def test_a_model_that_fails_is_no_photo_that_cannot_be_read(tmp_path):
    photo = pictures(tmp_path / "photos")[0]

    def fails(images):
        raise RuntimeError("out of memory on the device")

    with pytest.raises(RuntimeError, match="on the device"):
        PhotoModel(fails, NAMES, SETTINGS, classifies=True).answer(photo)


def test_the_member_deployed_last_answers_whatever_the_times_of_its_files(made_trained, tmp_path, monkeypatch):
    run = Path(shutil.copytree(made_trained[0], tmp_path / "run"))
    with Run.open(run) as opened:
        text = read_front(opened)[0].architecture
    for name, made in (("first", "2026-01-02T00:00:00+00:00"), ("last", "2026-01-03T00:00:00+00:00")):
        folder = run / "models" / f"{made_trained[1].key}-{name}"
        folder.mkdir()
        (folder / "model.onnx").touch()
        (folder / "card.json").write_text(json.dumps({"made": made, "architecture": {"text": text}}))
    os.utime(folder / "card.json", (0, 0))  # as a copy of the run may leave it
    loaded = []
    # Whether a model is loaded is what is tested.
    monkeypatch.setattr("evonas.deployment.prediction.PhotoModel.load", loaded.append)
    load_photo_model(run, "index:0")
    assert [path.parent.name.partition("-")[2] for path in loaded] == ["last"]


def test_a_damaged_deployment_is_named_and_not_passed_over(made_trained, tmp_path):
    run = Path(shutil.copytree(made_trained[0], tmp_path / "run"))
    broken = run / "models" / f"{made_trained[1].key}-broken" / "card.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    with pytest.raises(RunError, match=r"card\.json is damaged .*: deploy it again, or remove its folder"):
        predict(run, "one.png", select="index:0")


def test_levels_of_the_data_are_met_exactly():
    levels = np.arange(17)
    assert np.array_equal(scaled(np.rint(levels * (255 / 16)).astype(np.uint8), 16.0), (levels / 16).astype(np.float32))


def test_the_benchmark_beside_a_model_measures_it(tmp_path):
    folder = write_model(tmp_path / "model")
    (folder / "benchmark.py").write_text(standalone("evonas.deployment.benchmark_alone"))
    command = [sys.executable, "benchmark.py", "--repeats", "15", "--provider", "CPUExecutionProvider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert "model.onnx: median" in done.stdout
    content = json.loads((folder / "benchmark.json").read_text())
    (found,) = content["providers"].values()
    assert found["models"]["model.onnx"]["repeats"] == 15
    assert found["models"]["model.onnx"]["largest_difference"] == 0
    model = onnx.load(folder / "model.onnx")
    weights = model.graph.initializer[0]
    weights.CopyFrom(numpy_helper.from_array(np.full_like(numpy_helper.to_array(weights), np.nan), weights.name))
    onnx.save(model, folder / "model.onnx")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, "outputs of model.onnx are not finite" in done.stdout) == (1, True)
    (folder / "model.onnx").unlink()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
