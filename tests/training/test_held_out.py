from __future__ import annotations

import math

import pytest
import torch

from evonas.data.part import Part
from evonas.errors import SettingsError
from evonas.tasks import make_task
from evonas.training import load_recipe
from evonas.training.evaluate import evaluate
from evonas.training.held_out import HeldOut, overfitting, training_parts
from evonas.training.recipe import MOST_EPOCHS, change_recipe, usual_epochs
from evonas.training.train import train


@pytest.fixture
def recipe():
    return load_recipe("quick", epochs=5, warm_up=1, batch_size=32, held_out=0.1)


class Killed(BaseException):
    pass


def same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_what_is_held_out_is_not_trained_on(data, recipe):
    part, held = training_parts(data, recipe)
    assert len(part) + len(held) == sum(map(len, (data.train, data.search, data.report)))
    assert len(held) == round(0.1 * 150)
    assert torch.equal(held.images, data.report.images[: len(held)])
    assert torch.equal(part.images[-1], data.report.images[-1])
    assert training_parts(data, change_recipe(recipe, held_out=0.0))[1] is None
    with pytest.raises(SettingsError, match="fewer images to hold out"):
        training_parts(data, change_recipe(recipe, held_out=0.5))


def test_the_best_epoch_is_kept_also_where_the_training_was_killed(data, recipe, tiny, tmp_path):
    whole, killed = tiny(0), tiny(0)
    done = train(whole, data, recipe, device="cpu")
    values = [one["held_out"] for one in done.history]
    assert done.best == max(range(5), key=lambda i: (values[i], i)) + 1
    assert evaluate(whole, training_parts(data, recipe)[1], data)[0] == max(values)

    def kill(updates, of, figures):
        if figures["epoch"] == 4:
            assert "held_out" in figures
            raise Killed

    with pytest.raises(Killed):
        train(killed, data, recipe, device="cpu", checkpoint=tmp_path / "c.safetensors", progress=kill)
    killed = tiny(0)
    again = train(killed, data, recipe, device="cpu", checkpoint=tmp_path / "c.safetensors")
    assert [one["held_out"] for one in again.history] == values
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), killed.state_dict().values(), strict=True)
    )


def test_reading_held_out_images_leaves_a_training_as_it_is(data, recipe, tiny):
    # Both train on the part train alone, in equal batches.
    own, judged = tiny(0), tiny(0)
    alone = change_recipe(recipe, all_data=False)
    plain = train(own, data, change_recipe(alone, held_out=0.0), device="cpu")
    done = train(judged, data, alone, device="cpu")
    assert [one["loss"] for one in done.history] == [one["loss"] for one in plain.history]
    assert (done.held_out, plain.held_out, plain.best) == (round(0.1 * len(data.train)), 0, None)
    rest = Part(data.report.images[done.held_out :], data.report.labels[done.held_out :])
    assert done.accuracy == evaluate(judged, rest, data)[0]  # images that chose the epoch do not judge it
    assert plain.accuracy == evaluate(own, data.report, data)[0]


@pytest.mark.parametrize(
    ("values", "patience", "over"),
    [([0.5, 0.6, 0.6], 1, False), ([0.6, 0.5, 0.5], 2, True), ([0.6, 0.5], 2, False), ([0.6, 0.5, 0.4], 0, False)],
)
def test_patience_counts_epochs_since_the_best(data, values, patience, over):
    judge = HeldOut(data.report, data, make_task(data), patience)
    assert judge.over([{"held_out": value} for value in values]) is over


def test_an_epoch_whose_measure_is_no_number_is_not_the_best(data):
    judge = HeldOut(data.report, data, make_task(data), 0)
    assert judge.best([{"held_out": value} for value in (math.nan, 0.5, math.nan)]) == 2


def test_a_training_ends_with_its_patience(data, recipe, tiny, monkeypatch):
    falling = iter([0.9, 0.5, 0.4, 0.3, 0.2])
    # Accuracies that fall, which no training of seconds gives.
    monkeypatch.setattr("evonas.training.held_out.evaluate", lambda *_, **__: (next(falling), 0.0))
    done = train(tiny(0), data, change_recipe(recipe, patience=2), device="cpu")
    assert (len(done.history), done.best) == (3, 1)
    with pytest.raises(SettingsError, match="patience needs held-out images"):
        change_recipe(recipe, patience=2, held_out=0.0)


def test_overfitting_is_said_beyond_noise_alone():
    def history(*pairs):
        return [{"metric": metric, "held_out": held} for metric, held in pairs]

    fell = history((0.7, 0.7), (0.8, 0.8), (0.99, 0.6))
    said = overfitting(fell, 200)
    assert said is not None
    assert said.startswith("It overfits: on 200 held-out images accuracy fell from 80.0% in epoch 2 to 60.0%")
    assert overfitting(fell, 2) is None  # two images tell nothing
    assert overfitting(history((0.7, 0.7), (0.8, 0.8), (0.82, 0.79)), 200) is None
    gap = overfitting(history((0.99, 0.6), (0.99, 0.62)), 200)
    assert gap is not None
    assert "known better than others: 99.0% against 62.0%" in gap
    assert overfitting([{"metric": 0.9}], 200) is None


@pytest.mark.parametrize(("images", "epochs"), [(1437, 30), (520, 74), (10, MOST_EPOCHS), (50_000, 30)])
def test_few_images_get_more_epochs(images, epochs):
    assert usual_epochs(images, 64, 30) == epochs


def test_stored_recipes_are_found_again():
    assert not {"held_out", "patience"} & set(load_recipe("quick").model_dump(mode="json"))
    assert load_recipe("quick", held_out=0.1).model_dump(mode="json")["held_out"] == 0.1
