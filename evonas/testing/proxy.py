"""The contract of a training-free score."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fnmatch import fnmatchcase

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from evonas.errors import EvaluationError
from evonas.networks import Network, build
from evonas.objectives.proxy import sampled_sizes
from evonas.proxies import Proxy, score_all
from evonas.spaces import Architecture, Skeleton, Space

DRAWS = (4, 8, 16, 32, 64)
"""Scores under random weights that two options are compared by; more of them where fewer do not distinguish them."""
DISTANCE = 5.0
"""Standard errors of a difference beyond which it is no chance of the weights."""
SCREENED = 4
"""Scores by which the options of a choice are ordered, before the lowest and the highest of them are compared."""
OPTIONS = 7
"""Options of a choice that are tried, spread over all."""
BASES = 4
"""Architectures in which a choice is tried."""
SEARCHED = 200
"""Architectures drawn to find those in which a choice is at work."""
KEPT = 8
"""Networks that are kept for more draws."""
ROUNDING = 1e-6
"""Relative difference of scores below which they are equal."""


class ProxyContract(ABC):
    """Tests of every proxy that the package relies on; run by pytest in a subclass whose name starts with ``Test``.

    A score steers the search over every choice of a space. One that a choice cannot move is blind there, and the
    search is left to chance: a proxy that cannot see something says so in `Proxy.unseen`.
    """

    @abstractmethod
    def make_proxy(self) -> Proxy:
        """Return the proxy under test."""

    @abstractmethod
    def make_space(self) -> Space:
        """Return the space whose choices the proxy is to see."""

    def make_skeleton(self) -> Skeleton:
        """Return the skeleton that the proxy asks for; override it for smaller images."""
        needs = self.make_proxy().needs
        own = self.make_space().skeleton(needs.skeleton)
        return own.replace(head=own.head or needs.labels or needs.head)

    def make_images(self, n: int, skeleton: Skeleton) -> Tensor:
        """Return images as smooth as photos are, shape (n, channels, height, width), mean 0 and deviation 1."""
        generator = torch.Generator().manual_seed(0)
        images = torch.zeros(n, *skeleton.shape)
        for grid in (2, 4, 8):
            coarse = torch.randn(n, skeleton.in_channels, grid, grid, generator=generator)
            images += 2 / grid * interpolate(coarse, size=skeleton.sides, mode="bilinear", align_corners=False)
        return (images - images.mean()) / images.std()

    # ------------------------------------------------------------------------------------- what it says of itself

    def test_describes_itself(self) -> None:
        """It has a name, a direction and a docstring, and gives a reason for whatever it does not see."""
        proxy = self.make_proxy()
        assert proxy.name
        assert proxy.direction in ("max", "min")
        assert type(proxy).__doc__
        assert all(pattern and len(reason.split()) >= 3 for pattern, reason in proxy.unseen.items())

    # ----------------------------------------------------------------------------------------------- what it gives

    def test_scores_follow_from_the_seed(self) -> None:
        """Equal seeds give equal, finite scores, whatever else is random; the network stays as it was."""
        trial = _Trial(self)
        form = next(trial.bases())
        network = trial.network(form)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        torch.manual_seed(1)
        first = trial.proxy.objective(trial.score(form, 5))
        torch.manual_seed(2)
        assert trial.proxy.objective(trial.score(form, 5)) == first
        assert math.isfinite(first)
        after = network.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())

    def test_copies_of_one_image_are_refused(self) -> None:
        """Images that do not differ show nothing; the error says so in one line."""
        trial = _Trial(self)
        form = next(trial.bases())
        trial.images = trial.images[:1].expand_as(trial.images)
        (found,) = trial.outcome(form, 0)
        assert isinstance(found, EvaluationError), "expected an EvaluationError, got a score of copies of one image"
        assert "\n" not in str(found)

    def test_sees_every_choice(self) -> None:
        """For every choice of the space two options give scores that differ by more than the chance of the weights."""
        trial = _Trial(self)
        unseen = trial.proxy.unseen
        blind = [
            choice
            for number, choice in enumerate(trial.space.choices)
            if not any(fnmatchcase(choice, pattern) for pattern in unseen) and not trial.sees(number)
        ]
        assert not blind, (
            f"{trial.proxy.name} does not see {', '.join(blind)} of {trial.space.name} on the skeleton "
            f"{trial.proxy.needs.skeleton}: mend its skeleton, or say why in 'unseen'"
        )


class _Trial:
    """A proxy on a space's networks: scores by architecture and seed, each computed once."""

    def __init__(self, contract: ProxyContract) -> None:
        self.proxy, self.space, self.skeleton = contract.make_proxy(), contract.make_space(), contract.make_skeleton()
        if self.proxy.needs.sizes:
            self.proxy = self.proxy.fitted(sampled_sizes(self.space, self.skeleton))
        self.images = contract.make_images(self.proxy.needs.batch, self.skeleton)
        self.labels = torch.arange(len(self.images)) % self.skeleton.classes
        self._networks: dict[str, Network] = {}
        self._scores: dict[str, list[float]] = {}

    def bases(self) -> Iterator[Architecture]:
        """Yield architectures that the proxy scores."""
        for genome in self.space.sample(SEARCHED, np.random.default_rng(0), by="choice"):
            form = self.space.form(genome)
            if self.scores(form, 1) is not None:
                yield form

    def network(self, form: Architecture) -> Network:
        """Return the network of an architecture, the same one at each call."""
        key = str(form)
        if key not in self._networks:
            if len(self._networks) >= KEPT:
                self._networks.clear()
            self._networks[key] = build(self.space, self.skeleton, form)
        return self._networks[key]

    def outcome(self, form: Architecture, seed: int) -> list[float | EvaluationError]:
        """Return one score, or why there is none, as a list of one."""
        network = self.network(form)
        # Whoever asks for the size of the network that is searched gets that of the one that is scored.
        size = sum(parameter.numel() for parameter in network.parameters())
        return score_all([self.proxy], network, self.images, seed, self.labels, target_parameters=size)

    def score(self, form: Architecture, seed: int) -> float:
        """Return one score.

        Raises:
            EvaluationError: The proxy cannot score the architecture.
        """
        (found,) = self.outcome(form, seed)
        if isinstance(found, EvaluationError):
            raise found
        return found

    def scores(self, form: Architecture, draws: int) -> list[float] | None:
        """Return scores under as many draws of weights, or None where one fails."""
        own = self._scores.setdefault(str(form), [])
        try:
            while len(own) < draws:
                # Other weights for each architecture, as in a search.
                own.append(self.score(form, zlib.crc32(f"{len(own)} {form}".encode())))
        except EvaluationError:
            return None
        return own[:draws]

    def sees(self, choice: int) -> bool:
        """Return whether two options of a choice, all else equal, have different scores."""
        tried = 0
        for genome in self.space.sample(SEARCHED, np.random.default_rng(0), by="choice"):
            forms = {str(form): form for form in self._options(genome, choice)}
            screened = {key: own for key, form in forms.items() if (own := self.scores(form, SCREENED))}
            if len(screened) < 2:
                continue  # the choice is idle here, or nothing can be scored
            low, *_, high = sorted(screened, key=lambda key: float(np.mean(screened[key])))
            if self.differ(forms[low], forms[high]):
                return True
            tried += 1
            if tried == BASES:
                return False
        return False

    def _options(self, genome: np.ndarray, choice: int) -> Iterator[Architecture]:
        """Yield the canonical architectures of a choice's options, or of as many of them spread over all."""
        options = int(self.space.cardinalities[choice])
        for option in np.unique(np.linspace(0, options - 1, min(options, OPTIONS)).round().astype(int)):
            changed = genome.copy()
            changed[choice] = option
            yield self.space.form(changed)

    def differ(self, first: Architecture, second: Architecture) -> bool:
        """Return whether two architectures have different scores, by Welch's statistic of growing samples.

        Draws that the two were chosen by are left out: the lowest and the highest of several always seem to differ.
        """
        for draws in DRAWS:
            pair = self.scores(first, SCREENED + draws), self.scores(second, SCREENED + draws)
            if pair[0] is None or pair[1] is None:
                return False
            a, b = np.array(pair[0][SCREENED:]), np.array(pair[1][SCREENED:])
            difference = abs(a.mean() - b.mean())
            error = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / draws)
            if difference > ROUNDING * (abs(a).mean() + abs(b).mean()) and difference > DISTANCE * error:
                return True
            if np.ptp(a) == np.ptp(b) == 0:
                return False  # nothing is drawn: more of the same shows no more
        return False
