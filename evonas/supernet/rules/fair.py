"""Every option once per update (Chu et al. 2021, "FairNAS: Rethinking Evaluation Fairness", ICCV)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evonas.errors import SettingsError
from evonas.supernet.rules.contract import OfSpace, Pass, RuleContext
from evonas.supernet.rules.uniform import Uniform


class Fair(Uniform):
    """Strict fairness: in one update every option of every choice is used equally often.

    With m options per choice an update's loss is the sum of L(W_{p_k}) over m paths p_1 .. p_m, where choice c of p_k
    takes the option pi_c(k) of a permutation pi_c of its own; one step follows all m gradients (Chu et al. 2021,
    "strict fairness"). A choice with fewer options runs through several permutations, the last one
    cut off, so that its options are used equally often up to one and exactly so on average (our own
    extension: the article has equal numbers only).

    Args:
        context: What it trains.
        cardinalities: Options of each choice; None: those of `context.network.space`.
        decode: From a genome to the architecture that is built; None: the canonical one of
            `context.network.space`.

    Raises:
        SettingsError: No space is at hand.
    """

    def __init__(
        self,
        context: RuleContext,
        *,
        cardinalities: np.ndarray | None = None,
        decode: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        super().__init__(context)
        if isinstance(context.network, OfSpace):
            space = context.network.space
            cardinalities = space.cardinalities if cardinalities is None else cardinalities
            decode = decode or (lambda genome: space.canonical(space.decode(genome)))
        if cardinalities is None or decode is None:
            raise SettingsError(
                "Expected a network with a space for the rule 'fair', got none; give cardinalities and decode"
            )
        self._cardinalities = np.asarray(cardinalities)
        self._decode = decode

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return as many passes as the largest choice has options."""
        passes = int(self._cardinalities.max())
        genomes = np.empty((passes, len(self._cardinalities)), dtype=np.int16)
        for choice, options in enumerate(self._cardinalities):
            rounds = -(-passes // int(options))
            genomes[:, choice] = np.concatenate([rng.permutation(options) for _ in range(rounds)])[:passes]
            rng.shuffle(genomes[:, choice])
        return [self._context.pass_of(self._decode(genome)) for genome in genomes]
