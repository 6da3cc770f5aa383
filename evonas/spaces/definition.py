"""The schema of a space's TOML file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
Odd = Annotated[int, Field(ge=1, le=15, multiple_of=1)]
Activation = Literal["relu", "relu6", "hard_swish", "silu", "gelu"]


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
    strides: Annotated[tuple[Annotated[int, Field(ge=1, le=4)], ...], Field(strict=False)] | None = None


class File(Strict):
    """What every space's file says."""

    name: Name
    source: str
    """Where the definition comes from: paper and code."""
    counts: str
    """What the size counts, in words."""
    form: Literal["genotype", "nasbench201", "discretized", "digits", "lists", "blocks"]
    """Text form of an architecture."""
    resolutions: Annotated[tuple[Annotated[int, Field(ge=8, le=1024)], ...], Field(strict=False)] = ()
    """Input resolutions to choose from; empty: the skeleton's."""
    skeletons: dict[Name, SkeletonTable]

    @model_validator(mode="after")
    def _has_small_and_proxy(self) -> File:
        missing = {"small", "proxy"} - set(self.skeletons)
        if missing:
            raise ValueError(f"skeletons: expected at least 'small' and 'proxy', missing {sorted(missing)}")
        return self


# ---------------------------------------------------------------------------------------------- cell family


class OperationTable(Strict):
    """``[operations.NAME]`` of a cell space: one candidate of an edge."""

    kind: Literal["none", "skip", "max_pool", "avg_pool", "separable", "depthwise", "conv"]
    kernel: Odd = 3
    dilation: int = Field(default=1, ge=1, le=4)
    repeats: int = Field(default=1, ge=1, le=4)
    norm: bool = False
    """Whether pooling is followed by a norm without affine parameters."""

    @model_validator(mode="after")
    def _odd(self) -> OperationTable:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd number, got {self.kernel}")
        return self


class CellTable(Strict):
    """``[cell]``: what a cell is and how cells are chained."""

    kinds: Annotated[tuple[Name, ...], Field(min_length=1, max_length=2, strict=False)]
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
        inputs = {"previous": 2, "streams": 2, "stages": 1}[self.chain]
        if self.inputs != inputs:
            raise ValueError(f"inputs: chain '{self.chain}' has {inputs} inputs, got {self.inputs}")
        if (self.outputs == "learned") != (self.chain == "streams"):
            raise ValueError("outputs: 'learned' belongs to chain = 'streams', and only to it")
        if self.wiring == "distinct" and self.kept > self.inputs:
            raise ValueError(
                f"kept: the first node reads {self.inputs} places, it cannot keep {self.kept} different ones"
            )
        if len(self.kinds) != (1 if self.chain == "stages" else 2):
            raise ValueError(f"kinds: chain '{self.chain}' has {1 if self.chain == 'stages' else 2} kinds")
        return self


class CellFile(File):
    """A space of the cell family."""

    family: Literal["cell"]
    cell: CellTable
    operations: Annotated[dict[Name, OperationTable], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _form_fits(self) -> CellFile:
        forms = {"distinct": "genotype", "open": "genotype", "joint": "discretized", "dense": "nasbench201"}
        if self.form != forms[self.cell.wiring]:
            raise ValueError(
                f"form: wiring '{self.cell.wiring}' is written as '{forms[self.cell.wiring]}', got '{self.form}'"
            )
        if self.cell.wiring == "joint" and self.cell.kept > self.cell.inputs * len(self.operations):
            raise ValueError("cell.kept: more than the first node's (operation, place) pairs")
        if self.resolutions:
            raise ValueError("resolutions: cell spaces have none")
        return self


# --------------------------------------------------------------------------------------------- stage family


class CandidateTable(Strict):
    """``[operations.NAME]`` of a stage space: one candidate of a block."""

    kind: Literal["mbconv", "identity"]
    kernel: Odd = 3
    expand: int = Field(default=1, ge=1, le=16)
    groups: int = Field(default=1, ge=1, le=8)
    """Groups of the two 1x1 convolutions, with a channel shuffle between them where more than 1."""
    code: Annotated[str, Field(pattern=r"^[0-9a-z]$")] | None = None
    """The one character that stands for it in form = "digits"."""

    @model_validator(mode="after")
    def _odd(self) -> CandidateTable:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd number, got {self.kernel}")
        return self


class StemTable(Strict):
    """``[stem]``: convolution, norm, activation."""

    channels: int = Field(ge=1, le=1024)
    kernel: Odd = 3
    stride: int = Field(default=2, ge=1, le=4)
    activation: Activation = "relu"


class StageTable(Strict):
    """``[[stages]]``: blocks of one width; the first carries the stride and the change of width."""

    width: int = Field(ge=1, le=4096)
    stride: int = Field(default=1, ge=1, le=4)
    blocks: int = Field(default=1, ge=1, le=16)
    depth: Annotated[tuple[Annotated[int, Field(ge=1, le=16)], ...], Field(strict=False)] = ()
    """How many blocks may run; empty: all."""
    kernel: Annotated[tuple[Odd, ...], Field(strict=False)] = ()
    """Elastic kernels; with `expand` they are the options of a block, sharing one weight."""
    expand: Annotated[tuple[Annotated[int, Field(ge=1, le=16)], ...], Field(strict=False)] = ()
    operations: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Candidates of a block, each with weights of its own; instead of `kernel` and `expand`."""
    first: Annotated[tuple[Name, ...], Field(strict=False)] = ()
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
        if any(depth > self.blocks for depth in self.depth):
            raise ValueError(f"depth: at most the stage's {self.blocks} blocks, got {list(self.depth)}")
        for name, values in (("depth", self.depth), ("kernel", self.kernel), ("expand", self.expand),
                             ("operations", self.operations), ("first", self.first)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: an option stands twice in {list(values)}")
        if any(kernel % 2 == 0 for kernel in self.kernel):
            raise ValueError(f"kernel: expected odd numbers, got {list(self.kernel)}")
        return self


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
    def _known_operations(self) -> StageFile:
        for i, stage in enumerate(self.stages):
            for name in (*stage.operations, *stage.first):
                if name not in self.operations:
                    raise ValueError(f"stages.{i}: no [operations.{name}] in this file")
        for name, skeleton in self.skeletons.items():
            if skeleton.strides and len(skeleton.strides) != 1 + len(self.stages):
                raise ValueError(
                    f"skeletons.{name}.strides: expected {1 + len(self.stages)} (stem and stages), "
                    f"got {len(skeleton.strides)}"
                )
        if self.form == "digits" and any(table.code is None for table in self.operations.values()):
            raise ValueError("operations: form = 'digits' needs a 'code' for each")
        if self.form in ("genotype", "nasbench201", "discretized"):
            raise ValueError(f"form: '{self.form}' is a cell space's")
        return self


SpaceFile = CellFile | StageFile
