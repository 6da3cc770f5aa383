"""Every candidate of every space: forward, backward, cost, ONNX."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from evonas.networks import Slot, build
from evonas.networks.operations import FactorizedReduce, ResidualReduction
from evonas.spaces import load_space, shipped


def cases() -> list:
    """Return (space, place of a slot, option) for every candidate of every space, each shape of its kind once."""
    found = []
    for name in sorted(shipped()):
        space, seen = load_space(name), set()
        if space.family == "cell":
            for option, table in space.definition.operations.items():
                # An edge from an input has stride 2 in reduction cells, one from a node has stride 1.
                cells = ("normal.3.2", "reduce.3.1") if len(space.kinds) > 1 else ("cell.2.1",)
                found += [(name, decision, option) for decision in cells if table.kind != "none"]
            continue
        for i, stage in enumerate(space.definition.stages):
            for block in range(min(2, stage.blocks)):
                stride = stage.stride if block == 0 else 1
                for option in space.options[i][block]:
                    if (option, stride) not in seen or (stage.se, stage.activation) not in seen:
                        seen |= {(option, stride), (stage.se, stage.activation)}
                        found.append((name, f"{i}.{block}", option))
    return [pytest.param(*case, id="-".join(case)) for case in found]


@lru_cache
def slots(name: str) -> dict[str, tuple[Slot, tuple[int, ...]]]:
    """Return the first slot of every decision in a small supernet, and the shape that it reads."""
    space = load_space(name)
    supernet = build(space, space.skeleton("small", resolution=16)).eval()
    found: dict[str, tuple[Slot, tuple[int, ...]]] = {}

    def remember(slot: Slot) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple) -> None:
            found.setdefault(str(slot.decision), (slot, tuple(inputs[0].shape[1:])))

        return hook

    handles = [
        module.register_forward_pre_hook(remember(slot)) for _, slot in supernet.slots() for module in slot.values()
    ]
    with torch.no_grad():
        for path in supernet.coverage():
            supernet(torch.zeros(1, 3, 16, 16), path)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(("name", "decision", "option"), cases())
def test_candidate(name, decision, option, tmp_path):
    slot, shape = slots(name)[decision]
    assert option in slot.options
    module = slot.candidate(option).train()
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), requires_grad=True)
    output = module(images)
    assert torch.isfinite(output).all()
    output.square().sum().backward()
    assert torch.isfinite(images.grad).all()
    assert all(p.grad is not None for p in module.parameters())
    macs = 0

    def hook(layer: nn.Module, inputs: tuple, value: torch.Tensor) -> None:
        nonlocal macs
        macs += value[0].numel() * layer.weight[0].numel()

    module.eval()
    handles = [m.register_forward_hook(hook) for m in module.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        expected = module(images).numpy()
    assert (macs > 0) == any(p.dim() > 1 for p in module.parameters())
    for handle in handles:
        handle.remove()
    if isinstance(module, nn.Identity):
        return  # nothing to export
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (images.detach(),), tmp_path / "op.onnx", dynamo=False, input_names=["images"])
    session = onnxruntime.InferenceSession(tmp_path / "op.onnx", providers=["CPUExecutionProvider"])
    (exported,) = session.run(None, {"images": images.detach().numpy()})
    assert np.allclose(exported, expected, atol=1e-4)


def test_every_option_is_among_the_cases():
    """The cases leave out what differs in width alone."""
    tested = {(name, option) for name, _, option in (case.values for case in cases())}
    for name in shipped():
        for slot, _ in slots(name).values():
            assert all((name, option) in tested for option in slot.options if option != "on" and "after_" not in option)


@pytest.mark.parametrize("side", [1, 2, 7, 8, 15])
def test_reductions_halve_upwards(side):
    images = torch.randn(2, 6, side, side)
    assert FactorizedReduce(6, 8)(images).shape == (2, 8, -(-side // 2), -(-side // 2))
    assert ResidualReduction(6, 8).eval()(images).shape == (2, 8, -(-side // 2), -(-side // 2))


def test_factorized_reduce_sees_even_and_odd_pixels():
    reduce = FactorizedReduce(1, 2).eval()
    with torch.no_grad():
        reduce.even.weight.fill_(1)
        reduce.odd.weight.fill_(1)
    images = torch.arange(1.0, 17).view(1, 1, 4, 4)
    output = reduce(images) * (1 + 1e-5) ** 0.5
    assert torch.allclose(output[0, 0], torch.tensor([[1.0, 3.0], [9.0, 11.0]]))
    assert torch.allclose(output[0, 1], torch.tensor([[6.0, 8.0], [14.0, 16.0]]))
