from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from evonas.networks import build
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost.memory import peak_of
from evonas.objectives.cost.trace import BY_VALUE, Operation, trace
from evonas.spaces import Candidate, Space, as_candidates


def brute_force(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Bytes alive at the worst moment, counted moment by moment over the whole network's own operations."""
    whole = trace(network, [shape])
    sizes = {0: whole.inputs[0]} | {operation.writes: operation.size for operation in whole.operations}
    reads = [set(operation.reads) for operation in whole.operations]

    def needed(number: int, moment: int) -> bool:
        return number == whole.result or any(number in r for r in reads[moment:])

    peak = sizes[0]
    for moment, operation in enumerate(whole.operations):
        known = {0} | {earlier.writes for earlier in whole.operations[:moment]}
        alive = {number for number in known if needed(number, moment)}
        total = sum(sizes[number] for number in alive)
        spare = [n for n in operation.reads if not needed(n, moment + 1) and sizes[n] == operation.size]
        peak = max(peak, total if operation.name in BY_VALUE and spare else total + operation.size)
    return 4 * peak


@pytest.mark.parametrize("canonical", [True, False])
def test_memory_equals_a_brute_force_count(canonical: bool, space: Space, draw):
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    forms = draw(space, 4, canonical=canonical, seed=5)
    for form, row in zip(
        forms, make_evaluator("memory", Context(space, skeleton)).evaluate(as_candidates(forms)), strict=True
    ):
        with torch.device("meta"):
            network = build(space, skeleton, form).eval()
        side = network.skeleton.resolution
        assert row["memory"].value == brute_force(network, (1, 3, side, side)), str(form)


def test_a_chain_needs_its_two_largest_neighbors():
    class Chain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.narrow = nn.Conv2d(2, 10, 1), nn.Conv2d(10, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.narrow(torch.relu(self.wide(x))))

    assert brute_force(Chain(), (1, 2, 4, 4)) == 4 * (10 + 3) * 16


def test_what_is_read_later_is_not_written_over():
    relu, conv = Operation("relu", (0,), 1, 8), Operation("convolution", (1,), 2, 8)
    assert peak_of({0: 8}, [relu, conv], {2}) == 16
    assert peak_of({0: 8}, [relu, conv], {0, 2}) == 24
    assert peak_of({0: 8}, [Operation("relu", (0,), 1, 8)], {1}) == 8


def test_memory_grows_with_the_image(tiny: Context, draw):
    (form,) = draw(tiny.space, 1)
    small, large = (
        make_evaluator("memory", Context(tiny.space, tiny.skeleton.replace(resolution=side))).evaluate(
            [Candidate(form)]
        )
        for side in (8, 16)
    )
    assert large[0]["memory"].value > 3 * small[0]["memory"].value
