"""The schema of a space's TOML file."""

from __future__ import annotations

from keyword import iskeyword
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _distinct(values: tuple) -> tuple:
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


class Strict(BaseModel):
    """A table of the file: unknown keys are errors, types are not coerced, instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SkeletonTable(Strict):
    """``[skeletons.NAME]``: fields of `evonas.spaces.Skeleton`."""

    resolution: int = Field(ge=1, le=4096)
    in_channels: int = Field(default=3, ge=1, le=512)
    classes: int = Field(default=10, ge=1, le=1_000_000)
    channels: int | None = Field(default=None, ge=1, le=4096)
    cells: int | None = Field(default=None, ge=1, le=200)
    stem: Literal["conv", "imagenet", "none"] | None = None
    head: bool | None = None
    width: float | None = Field(default=None, gt=0, le=16)
    strides: Strides | None = None


class File(Strict):
    """What every space's file says."""

    name: Name
    source: str
    """Where the definition comes from: paper and code."""
    counts: str
    """What the size counts, in words."""
    form: Literal["genotype", "nasbench201", "discretized", "digits", "lists", "blocks"]
    """Text form of an architecture."""
    resolutions: Sides = ()
    """Input resolutions to choose from; empty: the skeleton's."""
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


# ---------------------------------------------------------------------------------------------- cell family


class OperationTable(Strict):
    """``[operations.NAME]`` of a cell space: one candidate of an edge."""

    kind: Literal["none", "skip", "max_pool", "avg_pool", "separable", "depthwise", "conv"]
    kernel: Odd = 3
    dilation: int = Field(default=1, ge=1, le=4)
    repeats: int = Field(default=1, ge=1, le=4)
    norm: bool = False
    """Whether pooling is followed by a norm without affine parameters."""


class CellTable(Strict):
    """``[cell]``: what a cell is and how cells are chained."""

    kinds: Annotated[Names, Field(min_length=1, max_length=2)]
    """Kinds of cell searched: one, or the normal one and the reduction."""
    nodes: int = Field(ge=1, le=8)
    inputs: int = Field(ge=1, le=2)
    wiring: Literal["distinct", "open", "joint", "dense"]
    """How a node reads: `kept` operations from different places (distinct), from any places (open), `kept`
    different (operation, place) pairs (joint), or one operation from every earlier place (dense)."""
    kept: int = Field(default=2, ge=1, le=4)
    outputs: Literal["all", "last", "learned"]
    """What leaves the cell: all nodes concatenated, the last node, or a chosen sum and a chosen concat."""
    chain: Literal["previous", "streams", "stages"]
    """What a cell reads: the previous two cells, the two outputs of the previous cell, or the previous cell
    in a stage."""

    @model_validator(mode="after")
    def _fits(self) -> CellTable:
        inputs, kinds = {"previous": (2, 2), "streams": (2, 2), "stages": (1, 1)}[self.chain]
        if self.inputs != inputs:
            raise ValueError(f"inputs: chain '{self.chain}' has {inputs} inputs, got {self.inputs}")
        if len(self.kinds) != kinds:
            raise ValueError(f"kinds: chain '{self.chain}' has {kinds}, got {list(self.kinds)}")
        for kind in self.kinds:
            if not kind.isidentifier() or iskeyword(kind) or kind == "output":
                raise ValueError(f"kinds: expected words such as 'normal' and 'reduce', got '{kind}'")
        if (self.outputs == "learned") != (self.chain == "streams"):
            raise ValueError("outputs: 'learned' belongs to chain = 'streams', and only to it")
        if self.wiring == "distinct" and self.kept > self.inputs:
            raise ValueError(
                f"kept: the first node reads {self.inputs} places, it cannot keep {self.kept} different ones"
            )
        return self


class CellFile(File):
    """A space of the cell family."""

    family: Literal["cell"]
    cell: CellTable
    operations: Annotated[dict[Name, OperationTable], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _fits_together(self) -> CellFile:
        cell = self.cell
        if cell.outputs == "learned":
            form = "discretized"
        else:
            form = "nasbench201" if cell.wiring == "dense" else "genotype"
        if self.form != form:
            raise ValueError(
                f"form: wiring '{cell.wiring}' with outputs '{cell.outputs}' is written as '{form}', got '{self.form}'"
            )
        if form == "nasbench201" and (cell.chain, cell.outputs) != ("stages", "last"):
            raise ValueError("cell.wiring: 'dense' goes with chain = 'stages' and outputs = 'last'")
        zeros = [name for name, table in self.operations.items() if table.kind == "none"]
        if len(zeros) > 1:
            raise ValueError(f"operations: expected at most one of kind 'none', got {zeros}")
        if len(zeros) == len(self.operations):
            raise ValueError("operations: expected at least one that is not of kind 'none'")
        if cell.wiring == "joint":
            if zeros:
                raise ValueError("operations: wiring 'joint' keeps pairs that count, it has no 'none'")
            if cell.kept > cell.inputs * len(self.operations):
                raise ValueError("cell.kept: more than the first node's (operation, place) pairs")
        if self.resolutions:
            raise ValueError("resolutions: cell spaces have none")
        self._skeletons_hold_no("cell", "width", "strides")
        return self


# --------------------------------------------------------------------------------------------- stage family


class CandidateTable(Strict):
    """``[operations.NAME]`` of a stage space: one candidate of a block."""

    kind: Literal["mbconv", "identity"]
    kernel: Odd = 3
    expand: Count = 1
    groups: Literal[1, 2, 4, 8] = 1
    """Groups of the two 1x1 convolutions, with a channel shuffle between them where more than 1."""
    pointwise: bool = False
    """Whether the first 1x1 convolution stands also where it expands nothing (expand = 1)."""
    code: Annotated[str, Field(pattern=r"^[0-9a-z]$")] | None = None
    """The one character that stands for it in form = "digits"."""


class StemTable(Strict):
    """``[stem]``: convolution, norm, activation."""

    channels: int = Field(ge=1, le=1024)
    kernel: Odd = 3
    stride: Stride = 2
    activation: Activation = "relu"


class StageTable(Strict):
    """``[[stages]]``: blocks of one width; the first carries the stride and the change of width."""

    width: int = Field(ge=1, le=4096)
    stride: Stride = 1
    blocks: Count = 1
    depth: Counts = ()
    """How many blocks may run; empty: all."""
    kernel: Odds = ()
    """Elastic kernels; with `expand` they are the options of a block, sharing one weight."""
    expand: Counts = ()
    operations: Names = ()
    """Candidates of a block, each with weights of its own; instead of `kernel` and `expand`."""
    first: Names = ()
    """Candidates of the stage's first block where they differ."""
    activation: Activation = "relu"
    se: bool = False
    """Whether blocks carry squeeze-and-excitation."""

    @model_validator(mode="after")
    def _options(self) -> StageTable:
        if bool(self.kernel) != bool(self.expand) or bool(self.kernel) == bool(self.operations):
            raise ValueError("expected either 'kernel' and 'expand', or 'operations'")
        if self.first and not self.operations:
            raise ValueError("first: belongs to 'operations'")
        if self.depth and max(self.depth) != self.blocks:
            raise ValueError(f"depth: its largest is the stage's {self.blocks} blocks, got {list(self.depth)}")
        return self

    def candidates(self, block: int) -> tuple[str, ...]:
        """Return the operations that a block may run; none where it is elastic."""
        return self.first if block == 0 and self.first else self.operations

    @property
    def chooses(self) -> bool:
        """Whether anything about the stage is a choice."""
        return (
            max(len(self.depth), len(self.kernel), len(self.expand)) > 1
            or max(len(self.candidates(block)) for block in range(self.blocks)) > 1
        )


class HeadTable(Strict):
    """``[head]``: 1x1 convolution, norm, activation; pooling; perhaps a hidden layer; classifier."""

    features: int = Field(ge=1, le=8192)
    hidden: int = Field(default=0, ge=0, le=8192)
    activation: Activation = "relu"


class StageFile(File):
    """A space of the stage family."""

    family: Literal["stage"]
    norm_eps: float = Field(default=1e-5, gt=0, le=0.1)
    stem: StemTable
    stages: Annotated[tuple[StageTable, ...], Field(min_length=1, max_length=16, strict=False)]
    head: HeadTable
    operations: dict[Name, CandidateTable] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> StageFile:
        for i, stage in enumerate(self.stages):
            for name in (*stage.operations, *stage.first):
                if name not in self.operations:
                    raise ValueError(f"stages.{i}: no [operations.{name}] in this file")
        self._skeletons_hold_no("stage", "channels", "cells", "stem")
        for name, skeleton in self.skeletons.items():
            if skeleton.strides and len(skeleton.strides) != 1 + len(self.stages):
                raise ValueError(
                    f"skeletons.{name}.strides: expected {1 + len(self.stages)} (stem and stages), "
                    f"got {len(skeleton.strides)}"
                )
        self._form_says_all()
        return self

    def _form_says_all(self) -> None:
        free = [stage for stage in self.stages if stage.chooses]
        if not free and not self.resolutions:
            raise ValueError("stages: expected at least one choice, every stage is fixed")
        if self.form == "digits":
            codes = [table.code for table in self.operations.values()]
            if None in codes or len(set(codes)) != len(codes):
                raise ValueError("operations: form = 'digits' needs a 'code' of its own for each")
            if self.resolutions or any(stage.kernel or len(stage.depth) > 1 for stage in free):
                raise ValueError("form: 'digits' holds operations alone, no kernels, depths or resolutions")
        elif self.form == "lists":
            if any(stage.operations for stage in free):
                raise ValueError("form: 'lists' holds kernels, expansions and depths, no operations")
        elif self.form != "blocks":
            raise ValueError(f"form: expected 'blocks', 'digits' or 'lists' in a stage space, got '{self.form}'")


SpaceFile = CellFile | StageFile
