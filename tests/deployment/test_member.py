from __future__ import annotations

import csv
import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from evonas.deployment import estimate_agreement, load_model, train_members, trained_models, training_summary
from evonas.deployment.member import default_recipe, with_hold_out
from evonas.deployment.trained import Trained
from evonas.errors import RunError, SettingsError
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import choose
from evonas.spaces import load_space
from evonas.training import TrainingRecipe, test_accuracy

RECIPE = TrainingRecipe(name="short", epochs=2, batch_size=128, lr=0.1, momentum=0.9)


class Killed(Exception):
    """Stands for whatever ends a process."""


class Stop:
    """Progress that ends the process after some updates."""

    def __init__(self, after):
        self.left = after

    def task(self, name, total):
        return nullcontext(self)

    def advance(self, n=1, note=""):
        self.left -= n
        if self.left < 0:
            raise Killed

    def say(self, text):
        pass


def weights(trained):
    return load_model(trained.folder).state_dict()


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_that_is_open_for_reading_is_trained_too(trained_run, made_trained):
    with Run.open(trained_run) as opened:
        assert not opened.writable
        (again,) = train_members(opened, "index:0", RECIPE)  # trained before: read back
    assert again.accuracy == made_trained[1].accuracy


def test_the_record_is_what_the_weights_give(made_trained):
    path, trained = made_trained
    with Run.open(path) as run:
        data = run_context(run).data
        note = run.store.notes()[trained.architecture]["acc_trained"]
    assert trained.accuracy == test_accuracy(load_model(trained.folder), data)
    assert trained.test_images == len(data.test)
    assert note.value == trained.accuracy
    assert note.detail["seeds"] == {"0": trained.accuracy}
    assert trained.record["recipe"] == RECIPE.model_dump(mode="json")
    assert len(trained.record["history"]) == 2
    report = trained.classes
    assert report.measures["accuracy"] == pytest.approx(trained.accuracy)
    assert report.support.sum() == trained.test_images
    assert any(f"always '{report.constant}'" in line for line in training_summary([trained]))
    assert sorted(file.name for file in trained.folder.iterdir()) == [
        "network.toml", "preprocess.json", "space.toml", "training.json", "weights.safetensors",
    ]  # fmt: skip


def test_the_front_tells_the_accuracy(made_trained):
    path, trained = made_trained
    rows = list(csv.DictReader((path / "front.csv").read_text().splitlines()))
    assert float(rows[0]["acc_trained"]) == trained.accuracy
    assert {row["acc_trained"] for row in rows[1:]} <= {""}
    with Run.open(path) as run:
        member = read_front(run)[0]
    assert member.known["acc_trained"] == trained.accuracy
    assert trained.estimates == {"acc": member.values["acc"], "acc_report": member.known["acc_report"]}


def test_what_was_trained_is_read_and_not_trained_again(trained_run):
    (again,) = train_members(trained_run, "index:0", RECIPE, progress=Stop(after=0))
    assert again.stored
    assert "(trained before)" in "\n".join(training_summary([again]))


def test_several_seeds_and_held_out_images_are_summed_up(made_trained):
    trained = made_trained[1]
    history = [{"epoch": 1, "metric": 0.5, "held_out": 0.8}, {"epoch": 2, "metric": 0.9, "held_out": 0.5}]
    record = {**trained.record, "history": history, "held_out": 100, "best_epoch": 1}
    two = [replace(trained, accuracy=0.9, record=record), replace(trained, accuracy=0.92)]
    said = training_summary(two)
    assert f"{trained.key}  2 seeds: mean 91.00 %, standard deviation 1.41 %." in said
    assert any("weights of epoch 1 of 2 are kept, the best on 100 held-out images (80.00 %)." in line for line in said)
    assert any(line.startswith("It overfits: on 100 held-out images accuracy fell from 80.0%") for line in said)


def test_a_run_of_few_images_is_trained_for_more_epochs(run):
    with Run.open(run) as opened:
        assert default_recipe(opened).epochs == 30
        (run / "inventory.json").write_text(json.dumps({"counts": {"train": [260, 260]}}))
        assert default_recipe(opened).epochs == 74


def test_a_training_that_was_killed_ends_with_the_same_weights(made_trained, run):
    with pytest.raises(Killed):
        train_members(run, "index:0", RECIPE, progress=Stop(after=4))  # three updates an epoch
    assert [file.name for file in run.glob("models/*/*")] == ["checkpoint.safetensors"]
    with Run.open(run) as opened:
        choice = choose(read_front(opened), load_space(opened.settings["space"]), "index:0")
        assert trained_models(opened, choice) == []
    (resumed,) = train_members(run, "index:0", RECIPE)
    assert equal(weights(resumed), weights(made_trained[1]))
    assert resumed.accuracy == made_trained[1].accuracy


def test_seeds_are_averaged_and_first_weights_told_apart(trained_run, made_trained):
    before = made_trained[1]
    trained = train_members(trained_run, "index:0", RECIPE, seeds=(0, 1))
    assert [one.stored for one in trained] == [True, False]
    assert not equal(weights(trained[0]), weights(trained[1]))
    (fresh,) = train_members(trained_run, "index:0", RECIPE, weights="fresh", seeds=(0,))
    assert not equal(weights(fresh), weights(before))
    with Run.open(trained_run, write=True) as run:
        choice = choose(read_front(run), load_space(run.settings["space"]), "index:0")
        assert len(trained_models(run, choice)) == 3
        assert run.store.notes()[fresh.architecture]["acc_trained"].value == fresh.accuracy
        train_members(run, "index:0", RECIPE, seeds=(1,))
        mean = run.store.notes()[fresh.architecture]["acc_trained"].value
    assert mean == pytest.approx(np.mean([one.accuracy for one in trained]), abs=1e-12)


def test_an_architecture_beside_the_front_is_noted_but_not_listed(run):
    recipe = RECIPE.model_copy(update={"epochs": 1, "batch_size": 512})
    with Run.open(run) as opened:
        space = load_space(opened.settings["space"])
    known = {member["architecture"] for member in json.loads((run / "front.json").read_text())["members"]}
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(20, default_rng(5))]
    text = next(str(form) for form in forms if str(form) not in known)
    before = (run / "front.json").read_text()
    (trained,) = train_members(run, text, recipe, teacher="largest")
    assert trained.estimates == {}
    assert trained.record["teacher"]["architecture"] != text
    assert "taught by the largest path" in trained.how
    assert (run / "front.json").read_text() == before
    with Run.open(run) as opened:
        assert opened.store.notes()[text]["acc_trained"].value == trained.accuracy


def test_every_member_of_the_front_is_trained(run):
    recipe = RECIPE.model_copy(update={"epochs": 1, "batch_size": 512})
    trained = train_members(run, "front", recipe, weights="fresh")
    with Run.open(run) as opened:
        front = read_front(opened)
    assert [one.architecture for one in trained] == [member.architecture for member in front]
    assert [member.known["acc_trained"] for member in front] == [one.accuracy for one in trained]


def test_agreement_is_kendalls_tau_over_architectures(tmp_path):
    def one(name, estimate, accuracy):
        return Trained(tmp_path, name, accuracy, 10, {"acc": 0.0, "acc_report": estimate})

    up = [one("a", 0.1, 0.6), one("b", 0.2, 0.7), one("c", 0.3, 0.8)]
    assert estimate_agreement(up) == 1.0
    assert estimate_agreement([one("a", 0.3, 0.6), *up[1:2], one("c", 0.1, 0.8)]) == -1.0
    assert estimate_agreement([*up[:2], one("c", 0.3, 0.65)]) == pytest.approx(1 / 3)
    assert estimate_agreement([*up, one("a", 0.1, 0.9)]) == pytest.approx(1 / 3)  # the mean of "a" is 0.75
    assert estimate_agreement(up[:2]) is None
    assert estimate_agreement([one(name, 0.1, 0.5) for name in "abc"]) is None


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"weights": "old"}, SettingsError, "inherited, fresh or anchor, got 'old'"),
        ({"seeds": ()}, SettingsError, "at least one seed"),
        ({"seeds": (0, -1)}, SettingsError, "of 0 or more, got 0, -1"),
        ({"recipe": "quik"}, SettingsError, "Did you mean 'quick'"),
        ({"select": "index:99"}, SettingsError, "index:99"),
    ],
)
def test_bad_settings_change_nothing(run, options, error, words):
    before = sorted(file.name for file in run.iterdir())
    with pytest.raises(error, match=words):
        train_members(run, **options)
    assert sorted(file.name for file in run.iterdir()) == before


def test_runs_that_lack_something_say_what_to_do(run):
    (run / "supernet.safetensors").unlink()
    with pytest.raises(RunError, match=r"no supernet to inherit weights from: run  evonas train .* --weights fresh"):
        train_members(run, "knee", RECIPE)
    with pytest.raises(RunError, match="no supernet to learn from"):
        train_members(run, "knee", RECIPE, weights="fresh", teacher="largest")
    (run / "front.json").unlink()
    with pytest.raises(RunError, match="evonas resume"):
        train_members(run, "knee", RECIPE)


def test_a_damaged_record_is_named(trained_run, made_trained):
    file = trained_run / "models" / made_trained[1].folder.name / "training.json"
    file.write_text("{}")
    with pytest.raises(RunError, match=r"cannot be read .*: remove that folder"):
        train_members(trained_run, "index:0", RECIPE)


@pytest.mark.parametrize(("weights", "pretrained"), [("fresh", "efficientnet_lite0"), ("anchor", "none")])
def test_two_first_weights_are_refused(trained_run, weights, pretrained):
    with pytest.raises(SettingsError, match=f"either {weights} or what --pretrained {pretrained} says: leave one"):
        train_members(trained_run, "index:0", weights=weights, pretrained=pretrained)


@pytest.mark.parametrize(
    ("recipe", "share", "patience", "expected"),
    [
        ({}, None, None, (0.1, 0)),
        ({}, 0.0, None, (0.0, 0)),
        ({}, None, 3, (0.1, 3)),
        ({"held_out": 0.2, "patience": 4}, None, None, (0.2, 4)),
        ({"held_out": 0.2, "patience": 4}, 0.0, None, (0.0, 0)),
        ({"held_out": 0.2, "patience": 4}, 0.3, 5, (0.3, 5)),
        ({"name": "finetune"}, None, None, (0.0, 0)),
        ({"name": "finetune"}, None, 2, (0.1, 2)),
        ({"name": "finetune"}, 0.2, None, (0.2, 0)),
    ],
)
def test_images_that_are_held_out_are_those_asked_for_else_the_recipes(recipe, share, patience, expected):
    found = with_hold_out(
        TrainingRecipe(**{"name": "short", "epochs": 9, "batch_size": 32, "lr": 0.1, **recipe}), share, patience
    )
    assert (found.held_out, found.patience) == expected
