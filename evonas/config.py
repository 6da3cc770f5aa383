"""The settings of a search: validated, read from TOML and the command line, written to a run's ``run.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from evonas.configs import load_config, named_configs
from evonas.data.corruptions.kinds import kinds_of
from evonas.errors import SettingsError, suggest
from evonas.files.duration import parse_time
from evonas.files.share import parse_share
from evonas.files.size import MOST_SIDE, Size, parse_size
from evonas.files.toml import read_toml
from evonas.files.wording import word_error
from evonas.supernet.norm_names import NORMS
from evonas.supernet.rules.registry import RULES, named_settings
from evonas.training.ladder import parse_levels

SAMPLINGS = ("choice", "size", "unique", "fair", "warm")
"""Ways in which paths are drawn."""
ALGORITHMS = ("agemoea", "nsga2", "nsga3", "random", "regularized-evolution")
"""Names of the search algorithms."""

BASELINES = ("none", "random", "transfer")
"""What a search may be compared with."""

UNBOUNDED = 10**9
"""Largest count: no bound that anyone meets, yet small enough that sums and products stay exact."""

Count = Annotated[int, Field(ge=1, le=UNBOUNDED)]


PANELS = ("what", "data", "budget", "supernet", "anchors", "search", "where it runs", "output")
"""Groups of settings, in the order in which the command line's help shows them."""


def _setting(
    default: Any, panel: str, description: str, *, unset: str | None = None, allowed: Sequence[str] = (), **more: Any
) -> Any:
    """Return a field that says all that the command line shows of it.

    Args:
        default: Its default.
        panel: One of `PANELS`.
        description: What it is, in half a sentence.
        unset: What holds where the default is None.
        allowed: The values that it may have, where these are few and fixed; the registries' names, held by a test.
        **more: Bounds, as pydantic's `Field` takes them.
    """
    extra: dict[str, Any] = {"panel": panel, "unset": unset, "allowed": list(allowed)}
    return Field(default, description=description, json_schema_extra=extra, **more)


class Settings(BaseModel):
    """Everything that shapes a search; each has a default.

    The command line's options are made of these fields, and ``run.toml`` has their names with hyphens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    objectives: tuple[str, ...] = _setting(
        ("acc", "flops"), "what", "What to optimize, such as acc,flops,latency: see  evonas list objectives"
    )
    constraint: tuple[str, ...] = _setting(
        (), "what", "A bound such as flops<=20M or acc>=95%; repeat for more", unset="none"
    )
    metric: str | None = _setting(
        None,
        "what",
        "First objective where --objectives is not given: accuracy, balanced_accuracy, macro_f1, recall:CLASS, auroc, "
        "cohen_kappa, or of continuous targets rmse, mae, r2",
        unset="accuracy, or rmse",
    )
    corruptions: tuple[str, ...] = _setting(
        (),
        "what",
        "Kinds that robust:corruption stands for, such as noise,fog: groups noise, blur, weather, digital, or kinds",
        unset="all 15",
    )
    space: str = _setting(
        "auto",
        "what",
        "A space's name or TOML file: see  evonas list spaces; auto: darts, or that of published weights",
    )
    pretrained: str = _setting(
        "auto", "what", "Published weights to start from, by name or TOML file, or none: see  evonas list weights"
    )
    skeleton: str | None = _setting(
        None, "what", "Width, depth and resolution that the space leaves open, by name", unset="small"
    )
    data: str | None = _setting(
        None,
        "data",
        "digits, an .npz or .parquet file, a folder of such parts or of images, or a name of the hub",
        unset="digits",
    )
    task: str | None = _setting(
        None, "data", "What networks are trained for, by the name of a task that a package adds", unset="by the targets"
    )
    table: tuple[str, ...] = _setting(
        (), "data", "A CSV of measured truth whose columns are objectives; repeat to join", unset="none"
    )
    resolution: Size | None = _setting(
        None,
        "data",
        f"Size of the images in pixels, the side of squares or HEIGHTxWIDTH such as 128x40; sides of 1 to {MOST_SIDE}",
        unset="the data's",
    )
    resolutions: tuple[int, ...] = _setting(
        (),
        "data",
        "Sides of squares that each candidate of a search from published weights chooses among, such as 64,96,128",
        unset="all of the space's up to --resolution, where all objectives are known for each; else that one",
    )
    layout: Literal["NHWC", "NCHW", "NHW"] | None = _setting(
        None, "data", "Axes of an .npz file's images", unset="by their sizes", allowed=("NHWC", "NCHW", "NHW")
    )
    image_column: str | None = _setting(None, "data", "Column of images in parquet", unset="by the usual names")
    label_column: str | None = _setting(None, "data", "Column of labels in parquet", unset="by the usual names")
    group: str | None = _setting(
        None,
        "data",
        "Column of parquet, an .npz file or a CSV beside a folder that says which images belong together (patient, "
        "speaker, scene): no split puts a group into two parts",
        unset="none",
    )
    fold: str | None = _setting(
        None, "data", "Of a folder of folds the one that is the test part, by name or number", unset="none"
    )
    fit: Literal["crop", "pad", "stretch"] = _setting(
        "crop",
        "data",
        "How images that are no squares become such: cropped to the center, between black bars, or stretched",
        allowed=("crop", "pad", "stretch"),
    )
    flip: bool | None = _setting(
        None, "data", "Mirror images in training", unset="where they are in color and no digits"
    )
    lazy: bool = _setting(
        False, "data", "Decode images as batches of them are read, for data larger than memory; results are the same"
    )
    max_skipped: str = _setting(
        "2%", "data", "Share of unreadable images that are skipped; beyond it they are an error"
    )
    min_images: Count = _setting(5, "data", "Training images that a class has at least")
    rare: Literal["stop", "drop", "keep"] = _setting(
        "stop", "data", "What happens to classes with fewer images", allowed=("stop", "drop", "keep")
    )
    class_weights: Literal["none", "balanced"] = _setting(
        "none",
        "data",
        "How classes weigh in the losses of supernet and training: alike, or balanced, by the inverse of their share",
        allowed=("none", "balanced"),
    )
    train_limit: Count | None = _setting(None, "data", "Use that many training images", unset="all")
    validation: float = _setting(0.4, "data", "Share of the training data that accuracy is read on", gt=0, lt=1)
    time: str | None = _setting(
        None, "budget", "A deadline for the whole command, such as 30m, divided over the steps", unset="none"
    )
    population: int = _setting(40, "budget", "Members of a generation", ge=2, le=10**5)
    generations: Count = _setting(30, "budget", "Generations, the first population included")
    patience: Count | None = _setting(
        None,
        "budget",
        "End after so many generations without a gain in hypervolume beyond noise",
        unset="none: all generations",
    )
    warm_start: int = _setting(
        500, "budget", "Architectures scored by SWAP for the first population; 0: none", ge=0, le=10**6
    )
    sharing: str = _setting(
        "disturbance-immune",
        "supernet",
        "How weights are shared, NAME or NAME(key=value, key=value), or a TOML file of these",
        allowed=(*RULES, *named_settings()),
    )
    norms: str = _setting(
        "affine",
        "supernet",
        "What becomes of norms' weights and biases, which paths share: learned, fixed at 1 and 0 (plain), "
        "each option's own, or protected as shared weights are",
        allowed=tuple(NORMS),
    )
    norm_statistics: str = _setting(
        "auto",
        "supernet",
        "Which means and variances of norms paths of published weights have: the published ones, or each path its own "
        "of the images (path), the largest excepted; auto: published, but path where the weights are a supernet's",
        allowed=("auto", "published", "path"),
    )
    sampling: str = _setting("choice", "supernet", "How paths are drawn in training", allowed=SAMPLINGS)
    estimator: str = _setting(
        "supernet", "supernet", "What estimates accuracy: supernet, supernet:NAME, train:EPOCHS or train:EPOCHS+inherit"
    )
    anchors: int | None = _setting(
        None,
        "anchors",
        "Candidates that are trained for real, so that accuracy is predicted from what they show; 0: none",
        unset="one per 100 evaluations, from 600 evaluations on; none from published weights",
        ge=0,
        le=10**5,
    )
    anchor_epochs: str | None = _setting(
        None,
        "anchors",
        "Epochs of the levels that anchors climb, such as 2,6; the better half of each goes on",
        unset="by the size of the data",
    )
    anchor_rounds: Literal["halving", "cokriging"] = _setting(
        "halving",
        "anchors",
        "How later rounds spend their epochs: the better half climbs, or what informs most for its multiply-adds",
        allowed=("halving", "cokriging"),
    )
    anchors_from: str | None = _setting(None, "anchors", "Take over the trained anchors of this run", unset="none")
    predictor: str = _setting(
        "shipped",
        "anchors",
        "What trainings in other spaces teach, a signal beside others once there are anchors: a file that "
        "evonas predictors train  wrote, shipped, or none",
    )
    distillation: str = _setting(
        "none", "anchors", "What anchors imitate of a teacher: none, logits or nst, perhaps with its weight: logits:0.5"
    )
    teacher: str = _setting("largest", "anchors", "The teacher: largest, trained here, or an ONNX file")
    supernet: str | None = _setting(None, "supernet", "Take over the trained supernet of this run", unset="none")
    epochs: int | None = _setting(
        None,
        "supernet",
        "Epochs of supernet training; 0 with published weights alone",
        unset="by the size of the data",
        ge=0,
        le=UNBOUNDED,
    )
    batch_size: Count = _setting(64, "supernet", "Images per step of supernet training")
    lr: float = _setting(0.05, "supernet", "Learning rate of supernet training, falling by a cosine", gt=0, le=10)
    algorithm: str = _setting("nsga2", "search", "Search algorithm", allowed=ALGORITHMS)
    surrogate: bool | None = _setting(
        None,
        "search",
        "Predict expensive objectives and evaluate what promises most",
        unset="where each is a training, and from published weights",
    )
    asynchronous: bool = _setting(False, "search", "Take in each result as it comes, without waiting for a generation")
    baseline: tuple[str, ...] = _setting(
        ("none",),
        "search",
        "What the search is compared with: random, as many evaluations of random architectures; transfer, published "
        "weights frozen and fine-tuned at the same cost, when members are trained; or both, such as random,transfer",
        allowed=BASELINES,
    )
    seed: int = _setting(0, "search", "Of everything random", ge=0, le=2**31 - 1)
    latency_table: str | None = _setting(
        None, "where it runs", "A latency table measured on another device", unset="measured here"
    )
    threads: Count = _setting(1, "where it runs", "Threads of one evaluation and of training")
    device: str = _setting("auto", "where it runs", "Where torch computes: auto, cpu, cuda or cuda:N")
    workers: int = _setting(
        1, "where it runs", "Processes that evaluate at a time; results are the same", ge=1, le=10**5
    )
    engine: Literal["local", "ray"] = _setting(
        "local", "where it runs", "Where expensive evaluations run: here, or on a Ray cluster", allowed=("local", "ray")
    )
    address: str | None = _setting(
        None, "where it runs", "Of the Ray cluster", unset="RAY_ADDRESS, else one on this machine"
    )
    timeout: str | None = _setting(
        None, "where it runs", "An evaluation that takes longer, such as 10m, has failed", unset="none"
    )

    @field_validator("objectives", "constraint", "table", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("anchor_epochs")
    @classmethod
    def _rising(cls, value: str | None) -> str | None:
        if value is not None:
            parse_levels(value)
        return value

    @field_validator("corruptions", mode="before")
    @classmethod
    def _kinds(cls, value: Any) -> Any:
        texts = (value,) if isinstance(value, str) else value
        names = tuple(part.strip() for text in texts for part in str(text).split(",") if part.strip())
        try:
            kinds_of(names or ("all",))
        except SettingsError as error:
            raise ValueError(str(error)) from None
        return names

    @field_validator("resolution", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        return None if value is None else parse_size(value)

    @field_validator("resolutions", mode="before")
    @classmethod
    def _sides(cls, value: Any) -> Any:
        texts = (value,) if isinstance(value, str | int) else value
        parts = [part.strip() for text in texts for part in str(text).split(",")]
        for part in parts:
            if not part.isdecimal() or not 1 <= int(part) <= 4096:
                raise ValueError(f"expected sides in pixels of 1 to 4096, such as 64,96,128, got '{part}'")
        return tuple(dict.fromkeys(map(int, parts)))

    @field_validator("baseline", mode="before")
    @classmethod
    def _baselines(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return ("random",) if value else ("none",)
        texts = (value,) if isinstance(value, str) else value
        names = tuple(name.strip() for text in texts for name in str(text).split(","))
        for name in names:
            if name not in BASELINES:
                raise ValueError(f"expected some of {', '.join(BASELINES)}, got '{name}'.{suggest(name, BASELINES)}")
        return tuple(name for name in dict.fromkeys(names) if name != "none") or ("none",)

    @field_validator("max_skipped")
    @classmethod
    def _share(cls, value: str) -> str:
        parse_share(value)
        return value

    @field_validator("time", "timeout")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_time(value)
        return value

    @field_validator("asynchronous")
    @classmethod
    def _in_rounds(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("surrogate"):
            raise ValueError("predictors choose whole rounds: leave out either asynchronous or surrogate")
        return value

    def with_metric(self, usual: str) -> Settings:
        """Return settings that, unless they name objectives, optimize the metric that is asked for, or else the usual.

        Args:
            usual: Objective that the task's primary measure is.
        """
        if "objectives" in self.model_fields_set:
            return self
        first = "acc" if self.metric == "accuracy" else self.metric or usual
        return self.model_copy(update={"objectives": (first, "flops")})

    def content(self) -> dict[str, Any]:
        """Return the settings that are set, as TOML holds them: by the names of the command line's options."""
        content = self.model_dump(exclude_none=True)
        return {
            key.replace("_", "-"): list(value) if isinstance(value, tuple) else value for key, value in content.items()
        }


def make_settings(file: str | Path | None = None, **given: Any) -> Settings:
    """Return settings: defaults, then a TOML file's, then those given.

    Args:
        file: A TOML file with some settings, or the name of a configuration that ships, see `evonas.configs`.
        **given: Settings by name; None means not given.

    Raises:
        SettingsError: Unreadable file, unknown name, or a value that makes no sense.
    """
    content: dict[str, Any] = {}
    if file is not None:
        content = _read_settings(file)
    content |= {name: value for name, value in given.items() if value is not None}
    content = {name.replace("-", "_"): value for name, value in content.items()}
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        known = [field.replace("_", "-") for field in Settings.model_fields]
        if first["type"] == "extra_forbidden":
            name = name.replace("_", "-")
            message = f"Unknown setting '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
        else:
            message = f"Setting '{name.replace('_', '-')}': {word_error(first)}"
        raise SettingsError(f"{file}: {message}" if file is not None else message) from None


def _read_settings(file: str | Path) -> dict[str, Any]:
    text = str(file)
    if text in named_configs():
        return dict(load_config(text).settings)
    if Path(text).suffix or Path(text).exists():
        return read_toml(Path(text), "the settings")
    return dict(load_config(text).settings)  # says which names there are


WHERE = ("engine", "address", "workers", "timeout")
"""Settings of where evaluations run; no result depends on them."""


def move_settings(settings: Settings, **given: Any) -> Settings:
    """Return settings that name another engine or device for evaluations.

    Args:
        settings: Those of a run.
        **given: Some of `WHERE`; None means as before.

    Raises:
        SettingsError: Another setting, which a run cannot change, or a value that makes no sense.
    """
    for name in given:
        if name not in WHERE:
            raise SettingsError(f"A run cannot change '{name}': expected some of {', '.join(WHERE)}")
    return make_settings(**settings.content() | {name: value for name, value in given.items() if value is not None})
