"""Schema of the TOML files of all spaces, as far as the families share it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from evonas.files.size import Size, parse_size


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError(f"an option stands twice in {list(values)}")
    return values


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"expected an odd number, got {value}")
    return value


# Single underscores alone: a double one marks the weights of an operation that a node applies again.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(_[A-Za-z0-9]+)*$", max_length=40)]
Odd = Annotated[int, Field(ge=1, le=15), AfterValidator(_odd)]
Count = Annotated[int, Field(ge=1, le=16)]
Stride = Annotated[int, Field(ge=1, le=4)]
Side = Annotated[int, Field(ge=8, le=1024)]
Activation = Literal["relu", "relu6", "hard_swish", "silu", "gelu"]
# TOML's arrays are lists; strict schemas take tuples only.
Names = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(_distinct)]
Odds = Annotated[tuple[Odd, ...], Field(strict=False), AfterValidator(_distinct)]
Counts = Annotated[tuple[Count, ...], Field(strict=False), AfterValidator(_distinct)]
Sides = Annotated[tuple[Side, ...], Field(strict=False), AfterValidator(_distinct)]
Strides = Annotated[tuple[Stride, ...], Field(strict=False)]
Blocks = Annotated[tuple[Count, ...], Field(strict=False)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(strict=False)]


class Strict(BaseModel):
    """A table of the file: unknown keys are errors, types are not coerced, instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


ImageSize = Annotated[Size, BeforeValidator(parse_size)]


class SkeletonTable(Strict):
    """``[skeletons.NAME]``: fields of `evonas.spaces.Skeleton`."""

    resolution: ImageSize
    in_channels: int = Field(default=3, ge=1, le=512)
    classes: int = Field(default=10, ge=1, le=1_000_000)
    channels: int | None = Field(default=None, ge=1, le=4096)
    cells: int | None = Field(default=None, ge=1, le=200)
    stem: Literal["conv", "imagenet", "none"] | None = None
    head: bool | None = None
    apart: Widths | None = None
    width: float | None = Field(default=None, gt=0, le=16)
    strides: Strides | None = None
    features: int | None = Field(default=None, ge=1, le=8192)
    blocks: Blocks | None = None
    norm_eps: float | None = Field(default=None, gt=0, le=0.1)


class File(Strict):
    """Content of every space's file."""

    name: Name
    family: Literal["cell", "stage"]
    source: str
    """Where the definition comes from: paper and code."""
    counts: str
    """What the size counts, in words."""
    form: Literal["genotype", "nasbench201", "transnas", "discretized", "digits", "lists", "blocks", "stages"]
    """Text form of an architecture."""
    resolutions: Sides = ()
    """Input resolutions to choose from as a choice of the space; empty: the skeleton's."""
    search_resolutions: Sides = ()
    """Input resolutions that a search may choose among for each candidate, as a gene of the search."""
    skeletons: dict[Name, SkeletonTable]

    @model_validator(mode="after")
    def _has_small_and_proxy(self) -> File:
        missing = {"small", "proxy"} - set(self.skeletons)
        if missing:
            raise ValueError(f"skeletons: expected at least 'small' and 'proxy', missing {sorted(missing)}")
        return self

    def _skeletons_hold_no(self, family: str, *fields: str) -> None:
        for name, skeleton in self.skeletons.items():
            for field in fields:
                if getattr(skeleton, field) is not None:
                    raise ValueError(f"skeletons.{name}.{field}: {family} spaces have none")
