from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from evonas.errors import SettingsError
from evonas.training import TrainingRecipe, load_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_load_and_say_what_they_follow(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.source


def test_all_recipes_are_there() -> None:
    names = (
        "adversarial", "anchor", "augmix", "darts_cifar", "finetune", "focal", "mobile", "pcdarts_imagenet", "photos",
        "qat", "quick",
    )  # fmt: skip
    assert recipe_names() == names


def test_darts_cifar_is_that_of_the_paper() -> None:
    recipe = load_recipe("darts_cifar")
    assert (recipe.epochs, recipe.batch_size, recipe.lr, recipe.lr_end) == (600, 96, 0.025, 0.0)
    assert (recipe.momentum, recipe.weight_decay, recipe.clip) == (0.9, 3e-4, 5.0)
    assert (recipe.crop * 32, recipe.cutout * 32) == (4, 16)
    assert (recipe.drop_path, recipe.auxiliary, recipe.label_smoothing, recipe.ema) == (0.2, 0.4, 0.0, 0.0)
    assert not recipe.no_decay_on_norms


def test_mobile_spares_the_norms_and_averages() -> None:
    recipe = load_recipe("mobile")
    assert recipe.no_decay_on_norms
    assert recipe.label_smoothing == 0.1
    assert recipe.ema > 0


def test_a_file_and_overrides(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 3\nbatch_size = 8\nlr = 1\n")
    recipe = load_recipe(path, epochs=5)
    assert (recipe.name, recipe.epochs, recipe.batch_size, recipe.lr) == ("mine", 5, 8, 1.0)
    assert load_recipe(str(path)) == load_recipe(path)


def test_a_recipe_is_immutable(plain: TrainingRecipe) -> None:
    with pytest.raises(ValidationError):
        plain.epochs = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3\nepochs = 3\nbatch_size = 8\nlr = 0.1", "unknown key 'epoch'. Did you mean 'epochs'?"),
        ("epochs = 0\nbatch_size = 8\nlr = 0.1", "epochs: expected 1 or more, got 0"),
        ("epochs = 3\nbatch_size = '8'\nlr = 0.1", "batch_size: expected a whole number, got '8'"),
        ("epochs = 3\nbatch_size = 8", "lr is missing"),
        ("batch_size = 8", "epochs is missing (and 1 more)"),
        ("epochs = 3\nbatch_size = 8\nlr = nan", "lr: expected"),
        ("epochs = 3\nbatch_size = 8\nlr = 0.1\nlr_end = 0.2", "expected lr_end of at most lr"),
        ("epochs = 3\nbatch_size = 8\nlr = 0.1\ntail = 1", "tail belongs to a linear schedule"),
        ("epochs = 3\nbatch_size = 8\nlr = 0.1\nwarm_up = 3", "expected fewer than the 3 epochs"),
        ("epochs = 3\nbatch_size = 8\nlr = 0.1\nmomentum = 0\nnesterov = true", "nesterov needs a momentum"),
        ("epochs = ", "is not TOML"),
        ("epochs = 3\nbatch_size = 8\nlr = 0.1\naugment = ['flipp']", "Unknown step 'flipp'"),
    ],
)
def test_bad_recipes_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_recipe(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Did you mean 'quick'"):
        load_recipe("quik")
    with pytest.raises(SettingsError, match="No such file"):
        load_recipe(tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match="unknown key 'epocs'"):
        load_recipe("quick", epocs=3)


def test_a_recipe_without_steps_is_written_as_before_there_were_any() -> None:
    assert "augment" not in load_recipe("quick").model_dump(mode="json")
    assert load_recipe("photos").model_dump(mode="json")["augment"][0] == "random_resized_crop(0.3)"
