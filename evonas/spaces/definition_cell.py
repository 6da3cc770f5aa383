"""The schema of a cell space's TOML file."""

from __future__ import annotations

from keyword import iskeyword
from typing import Annotated, Literal

from pydantic import Field, model_validator

from evonas.spaces.definition import File, Name, Names, Odd, Strict


class OperationTable(Strict):
    """``[operations.NAME]`` of a cell space: one candidate of an edge."""

    kind: Literal["none", "skip", "max_pool", "avg_pool", "separable", "depthwise", "conv"]
    kernel: Odd = 3
    dilation: int = Field(default=1, ge=1, le=4)
    repeats: int = Field(default=1, ge=1, le=4)
    norm: bool = False
    """Whether pooling is followed by a norm without affine parameters."""


SHAPES = {"previous": (2, 2), "streams": (2, 2), "stages": (1, 1), "modules": (1, 1)}
"""Inputs of a cell and kinds of cells, by the way that cells are chained."""
TRANSNAS = {"none": ("none", 3), "skip_connect": ("skip", 3), "nor_conv_1x1": ("conv", 1), "nor_conv_3x3": ("conv", 3)}
"""Operations, their kinds and kernels, that the digits of form = "transnas" stand for, in their order."""


class CellTable(Strict):
    """``[cell]``: what a cell is and how cells are chained."""

    kinds: Annotated[Names, Field(min_length=1, max_length=2)]
    """Kinds of cell searched: one, or the normal one and the reduction."""
    nodes: int = Field(ge=1, le=8)
    inputs: int = Field(ge=1, le=2)
    wiring: Literal["distinct", "open", "joint", "dense"]
    """How a node reads: `kept` operations from different sources (distinct), from any sources (open), `kept`
    different (operation, source) pairs (joint), or one operation from every earlier source (dense)."""
    kept: int = Field(default=2, ge=1, le=4)
    outputs: Literal["all", "last", "learned"]
    """What leaves the cell: all nodes concatenated, the last node, or a chosen sum and a chosen concat."""
    chain: Literal["previous", "streams", "stages", "modules"]
    """What a cell reads: the previous two cells, the two outputs of the previous cell, the previous cell in a stage, or
    the previous cell in a module, whose first cell carries its changes of width and resolution."""
    modules: Annotated[str, Field(pattern=r"^[1-4]{1,12}$")] | None = None
    """What each module of chain = "modules" changes, a digit each: 1 nothing, 2 doubles the channels, 3 halves the
    image, 4 both."""

    @model_validator(mode="after")
    def _fits(self) -> CellTable:
        inputs, kinds = SHAPES[self.chain]
        if self.inputs != inputs:
            raise ValueError(f"inputs: chain '{self.chain}' has {inputs} inputs, got {self.inputs}")
        if len(self.kinds) != kinds:
            raise ValueError(f"kinds: chain '{self.chain}' has {kinds}, got {list(self.kinds)}")
        if (self.modules is None) == (self.chain == "modules"):
            raise ValueError("modules: belongs to chain = 'modules', and only to it")
        for kind in self.kinds:
            if not kind.isidentifier() or iskeyword(kind) or kind == "output":
                raise ValueError(f"kinds: expected words such as 'normal' and 'reduce', got '{kind}'")
        if (self.outputs == "learned") != (self.chain == "streams"):
            raise ValueError("outputs: 'learned' belongs to chain = 'streams', and only to it")
        if self.wiring == "distinct" and self.kept > self.inputs:
            raise ValueError(
                f"kept: the first node reads {self.inputs} sources, it cannot keep {self.kept} different ones"
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
        if self.form != form and not (self.form == "transnas" and cell.chain == "modules"):
            raise ValueError(
                f"form: wiring '{cell.wiring}' with outputs '{cell.outputs}' is written as '{form}', got '{self.form}'"
            )
        if form == "nasbench201" and (cell.chain not in ("stages", "modules") or cell.outputs != "last"):
            raise ValueError("cell.wiring: 'dense' goes with chain = 'stages' or 'modules' and outputs = 'last'")
        if cell.chain == "modules":
            self._modules_fit()
        zeros = [name for name, table in self.operations.items() if table.kind == "none"]
        if len(zeros) > 1:
            raise ValueError(f"operations: expected at most one of kind 'none', got {zeros}")
        if len(zeros) == len(self.operations):
            raise ValueError("operations: expected at least one that is not of kind 'none'")
        if cell.wiring == "joint":
            if zeros:
                raise ValueError("operations: wiring 'joint' keeps pairs that count, it has no 'none'")
            if cell.kept > cell.inputs * len(self.operations):
                raise ValueError("cell.kept: more than the first node's (operation, source) pairs")
        if self.resolutions:
            raise ValueError("resolutions: cell spaces have none")
        self._skeletons_hold_no("cell", "width", "strides", "features", "blocks", "norm_eps")
        for name, skeleton in self.skeletons.items():
            if skeleton.apart and (cell.chain in ("stages", "modules") or len(skeleton.apart) != len(cell.kinds)):
                raise ValueError(
                    f"skeletons.{name}.apart: expected channels for each kind of cell of a chain, {list(cell.kinds)}, "
                    f"got {list(skeleton.apart)}"
                )
        return self

    def _modules_fit(self) -> None:
        """Refuse what modules cannot hold, and a text form that cannot say what the space does."""
        if self.cell.wiring != "dense":
            raise ValueError("cell.chain: 'modules' goes with wiring = 'dense'")
        for name, table in self.operations.items():
            if table.kind not in ("none", "skip", "conv"):
                raise ValueError(f"operations.{name}: modules change the width, which '{table.kind}' cannot")
        if self.form == "transnas" and (
            (self.cell.modules, self.cell.nodes) != ("41414", 3)
            or {name: (table.kind, table.kernel) for name, table in self.operations.items()} != TRANSNAS
        ):
            raise ValueError(
                f"form: 'transnas' writes cells of 3 nodes in modules 41414 with the operations {', '.join(TRANSNAS)}; "
                "other modules are written as 'nasbench201'"
            )
