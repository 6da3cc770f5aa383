"""One cell of a network, and its slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from evonas.networks.network import Slot
from evonas.networks.operations import ReLUConvNorm, operation
from evonas.networks.wiring import Wiring, weights_key
from evonas.spaces import CellSpace
from evonas.spaces.path import ON, EdgeDecision, InputDecision, OutputDecision


class EdgeSlot(Slot):
    """The operations of an edge; a stand-alone network has one for each time that its node applies it.

    Args:
        decision: See `Slot`.
        operations: Option and repeat to the operation.

    Attributes:
        repeated: Key of each operation applied again to its option, whose key its weights have in the supernet.
    """

    def __init__(self, decision: EdgeDecision, operations: Mapping[tuple[str, int], nn.Module]) -> None:
        super().__init__(decision, {weights_key(*which): module for which, module in operations.items()})
        self.repeated = {weights_key(option, repeat): option for option, repeat in operations if repeat}


class InputSlot(Slot):
    """The preprocessing of a cell's input, or the classifier: one module, whose input width may be a choice.

    Args:
        decision: See `Slot`.
        module: What runs.
        widths: Option to channels read, where the path chooses them.
    """

    def __init__(
        self, decision: InputDecision | OutputDecision, module: nn.Module, widths: dict[str, int] | None = None
    ) -> None:
        super().__init__(decision, {ON: module})
        self.widths = widths or {}

    @property
    def options(self) -> tuple[str, ...]:
        """Options that this slot can run."""
        return tuple(self.widths) or (ON,)

    def forward(self, x: Tensor) -> Tensor:
        """Run the module on an input of any of its widths."""
        out: Tensor = self[ON](x)
        return out

    def module_of(self, option: str) -> nn.Module:
        """Return the one module there is."""
        return self[ON]

    def run(self, x: Tensor, option: str) -> Tensor:
        """Run the module, which distinguishes options by the input's width."""
        return self.forward(x)

    def input_shape(self, option: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape with as many channels as the option reads."""
        return (shape[0], self.widths[option], *shape[2:]) if self.widths else shape

    def plain(self, module: nn.Module, shape: tuple[int, ...], arguments: tuple[int, ...]) -> nn.Module:
        """Return a module of the input's width; see `Slot.plain`."""
        return _plain(module, shape[1]) if self.widths else module

    def sort(self, key: str) -> str:
        """Return ``input``; the classifier always runs."""
        return "input" if isinstance(self.decision, InputDecision) else "always"

    def candidate(self, option: str) -> nn.Module:
        """Return the stand-alone module of an option: same values, only the columns it reads."""
        if option not in self.widths:
            return self[ON]
        return _plain(self[ON], self.widths[option])


class CellModule(nn.Module):
    """One cell.

    Args:
        space: Space of the network.
        kind: Kind of the cell.
        channels: Channels of every node.
        reduction: Whether edges from the cell's inputs have stride 2.
        inputs: One slot or identity per input.
        filling: Wiring of a stand-alone network's cell, or None for all candidates.
        c_in: Channels of the inputs where no preprocessing makes them those of the nodes; None: it does.
    """

    def __init__(
        self,
        space: CellSpace,
        kind: str,
        channels: int,
        reduction: bool,
        inputs: Iterable[nn.Module],
        filling: Wiring | None,
        c_in: int | None = None,
    ) -> None:
        super().__init__()
        table = space.definition.cell
        self.kind, self.channels, self.reduction = kind, channels, reduction
        self.n_inputs, self.nodes = table.inputs, table.nodes
        self.outputs = table.outputs
        self.inputs = nn.ModuleList(inputs)
        self.edges = nn.ModuleDict()
        for node in range(self.n_inputs, self.n_inputs + table.nodes):
            for source in range(node):
                outer = source < self.n_inputs
                stride, read = (2 if reduction and outer else 1), (c_in if outer else None)
                tables = space.definition.operations
                if filling is None:
                    options = [name for name, table in tables.items() if table.kind != "none"]
                else:
                    options = [one.option for one in filling.nodes.get(node, []) if one.source == source]
                if options:
                    self.edges[f"{node}_{source}"] = EdgeSlot(
                        EdgeDecision(kind, node, source),
                        {
                            (option, options[:i].count(option)): operation(tables[option], channels, stride, read)
                            for i, option in enumerate(options)
                        },
                    )

    def branches(self) -> Iterator[nn.Module]:
        """Yield the operations of all edges but identities."""
        for slot in self.edges.children():
            yield from (edge for edge in slot.children() if not isinstance(edge, nn.Identity))

    def forward(
        self, images: list[Tensor | None], wiring: Wiring, zeros: Callable[[], Tensor]
    ) -> tuple[Tensor | None, ...]:
        """Return the cell's outputs: one concatenation, or a sum and a concatenation; None where nothing reads it.

        Args:
            images: One tensor per input; None where nothing reads it.
            wiring: What to run.
            zeros: Makes what a node without inputs puts out.
        """
        values: dict[int, Tensor] = {}
        for number, (module, x) in enumerate(zip(self.inputs, images, strict=True)):
            if number in wiring.inputs:
                values[number] = module(x)
        last = self.n_inputs + self.nodes
        for node in range(self.n_inputs, last):
            applied = wiring.nodes.get(node)
            if not applied:
                continue
            total: Tensor | None = None
            for source, option, key in applied:
                slot = cast(Slot, self.edges[f"{node}_{source}"])
                if source not in values:  # a node that reads nothing is zero
                    values[source] = zeros()
                value = (slot[key] if key in slot else slot[option])(values[source])
                total = value if total is None else total + value
            if total is not None:
                values[node] = total
        if self.outputs == "last":
            groups: list[list[int]] = [[last - 1]]
        elif self.outputs == "all":
            groups = [list(range(self.n_inputs, last))]
        else:
            groups = [wiring.sums, wiring.concats]
        for group in groups:
            for source in group:
                if source not in values:
                    values[source] = zeros()
        outputs: list[Tensor | None] = []
        for join, group in zip((_sum, _concat)[-len(groups) :], groups, strict=True):
            outputs.append(join([values[source] for source in group]) if group else None)
        return tuple(outputs)


def _sum(values: list[Tensor]) -> Tensor:
    return sum(values[1:], values[0])


def _concat(values: list[Tensor]) -> Tensor:
    return values[0] if len(values) == 1 else torch.cat(values, dim=1)


@torch.no_grad()
def _plain(module: nn.Module, width: int) -> nn.Module:
    """Return a copy of a preprocessing or classifier that reads the first `width` channels only."""
    if isinstance(module, nn.Linear):
        linear = nn.Linear(width, module.out_features)
        linear.weight.copy_(module.weight[:, :width])
        linear.bias.copy_(module.bias)
        return linear.train(module.training)
    _, conv, norm = cast(ReLUConvNorm, module)
    kernel = cast(nn.Conv2d, conv)
    plain = ReLUConvNorm(width, kernel.out_channels)
    cast(nn.Conv2d, plain[1]).weight.copy_(kernel.weight[:, :width])
    plain[2].load_state_dict(norm.state_dict())
    return plain.train(module.training)
