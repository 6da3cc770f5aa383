"""Steps of a deployment of several networks as one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from torch import nn

from evonas.attacks.attack import read_attack
from evonas.data import Part
from evonas.deployment.card_content import card_content
from evonas.deployment.deploy_steps import DeploySteps
from evonas.deployment.deployment import Deployment
from evonas.deployment.ensemble.candidates import EnsembleCandidate, choosing_images, probabilities_on
from evonas.deployment.ensemble.pool import MemberPool, classification_figures
from evonas.deployment.model import MEMBERS, SPACE, model_files
from evonas.networks import Network
from evonas.networks.averaged import Averaged
from evonas.networks.unit_input import UnitInput
from evonas.objectives.robust.evaluator import robust_accuracy
from evonas.runs.selection import Selection

__all__ = ["ATTACK", "ATTACKED", "MEASURES", "EnsembleSelection", "EnsembleSteps"]

ATTACK = "pgd@4/255x10"
"""Attack under which an ensemble and what it is compared with are read, on `ATTACKED` images at most."""
ATTACKED = 500
MEASURES = ("accuracy", "nll", "ece", ATTACK)


@dataclass(frozen=True)
class EnsembleSelection(Selection):
    """Members of an ensemble, in the place of one member; the architecture is the first one's."""

    texts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All architectures."""
        return "ensemble of " + " + ".join(self.texts)


@dataclass
class EnsembleSteps(DeploySteps):
    """The steps of a deployment, of several networks as one."""

    candidates: list[EnsembleCandidate] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    pool: MemberPool | None = None
    members: tuple[int, ...] = ()
    rival: int | None = None
    words: str = ""
    chosen: dict[str, Any] = field(default_factory=dict)
    attack: str | None = ATTACK

    @cached_property
    def known_pool(self) -> MemberPool:
        """What the ensemble was chosen from."""
        assert self.pool is not None
        return self.pool

    @property
    def costs(self) -> list[str]:
        """Names of costs, the first bound's first."""
        return list(dict.fromkeys([self.known_pool.bounds[0].objective, *self.known_pool.costs]))

    def weights(self) -> tuple[nn.Module, str]:
        """Return the networks as one, and where their weights come from."""
        kind = "inherited from the supernet" if self.candidates[0].trained is None else "trained"
        network = Averaged(self.networks[i] for i in self.members).eval()
        return network, f"of {len(self.members)} networks, each {kind}; their probabilities are averaged"

    def unseen(self) -> Part | None:
        """Return images that no member was trained on."""
        return choosing_images(self.data, [self.candidates[i] for i in self.members])[0]

    def files(self, network: nn.Module) -> dict[str, bytes]:
        """Return each network's files in a folder of its own, and the space."""
        found: dict[str, bytes] = {}
        for number, i in enumerate(self.members):
            held = model_files(self.networks[i], self.data)
            found |= {f"{MEMBERS}/{number:02d}/{name}": content for name, content in held.items()}
            found[SPACE] = held[SPACE]
        return found

    @cached_property
    def member_rows(self) -> tuple[dict[str, Any], ...]:
        """What each member is: name, architecture, costs, and its value where it was chosen."""
        return tuple(
            {
                "name": self.candidates[i].name,
                "architecture": self.candidates[i].architecture,
                "costs": dict(self.candidates[i].costs),
                "nll": replace(self.known_pool, by="nll").value([i]),
            }
            for i in self.members
        )

    @cached_property
    def compared(self) -> tuple[dict[str, Any], ...]:
        """The ensemble, its best member and one network within its cost, on the test part."""
        best = min(self.members, key=lambda i: self.known_pool.value([i]))
        rows = [self._judged(f"ensemble of {len(self.members)}", self.members)]
        rows.append(self._judged(f"best member, {self.candidates[best].name}", [best]))
        if self.rival is not None:
            rows.append(self._judged(f"one network, {self.candidates[self.rival].name}", [self.rival]))
        return tuple(rows)

    def _judged(self, name: str, members: Sequence[int]) -> dict[str, Any]:
        network = Averaged(self.networks[i] for i in members).eval()
        test, price = self.data.test, self.costs[0]
        figures = classification_figures(probabilities_on(network, test, self.data), test.labels.cpu().numpy())
        row: dict[str, Any] = {"name": name, "cost": self.known_pool.cost(price, members), **figures}
        row[ATTACK] = None if self.attack is None else self._attacked(network)
        return row

    def _attacked(self, network: nn.Module) -> float:
        assert self.attack is not None
        data, seed = self.data, self.context.seed
        model = UnitInput(network, data.mean, data.std).eval().to(data.device)
        try:
            return robust_accuracy(read_attack(self.attack), model, data.test, data, seed=seed, images=ATTACKED)
        finally:
            model.cpu()  # where networks are kept

    def card(self, deployment: Deployment, network: nn.Module) -> dict[str, Any]:
        """Return the content of ``card.json``, with the members and what they are compared with."""
        first = self.networks[self.members[0]]
        card = card_content(deployment, run=self.run, choice=self.choice, network=first, context=self.context)
        summed = {"FLOPs": "flops", "parameters": "params"}
        figures = [one for one in card["figures"] if one["name"] not in summed]
        for title, name in summed.items():
            if name in self.known_pool.costs:
                value = round(self.known_pool.cost(name, self.members))
                figures.insert(0, {"name": title, "value": value, "unit": "", "by": "the sum over members"})
        records = [self.candidates[i].trained for i in self.members]
        origins = [one.how if one is not None else "the supernet's, not trained" for one in records]
        card["figures"] = figures
        card["weights"] = {
            "origin": "ensemble",
            "words": f"Weights {deployment.weights}: " + "; ".join(dict.fromkeys(origins)) + ".",
            "training": [None if one is None else one.record for one in records],
        }
        card["ensemble"] = {
            "words": self.words,
            "chosen": self.chosen,
            "members": list(self.member_rows),
            "costs": self.costs,
            "bounds": list(map(str, self.known_pool.bounds)),
            "measures": [key for key in MEASURES if self.attack is not None or key != ATTACK],
            "compared": list(self.compared),
            "judged_on": f"the {len(self.data.test):,} test images, torch"
            + ("" if self.attack is None else f"; {ATTACK} on {min(ATTACKED, len(self.data.test)):,} of them"),
        }
        return card
