"""Networks of stage spaces: stem, stages of inverted bottlenecks, head.

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import cast

from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks.mbconv import ACTIVATIONS, MBConv, divisible
from evonas.networks.network import Network, PlacedBlock, Slot
from evonas.networks.same_padding import SameConv2d
from evonas.spaces import Architecture, Path, Skeleton, StageSpace, Step
from evonas.spaces.path import ON, BlockDecision
from evonas.spaces.stage import Sizes


class ElasticSlot(Slot):
    """A slot whose options are slices of one block.

    Args:
        decision: See `Slot`.
        block: The block; elastic where there are several options.
        sizes: Option to kernel and expansion.
    """

    def __init__(self, decision: BlockDecision, block: MBConv, sizes: Mapping[str, Sizes]) -> None:
        super().__init__(decision, {ON: block})
        self._arguments: dict[str, tuple[int, ...]] = {
            option: tuple(size) if block.elastic else () for option, size in sizes.items()
        }

    @property
    def options(self) -> tuple[str, ...]:
        """Options that this slot can run."""
        return tuple(self._arguments)

    def candidate(self, option: str) -> nn.Module:
        """Return the stand-alone block of an option, with copies of its slice of the weights."""
        return self.plain(self[ON], (), self._arguments[option])

    def module_of(self, option: str) -> nn.Module:
        """Return the one block there is."""
        return self[ON]

    def run(self, x: Tensor, option: str) -> Tensor:
        """Run an option."""
        output: Tensor = self[ON](x, *self._arguments[option])
        return output

    def arguments(self, option: str) -> tuple[int, ...]:
        """Return kernel and expansion; nothing where the block is not elastic."""
        return self._arguments[option]

    def separate_norms(self) -> None:
        """Give every option norms' weights and biases of its own, where the block serves several."""
        block = cast(MBConv, self[ON])
        if block.elastic:
            block.separate_norms(self._arguments.values())

    def plain(self, module: nn.Module, shape: tuple[int, ...], arguments: tuple[int, ...]) -> nn.Module:
        """Return the stand-alone block of a kernel and an expansion; see `Slot.plain`."""
        return cast(MBConv, module).plain(*arguments) if arguments else module


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
        # In the order in which data flow, for that is the order in which weights are drawn.
        c = divisible(definition.stem.channels * (skeleton.width if definition.stem.scaled else 1.0))
        self.stem = self._make_stem(c, strides[0])
        self.stages = nn.ModuleList()
        for i, stage in enumerate(definition.stages):
            width = divisible(stage.width * skeleton.width)
            blocks = self._make_stage(i, c, width, strides[i + 1])
            c = width if len(blocks) else c
            self.stages.append(blocks)
        head, eps = definition.head, skeleton.norm_eps or definition.norm_eps
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

    def _make_stem(self, channels: int, stride: int) -> nn.Sequential:
        """Return the layers before the first stage."""
        stem, read = self.space.definition.stem, self.skeleton.in_channels
        return nn.Sequential(
            SameConv2d(read, channels, stem.kernel, stride, bias=stem.bias)
            if self.space.definition.padding == "same"
            else nn.Conv2d(read, channels, stem.kernel, stride, stem.kernel // 2, bias=stem.bias),
            nn.BatchNorm2d(channels, eps=self.skeleton.norm_eps or self.space.definition.norm_eps),
            ACTIVATIONS[stem.activation](),
        )

    def _make_stage(self, number: int, c_in: int, width: int, stride: int) -> nn.ModuleList:
        """Return the slots of a stage: of the supernet all that the skeleton has, else those that run."""
        chosen = None if self._own_path is None else {step.decision: step.option for step in self._own_path}
        every, blocks = self.space.options[number], nn.ModuleList()
        most = self.skeleton.blocks[number] if self.skeleton.blocks else len(every)
        for b, options in enumerate(every[:most]):
            decision = BlockDecision(number, b)
            if chosen is not None and decision not in chosen:
                break
            mine = options if chosen is None else (chosen[decision],)
            read, step = (c_in, stride) if b == 0 else (width, 1)
            blocks.append(self._slot(decision, read, width, step, mine))
        return blocks

    def _slot(self, decision: BlockDecision, c_in: int, c_out: int, stride: int, options: tuple[str, ...]) -> Slot:
        stage = self.space.definition.stages[decision.stage]
        eps = self.skeleton.norm_eps or self.space.definition.norm_eps
        same = self.space.definition.padding == "same"
        if stage.kernel:
            sizes = {option: self.space.elastic[option] for option in options}
            kernels, expands = (tuple(sorted(set(values))) for values in zip(*sizes.values(), strict=True))
            block = MBConv(
                c_in, c_out, kernels, expands, stride, activation=stage.activation, se=stage.se, eps=eps,
                same=same,
            )  # fmt: skip
            return ElasticSlot(decision, block, sizes)
        candidates: dict[str, nn.Module] = {}
        for option in options:
            table = self.space.definition.operations[self.space.operation_of[option]]
            if table.kind == "identity":
                candidates[option] = _identity(c_in, c_out, stride, eps, stage.activation if table.activation else None)
            else:
                candidates[option] = MBConv(
                    c_in, c_out, (table.kernel,), (table.expand,), stride,
                    activation=stage.activation, se=stage.se or table.se, eps=eps,
                    groups=table.groups, bias=table.bias, same=same,
                    squeezed=c_in if self.space.definition.squeeze == "input" else None,
                )  # fmt: skip
        return Slot(decision, candidates)

    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `Network.forward`."""
        x = self.stem(images)
        for step in self._running(path):
            x = self._slot_of(step).run(x, step.option)
        return cast(Tensor, self.classifier(self.pool(self.features(x)).flatten(1)))

    def _running(self, path: Path) -> Path:
        """Return the steps of the blocks that this skeleton has."""
        most = self.skeleton.blocks
        if not most:
            return path
        return tuple(step for step in path if _block_of(step).block < most[_block_of(step).stage])

    def _slot_of(self, step: Step) -> Slot:
        stage, block = _block_of(step)
        return cast(Slot, cast(nn.ModuleList, self.stages[stage])[block])

    def segments(self) -> list[tuple[str, nn.Module]]:
        """Return stem, blocks and head; see `Network.segments`."""
        return [
            ("stem", self.stem),
            *((str(step), self._slot_of(step).candidate(step.option)) for step in self._running(self._own_path or ())),
            ("head", nn.Sequential(self.features, self.pool, nn.Flatten(1), self.classifier)),
        ]

    def blocks(self) -> Iterator[PlacedBlock]:
        """Yield the blocks that hold weights; see `Network.blocks`."""
        number = 0
        for i, stage in enumerate(self.stages):
            in_stage = 0
            for b, slot in enumerate(cast(nn.ModuleList, stage)):
                for name, module in slot.named_children():
                    if next(module.parameters(), None) is None:
                        continue
                    expanded = isinstance(module, MBConv) and module.expand is not None
                    yield PlacedBlock(f"stages.{i}.{b}.{name}.", number, i, in_stage, expanded)
                    number, in_stage = number + 1, in_stage + 1

    def coverage(self) -> list[Path]:
        """Return as many full-depth paths as the widest slot has options."""
        columns = [[Step(slot.decision, option) for option in slot.options] for _, slot in self.slots()]
        return [
            tuple(step or column[0] for step, column in zip(row, columns, strict=True)) for row in zip_longest(*columns)
        ]

    def inherited(self, own: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
        """Return entries of the same names, but of elastic blocks the slices that the options run."""
        sliced: dict[str, Tensor] = {}
        for name, slot in network.slots():
            block = cast(Slot, self.get_submodule(name)).module_of(slot.options[0])
            if isinstance(slot, ElasticSlot) and isinstance(block, MBConv) and block.elastic:
                sizes = self.space.elastic[slot.options[0]]
                sliced |= {f"{name}.{ON}.{rest}": value for rest, value in block.slice(*sizes).items()}
        return {key: sliced[key] if key in sliced else own[key] for key in network.state_dict()}


def _block_of(step: Step) -> BlockDecision:
    return cast(BlockDecision, step.decision)


def _identity(c_in: int, c_out: int, stride: int, eps: float, activation: str | None) -> nn.Module:
    """Return the identity; where the shape changes, a 1x1 convolution of that stride, a norm, perhaps an activation."""
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    layers: list[nn.Module] = [nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out, eps=eps)]
    return nn.Sequential(*layers, *([ACTIVATIONS[activation]()] if activation else []))
