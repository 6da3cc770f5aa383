"""A member that chose its resolution is trained, read and deployed at it."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import onnxruntime
import pytest

from evonas.data import load_data
from evonas.deployment import load_model, train_members
from evonas.deployment.deploy import deploy
from evonas.pipeline import run as pipeline
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runtime import export
from evonas.spaces import load_space, shipped
from evonas.training import TrainingRecipe


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run whose only resolution is another one than the data's."""
    folder = tmp_path_factory.mktemp("resolution")
    text = shipped()["nasbench_macro"].read_text()
    file = folder / "small_images.toml"
    file.write_text(text.replace('form = "digits"', 'form = "blocks"\nresolutions = [12]', 1))
    settings = {"space": str(file), "population": 3, "generations": 1, "warm_start": 0, "epochs": 1, "resolution": 16}
    settings |= {"train_limit": 300, "batch_size": 100, "estimator": "supernet:loss"}
    pipeline.search(out=folder / "run", sharing="uniform", **settings).close()
    return folder / "run"


def test_a_deployed_member_reads_images_of_its_own_resolution(made, tmp_path, monkeypatch):
    quick = partial(export, exporter="quick")
    # An export that costs no time.
    monkeypatch.setattr("evonas.deployment.deploy_steps.export", quick)
    (trained, *_) = train_members(made, "index:0", TrainingRecipe(name="short", epochs=1, batch_size=100, lr=0.1))
    assert load_model(trained.folder).skeleton.resolution == 12
    for weights in ("trained", "inherited"):
        if weights == "inherited":
            (trained.folder / "training.json").unlink()
        deployed = deploy(made, "index:0", tmp_path / weights)
        session = onnxruntime.InferenceSession(deployed.model)
        assert session.get_inputs()[0].shape[1:] == [1, 12, 12]
        assert session.get_modelmeta().custom_metadata_map["input_size"] == "1x12x12"
        card = json.loads((deployed.folder / "card.json").read_text())
        assert card["model"]["input"]["shape"][1:] == [1, 12, 12]
        assert card["architecture"]["skeleton"]["resolution"] == 12
        # What a user would do: images of that side, read anew.
        data = load_data("digits", resolution=12)
        images = data.test.images.numpy().astype(np.float32) / data.scale
        logits = session.run(["logits"], {"images": images})[0]
        right = (logits.argmax(1) == data.test.labels.numpy()).mean()
        assert deployed.figures.accuracy == right


def test_the_front_names_the_resolution(made):
    with Run.open(made) as run:
        front = read_front(run)
    space = load_space(made.parent / "small_images.toml")
    assert {space.parse(member.architecture).resolution for member in front} == {12}
