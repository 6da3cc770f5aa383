"""The schema of a stage space's TOML file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evonas.spaces.definition import Activation, Count, Counts, File, Name, Names, Odd, Odds, Strict, Stride


class CandidateTable(Strict):
    """``[operations.NAME]`` of a stage space: one candidate of a block."""

    kind: Literal["mbconv", "identity"]
    kernel: Odd = 3
    expand: Count = 1
    groups: Literal[1, 2, 4, 8] = 1
    """Groups of the two 1x1 convolutions; where more than 1, channels are shuffled before the depthwise one."""
    bias: bool = False
    """Whether the block's convolutions carry a bias."""
    activation: bool = False
    """Whether an identity ends in the stage's activation where the shape changes and it is a convolution."""
    se: bool = False
    """Whether the block carries squeeze-and-excitation, also where its stage does not say so."""
    code: Annotated[str, Field(pattern=r"^[0-9a-z]$")] | None = None
    """The one character that stands for it in form = "digits"."""


class StemTable(Strict):
    """``[stem]``: convolution, norm, activation."""

    channels: int = Field(ge=1, le=1024)
    kernel: Odd = 3
    stride: Stride = 2
    activation: Activation = "relu"
    bias: bool = False
    scaled: bool = True
    """Whether a skeleton's width multiplies its channels."""


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
    ordered: bool = False
    """Whether candidates are listed by size, so that neighbors are alike; sizes such as kernels need not say so."""
    uniform: bool = False
    """Whether all blocks of the stage run one operation, a choice of the stage."""
    activation: Activation = "relu"
    se: bool = False
    """Whether blocks carry squeeze-and-excitation."""

    @model_validator(mode="after")
    def _options(self) -> StageTable:
        if bool(self.kernel) != bool(self.expand) or bool(self.kernel) == bool(self.operations):
            raise ValueError("expected either 'kernel' and 'expand', or 'operations'")
        if self.first and not self.operations:
            raise ValueError("first: belongs to 'operations'")
        if self.uniform and (self.first or not self.operations):
            raise ValueError("uniform: belongs to 'operations' that all blocks of the stage have")
        if self.ordered and not self.operations:
            raise ValueError("ordered: belongs to 'operations'; kernels, expansions and depths are ordered as listed")
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
    bias: bool = False
    """Whether the 1x1 convolution carries a bias."""
    scaled: bool = True
    """Whether a skeleton's width multiplies its features."""


class StageFile(File):
    """A space of the stage family."""

    family: Literal["stage"]
    norm_eps: float = Field(default=1e-5, gt=0, le=0.1)
    squeeze: Literal["expanded", "input"] = "expanded"
    """What squeeze-and-excitation squeezes to a quarter of: a block's channels after its expansion, or before."""
    padding: Literal["symmetric", "same"] = "symmetric"
    """Of convolutions: half the kernel on all sides, or TensorFlow's "same", which depends on the image's size."""
    stem: StemTable
    stages: Annotated[tuple[StageTable, ...], Field(min_length=1, max_length=16, strict=False)]
    head: HeadTable
    operations: dict[Name, CandidateTable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> StageFile:
        for i, stage in enumerate(self.stages):
            for name in (*stage.operations, *stage.first):
                if name not in self.operations:
                    raise ValueError(f"stages.{i}: no [operations.{name}] in this file")
        if self.squeeze == "input" and any(stage.kernel and stage.se for stage in self.stages):
            raise ValueError(
                "squeeze: 'input' belongs to 'operations', blocks of 'kernel' and 'expand' have 'expanded'"
            )
        self._skeletons_hold_no("stage", "channels", "cells", "stem", "apart")
        for name, skeleton in self.skeletons.items():
            if skeleton.strides and len(skeleton.strides) != 1 + len(self.stages):
                raise ValueError(
                    f"skeletons.{name}.strides: expected {1 + len(self.stages)} (stem and stages), "
                    f"got {len(skeleton.strides)}"
                )
            if skeleton.blocks:
                self._check_blocks(name, skeleton.blocks)
        self._form_says_all()
        return self

    def _check_blocks(self, name: str, blocks: tuple[int, ...]) -> None:
        if len(blocks) != len(self.stages):
            raise ValueError(f"skeletons.{name}.blocks: expected {len(self.stages)}, one per stage, got {len(blocks)}")
        for i, (most, stage) in enumerate(zip(blocks, self.stages, strict=True)):
            if most not in (stage.depth or (stage.blocks,)):
                raise ValueError(
                    f"skeletons.{name}.blocks: stage {i} has a depth of {stage.depth or (stage.blocks,)}, got {most}"
                )

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
        elif self.form == "stages":
            self._stages_say_all(free)
        elif self.form != "blocks":
            expected = "'blocks', 'digits', 'lists' or 'stages'"
            raise ValueError(f"form: expected {expected} in a stage space, got '{self.form}'")

    def _stages_say_all(self, free: list[StageTable]) -> None:
        if self.resolutions or not all(stage.uniform for stage in free):
            raise ValueError("form: 'stages' holds one operation and a depth for each stage: uniform = true")
        for stage in free:
            tables = [self.operations[name] for name in stage.operations]
            said = {(table.kernel, table.expand, table.se) for table in tables}
            if len(said) < len(tables) or any(t.kind != "mbconv" or t.groups > 1 or t.bias for t in tables):
                raise ValueError("form: 'stages' distinguishes operations by kernel, expansion and squeeze alone")
