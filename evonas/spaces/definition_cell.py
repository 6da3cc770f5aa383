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
        self._skeletons_hold_no("cell", "width", "strides", "features", "blocks", "norm_eps")
        for name, skeleton in self.skeletons.items():
            if skeleton.apart and (cell.chain == "stages" or len(skeleton.apart) != len(cell.kinds)):
                raise ValueError(
                    f"skeletons.{name}.apart: expected channels for each kind of cell of a chain, {list(cell.kinds)}, "
                    f"got {list(skeleton.apart)}"
                )
        return self
