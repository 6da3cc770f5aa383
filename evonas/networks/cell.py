"""Networks of cell spaces: stems, a chain of cells, pooling, classifier.

References:
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks.cell_module import CellModule, InputSlot, wirings
from evonas.networks.elastic import ElasticConv2d, ElasticLinear
from evonas.networks.network import Network
from evonas.networks.operations import FactorizedReduce, ReLUConvNorm, ResidualReduction
from evonas.spaces import Architecture, CellSpace, Path, Skeleton


class CellNetwork(Network):
    """A network of a cell space; see `Network`."""

    space: CellSpace

    def __init__(self, space: CellSpace, skeleton: Skeleton, architecture: Architecture | None) -> None:
        super().__init__(space, skeleton, architecture)
        self._fillings = wirings(self._own_path or ())
        self.cells = nn.ModuleList()
        chain = space.definition.cell.chain
        stems = ("conv", "imagenet", "none") if chain == "previous" else ("conv",)
        if skeleton.stem not in stems:
            raise SettingsError(f"The stem of space '{space.name}' is one of {', '.join(stems)}, got '{skeleton.stem}'")
        width = {"previous": self._previous, "streams": self._streams, "stages": self._stages}[chain]()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = self._classifier(width)

    # ----------------------------------------------------------------------------------------- construction

    def _cell(self, kind: str, channels: int, reduction: bool, inputs: Iterable[nn.Module]) -> CellModule:
        filling = None if self.architecture is None else self._fillings[kind]
        return CellModule(self.space, kind, channels, reduction, inputs, filling)

    def _reductions(self) -> set[int]:
        return {self.skeleton.cells // 3, 2 * self.skeleton.cells // 3}

    def _put_out(self) -> int:
        """Return how many nodes a cell puts out."""
        return self.space.definition.cell.nodes if self.space.definition.cell.outputs == "all" else 1

    def _input(self, kind: str, place: int, module: nn.Module, widths: dict[str, int] | None = None) -> nn.Module:
        """Return the slot of an input's preprocessing, or an empty place where no node reads it."""
        live = self.architecture is None or place in self._fillings[kind].inputs
        return InputSlot(f"{kind}.input.{place}", module, widths) if live else nn.Identity()

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
            widths = (widths[1], c * self._put_out())
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
        self.last = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        return c

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
            module = ReLUConvNorm(max(widths.values()), c)
            if len(widths) > 1:
                module[1] = ElasticConv2d(max(widths.values()), c, (1,))
            self.cells.append(self._cell(kind, c, reduction, [first, self._input(kind, 1, module, widths)]))
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
        cell = self.space.definition.cell
        for kind in self.space.kinds:
            names += [f"{kind}.input.{place}.on" for place in range(cell.inputs)]
            if cell.outputs == "learned":
                places = range(cell.inputs, cell.inputs + cell.nodes)
                names += [f"{kind}.{stream}.{place}" for stream in ("sum", "concat") for place in places]
        return [tuple(dict.fromkeys(names))]

    def inherited(self, key: str, own: Mapping[str, Tensor], network: Network) -> Tensor:
        """Return the entry of the same name: a slice of it where the network reads fewer channels; a repeated
        operation takes the one weight there is."""
        value = own[key if key in own else ".".join(part.split("__")[0] for part in key.split("."))]
        shape = network.get_parameter(key).shape if key.endswith("weight") else value.shape
        return value[:, : shape[1]] if value.shape != shape else value


def _conv_norm(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out))
