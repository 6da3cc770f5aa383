"""Sums over the blocks of a space of stages: what all of its architectures add up to, none enumerated whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["sum_blocks"]


def sum_blocks(
    stages: Sequence[Sequence[Sequence[str]]],
    depths: Sequence[Sequence[int]],
    uniform: Sequence[bool],
    costs: Callable[[Sequence[Sequence[str]], Sequence[int]], np.ndarray],
    prune: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the costs of all architectures that pruning keeps; see `evonas.spaces.Space.sums`.

    Args:
        stages: Option names of every block, stage by stage.
        depths: How many blocks of each stage may run.
        uniform: Whether all blocks of each stage run one option.
        costs: Costs of an architecture by the options of all blocks and its depths, shape ``(m,)``.
        prune: Returns the rows that can still be part of what is wanted.
    """
    blocks = [[names[0] for names in stage] for stage in stages]
    shallow = [known[0] for known in depths]
    total = costs(blocks, shallow)
    kept = total[None]
    for s, (options, known) in enumerate(zip(stages, depths, strict=True)):
        stage = []
        for depth in known:
            deep = [*shallow[:s], depth, *shallow[s + 1 :]]
            first = costs(blocks, deep)
            found = (first - total)[None]
            if uniform[s]:
                whole = [[*blocks[:s], [name] * len(options), *blocks[s + 1 :]] for name in options[0]]
                stage.append(prune(np.array([costs(one, deep) - total for one in whole])))
                continue
            for b in range(depth):
                changed = [[*blocks[s][:b], name, *blocks[s][b + 1 :]] for name in options[b]]
                block = [costs([*blocks[:s], one, *blocks[s + 1 :]], deep) - first for one in changed]
                found = prune((found[:, None] + np.array(block)[None]).reshape(-1, len(total)))
            stage.append(found)
        kept = prune((kept[:, None] + prune(np.concatenate(stage))[None]).reshape(-1, len(total)))
    return kept
