"""Steps of a search before it evolves: a latency table, the first population, a trained supernet."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data import Dataset, Part
from evonas.engine import LocalEngine
from evonas.errors import DataError
from evonas.files.progress import Progress
from evonas.networks import Network
from evonas.objectives import Context
from evonas.objectives.accuracy.main_effects import REFERENCES, read_scores
from evonas.objectives.free import FreeEvaluator
from evonas.objectives.latency.latency import LatencyEvaluator, device_latency_table
from evonas.objectives.proxy import ProxyEvaluator
from evonas.pareto.dominance import choose_first, minimized
from evonas.pipeline.adapted import adapted_supernet
from evonas.pipeline.budget import CERTAIN, Budget
from evonas.pipeline.context import PATHS_FILE, with_paths
from evonas.pipeline.plan import FEWEST_SCORED, SUPERNET_UPDATES, planned_units
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.shrunk import ends_of
from evonas.pipeline.unit_costs import SWAP_REPEATS
from evonas.proxies import SaturationWarning
from evonas.runs.run import Run
from evonas.spaces import Architecture, Candidate
from evonas.supernet import PathEvaluator, SupernetSettings, load_weights, make_sampler, train_supernet
from evonas.supernet.evaluate import KEPT, NORM_IMAGES
from evonas.supernet.forgetting import ForgettingProbe, summarize
from evonas.supernet.throughput import time_update
from evonas.tasks import make_task

PROBED_SHARE = 300.0
"""Seconds of a supernet's training below which no forgetting is logged: reading it takes its own time."""
FORGETTING_PROBES, FORGETTING_IMAGES = 8, 200
"""Forgetting values that are read while a supernet trains, and the images that each is read on."""


class SearchSetup:
    """The steps before evolution; each does what is left of it in the run.

    Args:
        problem: What is searched.
        run: Where it is stored.
        progress: Shows how far it is.
        budget: Time that may be taken.
    """

    def __init__(self, problem: SearchProblem, run: Run, progress: Progress, budget: Budget) -> None:
        self.problem, self.run, self.progress, self.budget = problem, run, progress, budget
        self.settings = problem.settings
        self._scored: tuple[list[Architecture], np.ndarray] | None = None

    @property
    def data(self) -> Dataset:
        """The images.

        Raises:
            DataError: The search has none.
        """
        if self.problem.data is None:
            raise DataError("A supernet is trained on images, and the search has none: give --data")
        return self.problem.data

    def latency_table(self) -> None:
        """Measure the latency table, once per device, and freeze it in the run: a replay must not measure again."""
        if "latency" not in self.problem.evaluated:
            return
        frozen = self.run.path / "latency.json"
        options = {"latency_table": str(frozen) if frozen.exists() else self.settings.latency_table}
        if options["latency_table"] is None:
            end = self.budget.now() + self.budget.share("latency table")
            table, kept = device_latency_table(
                self.problem.space, self.problem.skeleton, resolutions=self.settings.resolutions,
                seed=self.settings.seed, threads=self.settings.threads,
                left=(lambda: max(0.0, end - self.budget.now())) if self.budget.bounded else None,
                progress=self.progress,
            )  # fmt: skip
            if kept is not None:
                self.progress.say(f"The latency table was measured on this device before; remove {kept} for another")
            self.progress.say(
                f"The table's median error is {table.error:.1%} on whole networks that were left out of its fit"
            )
            options["latency_table"] = str(self.run.write(frozen.name, table.to_json()))
        evaluator = LatencyEvaluator(self.problem.context(options=options))
        if not frozen.exists():  # one that cannot be read, or does not fit, never comes into the run
            self.run.write(frozen.name, evaluator.table.to_json())
        if evaluator.foreign:
            self.progress.say(f"The latency table is of another device: {'; '.join(evaluator.foreign)}")
        self.problem.bounds.add_cheap("latency", evaluator)

    def free_reference(self) -> None:
        """Score the sample that `free` ranks in, once, and freeze it in the run."""
        if "free" not in self.problem.evaluated or "free" in self.problem.bounds.cheap:
            return
        frozen = self.run.path / "free.json"
        if not frozen.exists():
            evaluator = FreeEvaluator(self.problem.context())
            with self.progress.task("Scoring the sample that 'free' ranks in", 1) as task:
                self.run.write(frozen.name, evaluator.reference.to_json())
                task.advance(1)
        self.problem.bounds.add_cheap(
            "free", FreeEvaluator(self.problem.context(options={"free_reference": str(frozen)}))
        )

    def warm_start(self) -> np.ndarray:
        """Return the first population: the best by SWAP-Score and FLOPs of a sample, spread along the cost."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 1])
        if settings.warm_start == 0 and self.problem.start is not None:
            return self._near_published(rng)
        genomes, candidates = self.problem.bounds.sample(max(settings.warm_start, settings.population), rng)
        if settings.warm_start == 0 or self.problem.data is None:  # without images there is nothing to score on
            return genomes[: settings.population]
        swap = ProxyEvaluator(self.problem.context(), "swap", repeats=SWAP_REPEATS)
        engine = LocalEngine({"swap": swap, "flops": self.problem.bounds.cheap["flops"]}, self.run.store)
        with (
            self.progress.task("Scoring architectures by SWAP", len(candidates)) as task,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", SaturationWarning)
            values = self._score(engine, candidates, task.advance)
        if caught:  # once, not for each architecture
            self.progress.say(f"{len(caught)} of {len(candidates)} scores: {caught[0].message}")
        self._scored = [candidate.architecture for candidate in candidates[: len(values)]], values[:, 0]
        if len(values) < settings.population:  # what the time leaves unscored is as good as drawn
            return np.asarray(genomes[: settings.population])
        chosen = choose_first(minimized(values, ["max", "min"]), settings.population, cost_column=1)
        return np.asarray(genomes[chosen])

    def _near_published(self, rng: np.random.Generator) -> np.ndarray:
        """Return a first population of what published weights are worth most for.

        It holds the smallest architecture at the lowest resolution and the largest at each, from the highest down,
        and others at all distances from the largest; what breaks a bound that is known for nothing comes last.
        """
        ends = ends_of(self.problem)

        def draw(n: int, rng: np.random.Generator) -> np.ndarray:
            others = self.problem.genome.near_largest(n, rng)
            return np.concatenate([ends, others])[:n].astype(others.dtype)

        return self.problem.bounds.sample(self.settings.population, rng, draw)[0]

    def _score(
        self, engine: LocalEngine, candidates: Sequence[Candidate], advance: Callable[[int], None]
    ) -> np.ndarray:
        """Return SWAP-Score and FLOPs of candidates, or of as many of the first ones as the time allows."""
        names, store = ["swap", "flops"], self.run.store
        count = store.decisions("scored").get("scored", None if self.budget.bounded else len(candidates))
        if count is None:
            late, done = self.budget.end_of("scores"), itertools.count()
            engine.evaluate(candidates, names, advance, lambda: next(done) >= FEWEST_SCORED and late())
            known = engine.known(candidates, names)
            count = store.decide("scored", lambda: len(known) if known.all() else int(np.argmin(known)))
        if count < len(candidates):
            self.progress.say(f"{count} of {len(candidates)} architectures are scored in the time")
        return engine.evaluate(candidates[:count], names, advance if len(candidates) == count else lambda n: None)

    def supernet(self) -> Network:
        """Return the trained supernet: trained here, or taken over from another run."""
        settings, path = self.settings, self.run.path / "supernet.safetensors"
        if self.problem.start is not None and not settings.supernet:
            return adapted_supernet(self.problem, self.run, self.data, self.progress, self.budget)
        network = self.problem.new_supernet().to(self.problem.device)
        if settings.supernet:
            if not path.exists():
                theirs = Path(settings.supernet) / path.name
                load_weights(network, theirs)  # says what does not fit before anything is written
                self.run.write(path.name, theirs.read_bytes())
            load_weights(network, path)
            return network
        data = self.data
        per_epoch = max(1, len(data.train) // settings.batch_size)
        epochs, updates = self._length(per_epoch)
        with self.progress.task("Training the supernet", updates) as task:
            done = 0

            def advance(state: Any) -> None:
                nonlocal done
                task.advance(state.step - done, f"epoch {state.epoch}, loss {state.loss:.3f}")
                done = state.step

            history = train_supernet(
                network,
                data,
                settings.sharing,
                SupernetSettings(
                    epochs=epochs,
                    updates=None if updates == epochs * per_epoch else updates,
                    batch_size=settings.batch_size,
                    lr=settings.lr,
                    weight_decay=0.0,
                    seed=settings.seed,
                    norms=settings.norms,
                ),
                sample=make_sampler(settings.sampling, self.problem.space, scored=self._scored),
                augment=data.augment,
                task=make_task(data),
                checkpoint=path,
                progress=advance,
                probe=None if self.budget.share("supernet") < PROBED_SHARE else self._probe(network, epochs),
                over=self.budget.end_of("supernet") if self.budget.bounded else None,
            )
        figures = {
            "last": history.epochs[-1],
            "forgetting": summarize(history.forgetting) if history.forgetting else {},
        }
        if cut := int(history.epochs[-1].get("cut", 0)):
            self.progress.say(f"{cut:,} of {updates:,} updates of the supernet are done in the time")
        self.run.update_manifest(supernet={"rule": settings.sharing, "epochs": len(history.epochs), **figures})
        return network

    def path_sample(self, context: Context) -> Context:
        """Read the sample of paths that accuracy rests on within its share of the time, and freeze it in the run.

        Without a deadline nothing is read here: what estimates accuracy reads all of it when it is first asked.

        Args:
            context: What evaluators are made from, with the trained supernet.

        Returns:
            The same, with the scores that were read.

        Raises:
            EvaluationError: No path of the sample can be read.
        """
        frozen = self.run.path / PATHS_FILE
        if not frozen.exists():
            if not (self.budget.bounded and self.budget.has("paths")) or context.supernet is None:
                return context
            reader = PathEvaluator(
                context.supernet, self.data, self.data.search, norm_images=NORM_IMAGES, memory=KEPT,
                task=make_task(self.data),
            )  # fmt: skip
            late = self.budget.end_of("paths")
            scores = read_scores(self.problem.space, reader, self.progress, over=late)
            if len(scores) < REFERENCES:
                self.progress.say(f"{len(scores)} of {REFERENCES} paths are read in the time")
            self.run.write(frozen.name, json.dumps({text: dict(score) for text, score in scores.items()}))
        return with_paths(context, frozen)

    def _probe(self, network: Network, epochs: int) -> ForgettingProbe:
        """Return what reads a few forgetting values while the supernet trains, on few images: a thing to log."""
        part = self.data.search
        task = make_task(self.data)
        some = Part(part.images[:FORGETTING_IMAGES], part.labels[:FORGETTING_IMAGES])
        few = PathEvaluator(network, self.data, some, task=task)
        every = -(-epochs // FORGETTING_PROBES)
        return ForgettingProbe(lambda form: task.quality(few.each(form)), per_epoch=1, every=every)

    def _length(self, per_epoch: int) -> tuple[int, int]:
        """Return epochs and updates of supernet training: given, or what the time allows, or by the size of the data.

        A time that ends within an epoch cuts it short.
        """
        if self.settings.epochs is not None or self.settings.time is None:
            given = self.settings.epochs or max(1, round(SUPERNET_UPDATES / per_epoch))
            epochs = self.run.store.decide("epochs", lambda: given)
            return epochs, epochs * per_epoch
        updates = self.run.store.decide("updates", self._updates_in_time)
        return -(-updates // per_epoch), updates

    def _updates_in_time(self) -> int:
        if not self.budget.bounded:  # prolonged before it was decided
            return SUPERNET_UPDATES
        if update := planned_units(self.run).get("update"):
            return max(1, int(CERTAIN * self.budget.share("supernet") / update))
        network = self.problem.new_supernet().to(self.problem.device)
        update = time_update(
            network,
            self.data,
            self.settings.sharing,
            batch_size=self.settings.batch_size,
            seconds=self.budget.probe(),
            augment=self.data.augment,
            task=make_task(self.data),
            norms=self.settings.norms,
        )
        return max(1, int(CERTAIN * self.budget.share("supernet") / update))
