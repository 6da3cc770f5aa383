"""Networks of stage spaces: stem, stages of inverted bottlenecks, head.

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import cast

from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks.mbconv import ACTIVATIONS, MBConv, divisible
from evonas.networks.network import Network, Slot
from evonas.networks.same_padding import SameConv2d
from evonas.spaces import Architecture, Path, Skeleton, StageSpace


@lru_cache(maxsize=100_000)
def sizes(option: str) -> tuple[int, int]:
    """Return kernel and expansion of an option such as ``k5e6``."""
    match = re.fullmatch(r"k(\d+)e(\d+)", option)
    assert match is not None, option
    return int(match[1]), int(match[2])


@lru_cache(maxsize=512)
def blocks_of(path: Path) -> dict[tuple[int, int], str]:
    """Return stage and block of every candidate in a path, in the order they run."""
    blocks = {}
    for name in path:
        stage, block, option = name.split(".")
        blocks[int(stage), int(block)] = option
    return blocks


class ElasticSlot(Slot):
    """A slot whose options are slices of one block."""

    def __init__(self, decision: str, block: MBConv, options: tuple[str, ...]) -> None:
        super().__init__(decision, {"on": block})
        self._options = options

    @property
    def options(self) -> tuple[str, ...]:
        """Options that this slot can run."""
        return self._options

    def candidate(self, option: str) -> nn.Module:
        """Return the stand-alone block of an option, with copies of its slice of the weights."""
        block = cast(MBConv, self["on"])
        plain: nn.Module = block.plain(*sizes(option)) if block.elastic else block
        return plain

    def run(self, x: Tensor, option: str) -> Tensor:
        """Run an option."""
        block = cast(MBConv, self["on"])
        return cast(Tensor, block(x, *sizes(option)) if block.elastic else block(x))


class StageNetwork(Network):
    """A network of a stage space; see `Network`."""

    space: StageSpace

    def __init__(self, space: StageSpace, skeleton: Skeleton, architecture: Architecture | None) -> None:
        super().__init__(space, skeleton, architecture)
        definition = space.definition
        strides = skeleton.strides or (definition.stem.stride, *(stage.stride for stage in definition.stages))
        if len(strides) != 1 + len(definition.stages):
            raise SettingsError(
                f"Space '{space.name}' has {1 + len(definition.stages)} strides (stem and stages), got {len(strides)}"
            )
        chosen = None if self._own_path is None else blocks_of(self._own_path)
        c = divisible(definition.stem.channels * (skeleton.width if definition.stem.scaled else 1.0))
        kernel, eps = definition.stem.kernel, skeleton.norm_eps or definition.norm_eps
        self.stem = nn.Sequential(
            SameConv2d(skeleton.in_channels, c, kernel, strides[0], bias=definition.stem.bias)
            if definition.padding == "same"
            else nn.Conv2d(skeleton.in_channels, c, kernel, strides[0], kernel // 2, bias=definition.stem.bias),
            nn.BatchNorm2d(c, eps=eps),
            ACTIVATIONS[definition.stem.activation](),
        )
        self.stages = nn.ModuleList()
        for i, stage in enumerate(definition.stages):
            width = divisible(stage.width * skeleton.width)
            blocks = nn.ModuleList()
            most = skeleton.blocks[i] if skeleton.blocks else len(space.options[i])
            for b, options in enumerate(space.options[i][:most]):
                if chosen is not None and (i, b) not in chosen:
                    break
                mine = options if chosen is None else (chosen[i, b],)
                blocks.append(self._slot(i, b, c, width, strides[i + 1] if b == 0 else 1, mine))
                c = width
            self.stages.append(blocks)
        head = definition.head
        scale = skeleton.width if head.scaled else 1.0
        features, hidden = divisible((skeleton.features or head.features) * scale), divisible(head.hidden * scale)
        self.features = nn.Sequential(
            nn.Conv2d(c, features, 1, bias=head.bias),
            nn.BatchNorm2d(features, eps=eps),
            ACTIVATIONS[head.activation](),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential()
        if head.hidden:
            self.classifier.append(nn.Linear(features, hidden, bias=False))
            self.classifier.append(ACTIVATIONS[head.activation]())
            features = hidden
        if skeleton.head:
            self.classifier.append(nn.Linear(features, skeleton.classes))

    def _slot(self, i: int, b: int, c_in: int, c_out: int, stride: int, options: tuple[str, ...]) -> Slot:
        stage, eps = self.space.definition.stages[i], self.skeleton.norm_eps or self.space.definition.norm_eps
        same = self.space.definition.padding == "same"
        decision = f"{i}.{b}"
        if stage.kernel:
            pairs = [sizes(option) for option in options]
            kernels, expands = (tuple(sorted(set(values))) for values in zip(*pairs, strict=True))
            block = MBConv(
                c_in, c_out, kernels, expands, stride, activation=stage.activation, se=stage.se, eps=eps,
                same=same,
            )  # fmt: skip
            return ElasticSlot(decision, block, options)
        candidates: dict[str, nn.Module] = {}
        for option in options:
            table = self.space.definition.operations[self.space.operation_of[option]]
            if table.kind == "identity":
                candidates[option] = _identity(c_in, c_out, stride, eps, stage.activation if table.activation else None)
            else:
                candidates[option] = MBConv(
                    c_in, c_out, (table.kernel,), (table.expand,), stride,
                    activation=stage.activation, se=stage.se, eps=eps,
                    groups=table.groups, bias=table.bias, same=same,
                )  # fmt: skip
        return Slot(decision, candidates)

    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `Network.forward`."""
        x = self.stem(images)
        for (i, b), option in self._running(path).items():
            slot = self._slot_at(i, b)
            x = slot.run(x, option) if isinstance(slot, ElasticSlot) else slot[option](x)
        return cast(Tensor, self.classifier(self.pool(self.features(x)).flatten(1)))

    def _running(self, path: Path) -> dict[tuple[int, int], str]:
        """Return the blocks of a path that this skeleton has."""
        if not self.skeleton.blocks:
            return blocks_of(path)
        return {place: option for place, option in blocks_of(path).items() if place[1] < self.skeleton.blocks[place[0]]}

    def _slot_at(self, stage: int, block: int) -> Slot:
        return cast(Slot, cast(nn.ModuleList, self.stages[stage])[block])

    def segments(self) -> list[tuple[str, nn.Module]]:
        """Return stem, blocks and head; see `Network.segments`."""
        blocks = self._running(self._own_path or ())
        return [
            ("stem", self.stem),
            *((f"{i}.{b}.{option}", self._slot_at(i, b).candidate(option)) for (i, b), option in blocks.items()),
            ("head", nn.Sequential(self.features, self.pool, nn.Flatten(1), self.classifier)),
        ]

    def coverage(self) -> list[Path]:
        """Return as many full-depth paths as the widest slot has options."""
        slots = [slot for _, slot in self.slots()]
        columns = [[f"{slot.decision}.{option}" for option in slot.options] for slot in slots]
        return [
            tuple(name or column[0] for name, column in zip(row, columns, strict=True)) for row in zip_longest(*columns)
        ]

    def inherited(self, key: str, own: Mapping[str, Tensor], network: Network) -> Tensor:
        """Return the entry of the same name, or the slice of an elastic block's that the option runs."""
        prefix, mark, rest = key.partition(".on.")
        if not mark:
            return own[key]
        block = cast(MBConv, cast(Slot, self.get_submodule(prefix))["on"])
        if not block.elastic:
            return own[key]
        kernel, expand = sizes(cast(Slot, network.get_submodule(prefix)).options[0])
        return block.slice(kernel, expand)[rest]


def _identity(c_in: int, c_out: int, stride: int, eps: float, activation: str | None) -> nn.Module:
    """Return the identity; where the shape changes, a 1x1 convolution of that stride, a norm, perhaps an activation."""
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    layers: list[nn.Module] = [nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out, eps=eps)]
    return nn.Sequential(*layers, *([ACTIVATIONS[activation]()] if activation else []))
