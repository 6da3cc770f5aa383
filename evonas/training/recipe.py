"""Recipe of a training, as data: a TOML file that a user copies and edits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from evonas.errors import SettingsError, suggest
from evonas.files.toml import read_toml
from evonas.files.wording import word_error
from evonas.training.adversary_text import read_adversary

QUICK, FINETUNE = "quick", "finetune"
"""Recipe of members that begin without published weights, where none is given."""
LEAST_UPDATES, MOST_EPOCHS = 600, 120
"""Updates that a training has at the least where no epochs are given, and the epochs up to which it gets them."""
_FOLDER = Path(__file__).parent / "recipes"


LATER = (
    "augment", "held_out", "patience", "adversarial", "adversarial_warm_up", "consistency", "focal",
)  # fmt: skip
"""Keys that recipes have had since trainings are stored; the default of each is falsy."""


class TrainingRecipe(BaseModel):
    """Everything that decides how a network is trained but for its weights, its data and the seed.

    Attributes:
        name: Short name, for people; the file's where it gives none.
        source: What it follows.
        epochs: Passes over the training images.
        batch_size: Images per update; all there are where these are fewer.
        all_data: Whether to train on all training images, as a final training does, or on the part `train`
            alone, so that the validation parts stay unseen.
        optimizer: Stochastic gradient descent, or AdamW (Loshchilov and Hutter 2019), whose betas are torch's own.
        lr: Learning rate at its highest.
        lr_end: Learning rate that the schedule falls to.
        momentum: In [0, 1).
        nesterov: Whether momentum is Nesterov's.
        weight_decay: Of all weights, but see the next.
        no_decay_on_norms: Spare norms and biases the weight decay.
        frozen_norms: Keep the statistics of norms as the first weights have them: for few images and good first
            weights; scale and shift are trained.
        schedule: Shape of the fall from `lr` to `lr_end`.
        per: Whether the learning rate changes with every update or with every epoch.
        warm_up: Epochs in which the schedule is scaled up from nothing to full, linearly.
        tail: Last epochs of a linear fall in which the slope is smaller, as PC-DARTS does.
        clip: Largest norm of the whole gradient; 0: no limit.
        label_smoothing: Share of a label that is spread over all classes.
        ema: Decay of the running average of the weights that is returned instead of them; 0: none.
        crop: Shift each way as a fraction of the image's side (0.125: 4 pixels of 32).
        flip: Whether to mirror images; "data": where the data allow it.
        cutout: Side of the blotted square as a fraction of the image's side (0.5: 16 pixels of 32).
        augment: Steps of augmentation instead of `crop` and `cutout`, such as ``random_resized_crop(0.3)``, ``flip``
            (where `flip` lets it) and ``mixup(0.2)``; see `evonas.data.augment_steps.STEPS`.
        adversarial: Epsilon and steps of PGD that training images suffer, such as ``8/255x3``, of values in [0, 1]
            (Madry et al. 2018); "": none.
        adversarial_warm_up: Epochs over which its epsilon rises from nearly nothing, linearly.
        consistency: Weight of the divergence of answers to an image and to two mixtures of it (AugMix, Hendrycks et
            al. 2020: 12); 0: none.
        focal: Exponent of the focal loss, ``(1 - p)^focal`` times the cross-entropy (Lin et al. 2017; for calibration
            Mukhoti et al. 2020: 3); 0: cross-entropy.
        drop_path: Share of paths dropped per image in the last epoch, rising linearly from 0.
        auxiliary: Weight of an auxiliary classifier's loss, in training alone; 0: none.
        distillation: Weight of the loss against a teacher, where there is a teacher.
        labels: Weight of the loss against the labels, where there is a teacher.
        imitate: What of a teacher is imitated: its outputs, or the selectivity of its features.
        held_out: Share of the training images that is not trained on: the task's measure is read on them after each
            epoch, and the weights of the best epoch are kept; 0: none.
        patience: Epochs without a better one on the held-out images after which training ends; 0: never.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: str = "recipe"
    source: str = ""
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    all_data: bool = True
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = Field(gt=0)
    lr_end: float = Field(0.0, ge=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(0.0, ge=0)
    no_decay_on_norms: bool = False
    frozen_norms: bool = False
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    per: Literal["step", "epoch"] = "step"
    warm_up: int = Field(0, ge=0)
    tail: int = Field(0, ge=0)
    clip: float = Field(0.0, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema: float = Field(0.0, ge=0, lt=1)
    crop: float = Field(0.125, ge=0, lt=1)
    flip: bool | Literal["data"] = "data"
    cutout: float = Field(0.0, ge=0, lt=1)
    augment: list[str] = []
    adversarial: str = ""
    adversarial_warm_up: int = Field(0, ge=0)
    consistency: float = Field(0.0, ge=0)
    focal: float = Field(0.0, ge=0)
    drop_path: float = Field(0.0, ge=0, lt=1)
    auxiliary: float = Field(0.0, ge=0)
    distillation: float = Field(1.0, ge=0)
    labels: float = Field(1.0, ge=0)
    imitate: Literal["outputs", "features"] = "outputs"
    held_out: float = Field(0.0, ge=0, le=0.5)
    patience: int = Field(0, ge=0)

    @field_validator("augment")
    @classmethod
    def _steps(cls, value: list[str]) -> list[str]:
        if value:
            from evonas.data.augment_steps import parse_steps  # torch is imported where steps are named alone

            parse_steps(value)
        return value

    @field_validator("adversarial")
    @classmethod
    def _attack(cls, value: str) -> str:
        if value:
            try:
                read_adversary(value)
            except SettingsError as error:
                raise ValueError(str(error)) from None
        return value

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out later keys that stand at their default: what was trained before they came is found again."""
        content: dict[str, Any] = write(self)
        return {key: value for key, value in content.items() if key not in LATER or value}

    @model_validator(mode="after")
    def _fits_together(self) -> TrainingRecipe:
        self._fits_trust()
        if self.lr_end > self.lr:
            raise ValueError(f"expected lr_end of at most lr, got {self.lr_end} above {self.lr}")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        if self.patience and not self.held_out:
            raise ValueError("patience needs held-out images: set held_out, such as 0.1")
        if self.tail and (self.schedule != "linear" or self.per != "epoch"):
            raise ValueError("tail belongs to a linear schedule per epoch")
        if max(self.tail, self.warm_up) >= self.epochs:
            raise ValueError(
                f"expected fewer than the {self.epochs} epochs for warm_up and tail, got {self.warm_up} and "
                f"{self.tail}: train {max(self.tail, self.warm_up) + 1} epochs or more, or lower them in a copy"
            )
        return self

    def _fits_trust(self) -> None:
        if self.adversarial_warm_up and not self.adversarial:
            raise ValueError("adversarial_warm_up needs adversarial, such as 8/255x3")
        if self.adversarial and self.consistency:
            raise ValueError("expected one of adversarial and consistency, got both")
        mixing = [step for step in self.augment if step.strip().startswith(("mixup", "cutmix"))]
        if mixing and (self.adversarial or self.consistency):
            raise ValueError(f"{mixing[0]} mixes labels: leave it out with adversarial or consistency")


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def recipe_source(name: str) -> str:
    """Return where a recipe that comes with the package is from, in a line; its settings are not read."""
    return str(read_toml(_FOLDER / f"{name}.toml", "the recipe").get("source", ""))


def usual_recipe(settings: Mapping[str, Any]) -> str:
    """Name of the recipe for members of a run where none is given: `finetune` for one from published weights.

    Args:
        settings: Those of the run.
    """
    return QUICK if settings.get("pretrained", "none") in ("none", "auto") else FINETUNE


def usual_epochs(images: int, batch_size: int, epochs: int) -> int:
    """Epochs of a recipe for that many images: more than its own where these would be few updates.

    Args:
        images: Those trained on.
        batch_size: Of the recipe.
        epochs: Of the recipe.
    """
    return min(MOST_EPOCHS, max(epochs, -(-LEAST_UPDATES * batch_size // max(images, batch_size))))


def load_recipe(name: str | Path, **overrides: Any) -> TrainingRecipe:
    """Return a recipe.

    Args:
        name: A name of `recipe_names()`, or the path of a TOML file.
        overrides: Keys of the recipe to set otherwise, such as ``epochs=10``.

    Raises:
        SettingsError: No such recipe, not TOML, an unknown key or a value out of range, each named.
    """
    names = recipe_names()
    if str(name) not in names and not str(name).endswith(".toml"):
        raise SettingsError(
            f"Unknown recipe '{name}': expected {', '.join(names)}, or the path of a .toml file."
            f"{suggest(str(name), names)}"
        )
    path = _FOLDER / f"{name}.toml" if str(name) in names else Path(name)
    table = read_toml(path, "the recipe")
    return _validated({"name": path.stem, **table, **overrides}, str(name))


def change_recipe(recipe: TrainingRecipe, **changes: Any) -> TrainingRecipe:
    """Return a recipe with some keys changed.

    Raises:
        SettingsError: An unknown key or a value out of range.
    """
    return _validated(recipe.model_dump() | changes, recipe.name)


def _validated(table: Mapping[str, Any], name: str) -> TrainingRecipe:
    try:
        return TrainingRecipe.model_validate(table)
    except ValidationError as error:
        raise SettingsError(f"Recipe {name}: {_first_error(error)}") from None


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'.{suggest(key, TrainingRecipe.model_fields)}{more}"
    words = word_error(first)
    if first["type"] == "missing":
        return f"{key} {words}{more}"
    return (f"{key}: {words}" if key else words) + more
