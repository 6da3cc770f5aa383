"""Networks of cell spaces: stems, a chain of cells, pooling, classifier.

References:
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import partial
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks.cell_module import CellModule, EdgeSlot, InputSlot
from evonas.networks.chain import chained
from evonas.networks.elastic import ElasticConv2d, ElasticLinear
from evonas.networks.network import Network
from evonas.networks.operations import FactorizedReduce, ReLUConvNorm, ResidualReduction
from evonas.networks.wiring import Wiring, wirings
from evonas.spaces import Architecture, CellSpace, Path, Skeleton, Step
from evonas.spaces.path import AFTER_STEM, ON, InputDecision, OutputDecision, StreamDecision, width_after


class CellNetwork(Network):
    """A network of a cell space; see `Network`.

    Args:
        space: The space.
        skeleton: Its frame.
        architecture: What to build; None: the supernet.
        order: Kind of each cell; None: reductions at a third and two thirds, as in DARTS.
    """

    space: CellSpace

    def __init__(
        self,
        space: CellSpace,
        skeleton: Skeleton,
        architecture: Architecture | None,
        order: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(space, skeleton, architecture)
        chain = space.definition.cell.chain
        self._order = self._kinds(chain) if order is None else order
        self._parts = None if self._own_path is None else self._wired(self._own_path)
        self.cells = nn.ModuleList()
        stems = {"previous": ("conv", "imagenet", "none"), "modules": ("conv", "imagenet")}.get(chain, ("conv",))
        if skeleton.stem not in stems:
            raise SettingsError(f"The stem of space '{space.name}' is one of {', '.join(stems)}, got '{skeleton.stem}'")
        width = {
            "previous": self._previous, "streams": self._streams, "stages": self._stages, "modules": self._in_modules,
        }[chain]()  # fmt: skip
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = self._classifier(width)

    # ----------------------------------------------------------------------------------------- construction

    def _kinds(self, chain: str) -> tuple[str, ...]:
        """Return the kind of each cell."""
        if chain in ("stages", "modules"):
            return self.space.kinds * (len(self.space.definition.cell.modules or "111") * self.skeleton.cells)
        normal, reduce = self.space.kinds
        cells = self.skeleton.cells
        return tuple(reduce if i in (cells // 3, 2 * cells // 3) else normal for i in range(cells))

    def _wired(self, path: Path) -> tuple[Wiring, ...]:
        """Return what each cell runs in a path."""
        return chained(path, self._order, self.space.definition.cell.chain)

    def _stems(self, parts: tuple[Wiring, ...]) -> tuple[bool, bool]:
        """Return whether the first and the second stem's output is read."""
        if self.space.definition.cell.chain == "streams":
            return 0 in parts[0].inputs, 1 in parts[0].inputs
        second = 1 in parts[0].inputs or (len(parts) > 1 and 0 in parts[1].inputs)
        return second or 0 in parts[0].inputs, second

    def uneven(self, path: Path) -> bool:
        """Return whether some cells run less than others of their kind, since nothing reads it."""
        parts = self._wired(path)
        kinds = wirings(path)
        return any(part is not kinds[kind] for part, kind in zip(parts, self._order, strict=True)) or not (
            self.space.definition.cell.chain in ("stages", "modules") or all(self._stems(parts))
        )

    def _cell(self, index: int, channels: int, reduction: bool, inputs: Iterable[nn.Module]) -> CellModule:
        filling = None if self._parts is None else self._parts[index]
        return CellModule(self.space, self._order[index], channels, reduction, inputs, filling)

    def _reduces(self, index: int) -> bool:
        return self._order[index] == self.space.kinds[-1]

    def _outputs(self) -> int:
        """Return how many nodes a cell puts out."""
        return self.space.definition.cell.nodes if self.space.definition.cell.outputs == "all" else 1

    def _input(self, cell: int, source: int, module: nn.Module, widths: dict[str, int] | None = None) -> nn.Module:
        """Return the slot of an input's preprocessing, or nothing where no node reads it."""
        live = self._parts is None or source in self._parts[cell].inputs
        return InputSlot(InputDecision(self._order[cell], source), module, widths) if live else nn.Identity()

    def _previous(self) -> int:
        """DARTS: every cell reads the two cells before it."""
        skeleton, c = self.skeleton, self.skeleton.channels
        stems = (True, True) if self._parts is None else self._stems(self._parts)
        widths, halved = (skeleton.in_channels,) * 2, False
        self.stem: nn.Module = nn.Identity()
        if skeleton.stem == "conv":
            self.stem = _conv_norm(skeleton.in_channels, 3 * c) if stems[0] else self.stem
            widths = (3 * c, 3 * c)
        elif skeleton.stem == "imagenet":
            layers = (*_conv_norm(skeleton.in_channels, c // 2, 2), nn.ReLU(), *_conv_norm(c // 2, c, 2))
            self.stem = nn.Sequential(*layers) if stems[0] else self.stem
            self.stem2: nn.Module = nn.Sequential(nn.ReLU(), *_conv_norm(c, c, 2)) if stems[1] else nn.Identity()
            widths, halved = (c, c), True
        for i in range(skeleton.cells):
            reduction = self._reduces(i)
            c = 2 * c if reduction else c
            first: nn.Module = FactorizedReduce(widths[0], c) if halved else ReLUConvNorm(widths[0], c)
            inputs = [self._input(i, 0, first), self._input(i, 1, ReLUConvNorm(widths[1], c))]
            self.cells.append(self._cell(i, c, reduction, inputs))
            halved = reduction
            widths = (widths[1], c * self._outputs())
        return widths[1]

    def _stages(self) -> int:
        """NAS-Bench-201: three stages of cells with residual blocks between them."""
        skeleton, c = self.skeleton, self.skeleton.channels
        self.stem = _conv_norm(skeleton.in_channels, c)
        for stage in range(3):
            if stage:
                self.cells.append(ResidualReduction(c, 2 * c))
                c *= 2
            self.cells.extend(
                self._cell(stage * skeleton.cells + i, c, False, [nn.Identity()]) for i in range(skeleton.cells)
            )
        self.last = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        return c

    def _in_modules(self) -> int:
        """TransNAS-Bench-101: modules of cells, the first of which changes width and resolution."""
        skeleton, c = self.skeleton, self.skeleton.channels
        if skeleton.stem == "imagenet":
            first = (*_conv_norm(skeleton.in_channels, max(1, c // 2), 2), nn.ReLU())
            self.stem = nn.Sequential(*first, *_conv_norm(max(1, c // 2), c, 2))
        else:
            self.stem = _conv_norm(skeleton.in_channels, c)
        for module, change in enumerate(self.space.definition.cell.modules or ""):
            for i in range(skeleton.cells):
                before, c = c, 2 * c if i == 0 and change in "24" else c
                index, halves = module * skeleton.cells + i, i == 0 and change in "34"
                filling = None if self._parts is None else self._parts[index]
                cell = CellModule(self.space, self._order[index], c, halves, [nn.Identity()], filling, before)
                self.cells.append(cell)
        return c

    def _streams(self) -> int:
        """LHD: every cell reads the summed and the concatenated output of the cell before it."""
        skeleton = self.skeleton
        c = before = skeleton.channels
        stems = (True, True) if self._parts is None else self._stems(self._parts)
        self.stem = _conv_norm(skeleton.in_channels, c) if stems[0] else nn.Identity()
        self.stem2 = _conv_norm(skeleton.in_channels, 3 * c) if stems[1] else nn.Identity()
        widths = {AFTER_STEM: 3 * c}
        for i in range(skeleton.cells):
            reduction = self._reduces(i)
            c = 2 * c if reduction else c
            first = self._input(i, 0, ReLUConvNorm(before, c)) if reduction else nn.Identity()
            module = ReLUConvNorm(max(widths.values()), c)
            if len(widths) > 1:
                module[1] = ElasticConv2d(max(widths.values()), c, (1,))
            self.cells.append(self._cell(i, c, reduction, [first, self._input(i, 1, module, widths)]))
            kind = self._order[i]
            widths = {width_after(kind, count): count * c for count in self._counts(kind)}
            before = c
        self._widths = {option: width + c for option, width in widths.items()}
        return max(self._widths.values())

    def _counts(self, kind: str) -> range | list[int]:
        """Return how many nodes the concatenation of a kind of cell may hold."""
        if self.architecture is None:
            return range(1, self.space.definition.cell.nodes + 1)
        return [len(wirings(self._own_path or ())[kind].concats)]

    def _classifier(self, width: int) -> nn.Module:
        if not self.skeleton.head:
            return nn.Identity()
        if self.space.definition.cell.chain != "streams":
            return nn.Linear(width, self.skeleton.classes)
        linear = ElasticLinear if len(self._widths) > 1 else nn.Linear
        return InputSlot(OutputDecision(), linear(width, self.skeleton.classes), self._widths)

    # ---------------------------------------------------------------------------------------------- running

    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `Network.forward`."""
        parts = self._wired(path)
        chain = self.space.definition.cell.chain
        size = _Sides(images.shape[-2], images.shape[-1])
        if chain == "stages":
            x, wired = self.stem(images), iter(parts)
            for cell in self.cells:
                if isinstance(cell, CellModule):
                    x = cell([x], next(wired), partial(_zeros, x, cell.channels, size))[0]
                else:
                    x, size = cell(x), size.halved()
            return cast(Tensor, self.classifier(self.pool(self.last(x)).flatten(1)))
        if chain == "modules":
            size = size.halved().halved() if self.skeleton.stem == "imagenet" else size
            return self._run_modules(self.stem(images), parts, size)
        stems = self._stems(parts)
        first = self.stem(images) if stems[0] else None
        if chain == "streams":
            streams: tuple[Tensor | None, ...] = (first, self.stem2(images) if stems[1] else None)
        else:
            streams = (first, self.stem2(first) if self.skeleton.stem == "imagenet" and stems[1] else first)
            size = size.halved().halved().halved() if self.skeleton.stem == "imagenet" else size
        for cell, part in zip(map(_as_cell, self.cells), parts, strict=True):
            size = size.halved() if cell.reduction else size
            zeros = partial(_zeros, images, cell.channels, size)
            found = cell(list(streams), part, zeros) if part.read else (None,) * len(streams)
            streams = found if chain == "streams" else (streams[1], found[0])
        ends = cast(tuple[Tensor, Tensor], streams)  # the last cell gives all that the classifier reads
        x = torch.cat(ends, dim=1) if chain == "streams" else ends[1]
        return cast(Tensor, self.classifier(self.pool(x).flatten(1)))

    def _run_modules(self, x: Tensor, parts: tuple[Wiring, ...], size: _Sides) -> Tensor:
        """Run cells that follow one another, on what the stem gave."""
        for cell, part in zip(map(_as_cell, self.cells), parts, strict=True):
            size = size.halved() if cell.reduction else size
            x = cast(Tensor, cell([x], part, partial(_zeros, x, cell.channels, size))[0])
        return cast(Tensor, self.classifier(self.pool(x).flatten(1)))

    def tap(self, fraction: Fraction) -> nn.Module:
        """Return the cell, or the reduction, at a fraction of the depth."""
        return self.cells[int(len(self.cells) * fraction)]

    def coverage(self) -> list[Path]:
        """Return one path that runs everything at once: nodes add up all that they are given."""
        steps = [Step(slot.decision, option) for _, slot in self.slots() for option in slot.options]
        cell = self.space.definition.cell
        for kind in self.space.kinds:
            steps += [Step(InputDecision(kind, source), ON) for source in range(cell.inputs)]
            if cell.outputs == "learned":
                nodes = range(cell.inputs, cell.inputs + cell.nodes)
                for stream in ("sum", "concat"):
                    steps += [Step(StreamDecision(kind, stream, node), ON) for node in nodes]
        return [tuple(dict.fromkeys(steps))]

    def inherited(self, own: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
        """Return a stand-alone network's state; see `state_of_cells`."""
        return state_of_cells(own, network)


def state_of_cells(own: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """Return the state of a stand-alone network of cells from a supernet's entries of the same names.

    Where the network reads fewer channels it takes a slice; an operation that a node applies again takes the one
    weight there is.

    Args:
        own: Parameters and buffers of the supernet, by name.
        network: The stand-alone network.
    """
    shared = {
        f"{name}.{key}.": f"{name}.{option}."
        for name, slot in network.slots()
        if isinstance(slot, EdgeSlot)
        for key, option in slot.repeated.items()
    }
    state = {}
    for key, wanted in network.state_dict().items():
        value = own.get(key)
        if value is None:
            value = own[_renamed(key, shared)]
        state[key] = value if value.shape == wanted.shape else value[:, : wanted.shape[1]]
    return state


def _renamed(key: str, prefixes: Mapping[str, str]) -> str:
    for old, new in prefixes.items():
        if key.startswith(old):
            return new + key[len(old) :]
    return key


def _as_cell(module: nn.Module) -> CellModule:
    return cast(CellModule, module)


class _Sides(NamedTuple):
    """Height and width of a map."""

    height: int
    width: int

    def halved(self) -> _Sides:
        """Return those behind a stride of two."""
        return _Sides((self.height + 1) // 2, (self.width + 1) // 2)  # no negative number, which tracing rounds to 0


def _zeros(images: Tensor, channels: int, size: _Sides) -> Tensor:
    return images.new_zeros(images.shape[0], channels, *size)


def _conv_norm(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out))
