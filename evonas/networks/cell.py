"""Networks of cell spaces: stems, a chain of cells, pooling, classifier.

References:
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import torch
from torch import Tensor, nn

from evonas.networks.elastic import ElasticConv2d, ElasticLinear
from evonas.networks.network import Network, Slot
from evonas.networks.operations import FactorizedReduce, ReLUConvNorm, operation
from evonas.spaces import Architecture, CellSpace, Path, Skeleton


class Wiring:
    """What one kind of cell runs in a path.

    Attributes:
        nodes: Place of each node to its (source, module key) pairs, the key as in the slot.
        inputs: Inputs that are read.
        sums, concats: Places put out, in spaces with two streams.
    """

    def __init__(self) -> None:
        self.nodes: dict[int, list[tuple[int, str]]] = {}
        self.inputs: set[int] = set()
        self.sums: list[int] = []
        self.concats: list[int] = []


@lru_cache(maxsize=512)
def wirings(path: Path) -> dict[str, Wiring]:
    """Return the wiring of each kind of cell in a path."""
    kinds: dict[str, Wiring] = {}
    for name in path:
        kind, *rest = name.split(".")
        wiring = kinds.setdefault(kind, Wiring())
        if len(rest) == 3 and rest[0] == "input":
            wiring.inputs.add(int(rest[1]))
        elif len(rest) == 3:
            pairs = wiring.nodes.setdefault(int(rest[0]), [])
            source, key = int(rest[1]), rest[2]
            # An operation that a node applies twice to one place has weights for each time.
            repeats = sum(pair[0] == source and pair[1].split("__")[0] == key for pair in pairs)
            pairs.append((source, f"{key}__{repeats}" if repeats else key))
        elif rest and rest[0] in ("sum", "concat"):
            (wiring.sums if rest[0] == "sum" else wiring.concats).append(int(rest[1]))
    return kinds


class InputSlot(Slot):
    """The preprocessing of a cell's input, or the classifier: one module, whose input width may be a choice.

    Args:
        decision: See `Slot`.
        module: What runs.
        widths: Option to channels read, where the path chooses them.
    """

    def __init__(self, decision: str, module: nn.Module, widths: dict[str, int] | None = None) -> None:
        super().__init__(decision, {"on": module})
        self.widths = widths or {}

    @property
    def options(self) -> tuple[str, ...]:
        """Options that this slot can run."""
        return tuple(self.widths) or ("on",)

    def forward(self, x: Tensor) -> Tensor:
        """Run the module on an input of any of its widths."""
        return self["on"](x)

    def candidate(self, option: str) -> nn.Module:
        """Return the stand-alone module of an option: same values, only the columns it reads."""
        if option not in self.widths:
            return self["on"]
        return _plain(self["on"], self.widths[option])


class CellModule(nn.Module):
    """One cell.

    Args:
        space: Space of the network.
        kind: Kind of the cell.
        channels: Channels of every node.
        reduction: Whether edges from the cell's inputs have stride 2.
        inputs: One slot or identity per input.
        filling: Wiring of a stand-alone network's cell, or None for all candidates.
    """

    def __init__(
        self,
        space: CellSpace,
        kind: str,
        channels: int,
        reduction: bool,
        inputs: Iterable[nn.Module],
        filling: Wiring | None,
    ) -> None:
        super().__init__()
        table = space.definition.cell
        self.kind, self.channels, self.reduction = kind, channels, reduction
        self.places, self.nodes = table.inputs, table.nodes
        self.outputs = table.outputs
        self.inputs = nn.ModuleList(inputs)
        self.edges = nn.ModuleDict()
        for node in range(self.places, self.places + table.nodes):
            for source in range(node):
                stride = 2 if reduction and source < self.places else 1
                if filling is None:
                    keys = [name for name, op in space.definition.operations.items() if op.kind != "none"]
                else:
                    keys = [key for place, key in filling.nodes.get(node, []) if place == source]
                if keys:
                    self.edges[f"{node}_{source}"] = Slot(
                        f"{kind}.{node}.{source}",
                        {
                            key: operation(space.definition.operations[key.split("__")[0]], channels, stride)
                            for key in keys
                        },
                    )

    def forward(self, images: list[Tensor], wiring: Wiring) -> tuple[Tensor, ...]:
        """Return the cell's outputs: one concatenation, or a sum and a concatenation.

        Args:
            images: One tensor per input.
            wiring: What to run.
        """
        values: dict[int, Tensor] = {}
        for place, (module, x) in enumerate(zip(self.inputs, images)):
            if place in wiring.inputs:
                values[place] = module(x)
        last = self.places + self.nodes
        for node in range(self.places, last):
            pairs = wiring.nodes.get(node)
            if not pairs:
                continue
            total = None
            for source, key in pairs:
                slot = self.edges[f"{node}_{source}"]
                if source not in values:  # a node that reads nothing is zero
                    values[source] = self._zeros(images[-1])
                value = (slot[key] if key in slot else slot[key.split("__")[0]])(values[source])
                total = value if total is None else total + value
            values[node] = total
        if self.outputs == "last":
            places: list[list[int]] = [[last - 1]]
        elif self.outputs == "all":
            places = [list(range(self.places, last))]
        else:
            places = [wiring.sums, wiring.concats]
        for group in places:
            for place in group:
                if place not in values:
                    values[place] = self._zeros(images[-1])
        concat = [values[place] for place in places[-1]]
        outputs = [concat[0] if len(concat) == 1 else torch.cat(concat, dim=1)]
        if len(places) == 2:
            outputs.insert(0, sum((values[p] for p in places[0][1:]), values[places[0][0]]))
        return tuple(outputs)

    def _zeros(self, like: Tensor) -> Tensor:
        side = -(-like.shape[-1] // 2) if self.reduction else like.shape[-1]
        return like.new_zeros(like.shape[0], self.channels, side, side)


class ResidualReduction(nn.Module):
    """NAS-Bench-201's block between stages: two 3x3 convolutions, the first with stride 2, and a shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = ReLUConvNorm(c_in, c_out, 3, 2)
        self.second = ReLUConvNorm(c_out, c_out, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, c_in, h, w)`` to ``(n, c_out, h / 2, w / 2)``."""
        return self.shortcut(x) + self.second(self.first(x))


class CellNetwork(Network):
    """A network of a cell space; see `Network`."""

    space: CellSpace

    def __init__(self, space: CellSpace, skeleton: Skeleton, architecture: Architecture | None) -> None:
        super().__init__(space, skeleton, architecture)
        self._fillings = wirings(self._own_path) if self._own_path else {}
        self.cells = nn.ModuleList()
        assemble = {"previous": self._previous, "streams": self._streams, "stages": self._stages}
        width = assemble[space.definition.cell.chain]()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = self._classifier(width)

    # ----------------------------------------------------------------------------------------- construction

    def _cell(self, kind: str, channels: int, reduction: bool, inputs: Iterable[nn.Module]) -> CellModule:
        filling = None if self.architecture is None else self._fillings.get(kind, Wiring())
        return CellModule(self.space, kind, channels, reduction, inputs, filling)

    def _reductions(self) -> set[int]:
        return {self.skeleton.cells // 3, 2 * self.skeleton.cells // 3}

    def _input(self, kind: str, place: int, module: nn.Module) -> nn.Module:
        """Return the slot of an input's preprocessing, or an empty place where no node reads it."""
        live = self.architecture is None or place in self._fillings.get(kind, Wiring()).inputs
        return InputSlot(f"{kind}.input.{place}", module) if live else nn.Identity()

    def _previous(self) -> int:
        """DARTS: every cell reads the two cells before it."""
        skeleton, (normal, reduce) = self.skeleton, self.space.kinds
        c = skeleton.channels
        if skeleton.stem == "conv":
            self.stem = _conv_norm(skeleton.in_channels, 3 * c)
            widths, halved = (3 * c, 3 * c), False
        elif skeleton.stem == "imagenet":
            self.stem = nn.Sequential(
                *_conv_norm(skeleton.in_channels, c // 2, 2), nn.ReLU(), *_conv_norm(c // 2, c, 2)
            )
            self.stem2 = nn.Sequential(nn.ReLU(), *_conv_norm(c, c, 2))
            widths, halved = (c, c), True
        else:
            self.stem = nn.Identity()
            widths, halved = (skeleton.in_channels, skeleton.in_channels), False
        for i in range(skeleton.cells):
            reduction = i in self._reductions()
            c = 2 * c if reduction else c
            kind = reduce if reduction else normal
            first = FactorizedReduce(widths[0], c) if halved else ReLUConvNorm(widths[0], c)
            inputs = [self._input(kind, 0, first), self._input(kind, 1, ReLUConvNorm(widths[1], c))]
            self.cells.append(self._cell(kind, c, reduction, inputs))
            halved = reduction
            width = c * (self.space.definition.cell.nodes if self.space.definition.cell.outputs == "all" else 1)
            widths = (widths[1], width)
        return widths[1]

    def _stages(self) -> int:
        """NAS-Bench-201: three stages of cells with residual blocks between them."""
        skeleton, (kind,) = self.skeleton, self.space.kinds
        c = skeleton.channels
        self.stem = _conv_norm(skeleton.in_channels, c)
        for stage in range(3):
            if stage:
                self.cells.append(ResidualReduction(c, 2 * c))
                c *= 2
            self.cells.extend(self._cell(kind, c, False, [nn.Identity()]) for _ in range(skeleton.cells))
        nodes = self.space.definition.cell.nodes if self.space.definition.cell.outputs == "all" else 1
        self.last = nn.Sequential(nn.BatchNorm2d(c * nodes), nn.ReLU())
        return c * nodes

    def _streams(self) -> int:
        """LHD: every cell reads the summed and the concatenated output of the cell before it."""
        skeleton, (normal, reduce) = self.skeleton, self.space.kinds
        c = before = skeleton.channels
        self.stem = _conv_norm(skeleton.in_channels, c)
        self.stem2 = _conv_norm(skeleton.in_channels, 3 * c)
        widths = {"after_stem": 3 * c}
        for i in range(skeleton.cells):
            reduction = i in self._reductions()
            c = 2 * c if reduction else c
            kind = reduce if reduction else normal
            first = self._input(kind, 0, ReLUConvNorm(before, c)) if reduction else nn.Identity()
            live = self.architecture is None or 1 in self._fillings[kind].inputs
            second: nn.Module = nn.Identity()
            if live:
                module = ReLUConvNorm(max(widths.values()), c)
                if len(widths) > 1:
                    module[1] = ElasticConv2d(max(widths.values()), c, (1,))
                second = InputSlot(f"{kind}.input.1", module, widths)
            self.cells.append(self._cell(kind, c, reduction, [first, second]))
            widths = {f"after_{kind}_{count}": count * c for count in self._counts(kind)}
            before = c
        self._widths = {option: width + c for option, width in widths.items()}
        return max(self._widths.values())

    def _counts(self, kind: str) -> range | list[int]:
        """Return how many nodes the concatenation of a kind of cell may hold."""
        if self.architecture is None:
            return range(1, self.space.definition.cell.nodes + 1)
        return [len(self._fillings[kind].concats)]

    def _classifier(self, width: int) -> nn.Module:
        if not self.skeleton.head:
            return nn.Identity()
        if self.space.definition.cell.chain != "streams":
            return nn.Linear(width, self.skeleton.classes)
        linear = ElasticLinear if len(self._widths) > 1 else nn.Linear
        return InputSlot("output", linear(width, self.skeleton.classes), self._widths)

    # ---------------------------------------------------------------------------------------------- running

    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `Network.forward`."""
        kinds = wirings(path)
        chain = self.space.definition.cell.chain
        x = self.stem(images)
        if chain == "stages":
            for cell in self.cells:
                x = cell([x], kinds[cell.kind])[0] if isinstance(cell, CellModule) else cell(x)
            return self.classifier(self.pool(self.last(x)).flatten(1))
        if chain == "streams":
            streams: tuple[Tensor, ...] = (x, self.stem2(images))
            for cell in self.cells:
                streams = cell(list(streams), kinds[cell.kind])
            return self.classifier(self.pool(torch.cat(streams, dim=1)).flatten(1))
        before, x = x, (self.stem2(x) if self.skeleton.stem == "imagenet" else x)
        for cell in self.cells:
            before, x = x, cell([before, x], kinds[cell.kind])[0]
        return self.classifier(self.pool(x).flatten(1))

    def coverage(self) -> list[Path]:
        """Return one path that runs everything at once: nodes add up all that they are given."""
        names = [f"{slot.decision}.{option}" for _, slot in self.slots() for option in slot.options]
        return [tuple(dict.fromkeys(names))]

    def inherited(self, key: str, own: dict[str, Tensor], network: Network) -> Tensor:
        """Return the entry of the same name: a slice of it where the network reads fewer channels; a repeated
        operation takes the one weight there is."""
        value = own[key if key in own else ".".join(part.split("__")[0] for part in key.split("."))]
        shape = network.get_parameter(key).shape if key.endswith("weight") else value.shape
        return value[:, : shape[1]] if value.shape != shape else value


def _conv_norm(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out))


@torch.no_grad()
def _plain(module: nn.Module, width: int) -> nn.Module:
    """Return a copy of a preprocessing or classifier that reads the first `width` channels only."""
    if isinstance(module, nn.Linear):
        linear = nn.Linear(width, module.out_features)
        linear.weight.copy_(module.weight[:, :width])
        linear.bias.copy_(module.bias)
        return linear.train(module.training)
    conv, norm = module[1], module[2]
    plain = ReLUConvNorm(width, conv.out_channels)
    plain[1].weight.copy_(conv.weight[:, :width])
    plain[2].load_state_dict(norm.state_dict())
    return plain.train(module.training)
