"""The settings of a search: validated, read from TOML and the command line, written to a run's ``run.toml``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from evonas.errors import SettingsError, suggest

Count = Annotated[int, Field(ge=1, le=10**9)]


class Settings(BaseModel):
    """Everything that shapes a search; each has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objectives: tuple[str, ...] = Field(("acc", "flops"), description="what is optimized, in this order")
    constraints: tuple[str, ...] = Field((), description="bounds such as flops<=20e6")
    space: str = Field("darts", description="a shipped space's name or the path of a TOML file")
    skeleton: str | None = Field(None, description="the frame architectures are hung in; default: small")
    data: str | None = Field(None, description="digits (default), an .npz file, a folder of images, a hub name")
    table: tuple[str, ...] = Field((), description="CSVs of measured truth whose columns are objectives")
    resolution: int | None = Field(None, ge=1, le=4096, description="side of the images; default: the data's")
    train_limit: Count | None = Field(None, description="use that many training images")
    validation: float = Field(0.4, gt=0, lt=1, description="share of training data that accuracy is read on")
    sharing: str = Field("disturbance-immune", description="update rule of the supernet")
    supernet: str | None = Field(None, description="a run whose trained supernet is taken over")
    sampling: str = Field("choice", description="how paths are drawn in supernet training")
    estimator: str = Field("supernet", description="what estimates accuracy: supernet, supernet:NAME, train:EPOCHS")
    epochs: Count | None = Field(None, description="of supernet training; default: by the size of the data")
    batch_size: Count = Field(64, description="images per step of supernet training")
    lr: float = Field(0.05, gt=0, le=10, description="learning rate of supernet training, falling by a cosine")
    warm_start: int = Field(500, ge=0, le=10**6, description="architectures scored by SWAP before the search")
    algorithm: str = Field("nsga2", description="search algorithm")
    surrogate: bool | None = Field(None, description="predict dear objectives; default: where one takes over 1 s")
    population: int = Field(40, ge=2, le=10**5, description="members of a generation")
    generations: Count = Field(30, description="generations, the first population included")
    time: str | None = Field(None, description="a budget such as 30m that is divided over the steps")
    baseline: bool = Field(False, description="spend as many evaluations on random architectures as well")
    latency_table: str | None = Field(None, description="a latency table measured on another device")
    seed: int = Field(0, ge=0, lt=2**31, description="of everything random")
    threads: Count = Field(1, description="threads of one evaluation and of training")
    device: str = Field("auto", description="auto, cpu or cuda")
    engine: Literal["local", "ray"] = Field("local", description="where dear evaluations run: here, or on Ray")
    address: str | None = Field(None, description="of the Ray cluster; default: RAY_ADDRESS, else one on this machine")
    workers: int = Field(1, ge=1, le=10**5, description="processes that evaluate at a time; results are the same")
    asynchronous: bool = Field(False, description="tell each result as it comes, without waiting for a generation")
    timeout: str | None = Field(None, description="an evaluation that takes longer, such as 10m, has failed")

    @field_validator("objectives", "constraints", "table", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

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

    def content(self) -> dict[str, Any]:
        """Return the settings that are set, as TOML holds them."""
        content = self.model_dump(exclude_none=True)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}


def parse_time(text: str) -> float:
    """Return the seconds in a duration such as ``90s``, ``30m``, ``1.5h`` or ``1h30m``.

    Raises:
        SettingsError: No duration, or none above 0.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    seconds = sum(float(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text.strip() or seconds <= 0:
        raise SettingsError(f"A time is a duration such as 90s, 30m or 1h30m, got '{text}'")
    return seconds


def make_settings(file: str | Path | None = None, **given: Any) -> Settings:
    """Return settings: defaults, then a TOML file's, then those given.

    Args:
        file: A TOML file with some settings.
        **given: Settings by name; None means not given.

    Raises:
        SettingsError: Unreadable file, unknown name, or a value that makes no sense.
    """
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(Path(file).read_text())
        except OSError as error:
            raise SettingsError(f"Cannot read the settings {file}: {error.strerror or error}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} is not TOML: {error}") from None
    content |= {name: value for name, value in given.items() if value is not None}
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        known = list(Settings.model_fields)
        if first["type"] == "extra_forbidden":
            message = f"Unknown setting '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
        else:
            reason = first["msg"].removeprefix("Value error, ")
            came = "" if first["type"] == "value_error" else f", got {first['input']!r:.60}"
            message = f"Setting '{name.replace('_', '-')}': {reason}{came}"
        raise SettingsError(f"{file}: {message}" if file is not None else message) from None


WHERE = ("engine", "address", "workers", "timeout")
"""Settings of where evaluations run; no result depends on them."""


def move_settings(settings: Settings, **given: Any) -> Settings:
    """Return settings that say another place for evaluations to run.

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
