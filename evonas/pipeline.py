"""A search in reading order: latency table, warm start, supernet, evolution, front.

Resuming is replay: `resume` runs the same steps again. What is stored answers at once, what a clock decided is
read back, and so the search goes on where it was stopped and ends with the same front.
"""

from __future__ import annotations

import itertools
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evonas.assist import make_evolution, note_predictors, suggestion
from evonas.baseline import write_baseline
from evonas.config import Settings, make_settings, move_settings, parse_time
from evonas.data import Part
from evonas.engine import LocalEngine, Recipe, is_dear, open_pool
from evonas.errors import RunError
from evonas.evolution import choose_first, minimized
from evonas.finish import write_front
from evonas.networks import Network, build
from evonas.objectives import Context, Objective, torch_threads
from evonas.objectives.latency import LatencyEvaluator, measure_latency_table
from evonas.objectives.proxy import ProxyEvaluator
from evonas.problem import Problem, problem_of
from evonas.progress import Progress, Silent
from evonas.proxies import SaturationWarning
from evonas.run import Run
from evonas.spaces import Architecture
from evonas.steady import evolve_steadily
from evonas.supernet import (
    ForgettingProbe,
    PathEvaluator,
    load_weights,
    make_sampler,
    summarize,
    time_update,
    train_supernet,
    weights_fingerprint,
)

SHARES = {"supernet": 0.5, "evolution": 0.4}
"""How a budget of time is divided; the rest is for warm start and front."""
UPDATES = 1500
"""Updates of supernet training where neither epochs nor a time are given."""
PROBES, PROBED = 8, 200
"""Forgetting values that are read while a supernet trains, and the images that each is read on."""
SWAP_REPEATS = 4
"""Re-initializations per SWAP-Score in a warm start: within 0.01 of 8 in rank correlation."""


def search(
    settings: Settings | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    **given: Any,
) -> Run:
    """Search for Pareto-optimal architectures.

    Args:
        settings: What to search for; default: accuracy against FLOPs of DARTS cells on the digits.
        out: The run directory to make; default: a new one in ``runs/``.
        progress: Shows how far the search is.
        after_generation: Called with the run after every generation, such as to refresh a report.
        **given: Settings by name, instead of `settings`.

    Returns:
        The run, open for reading; `read_front` gives its front.

    Raises:
        EvonasError: Settings or data that make no sense; ten failed evaluations in a row; a full disk.
    """
    settings = settings or make_settings(**given)
    path = Path(out) if out is not None else new_path(settings)
    if path.exists():
        raise RunError(f"{path} exists already: continue it with  evonas resume {path}  or choose another --out")
    problem = Problem(settings)
    with Run.create(path, problem.settings.content(), problem.manifest()) as run:
        _Search(problem, run, progress or Silent(), after_generation).go()
    return Run.open(path)


def resume(
    path: str | Path,
    *,
    generations: int | None = None,
    retry_failed: bool = False,
    baseline: bool = False,
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    **elsewhere: Any,
) -> Run:
    """Continue a search that was stopped, or prolong one that ended.

    Args:
        path: Its run directory.
        generations: Go on to that many generations in all.
        retry_failed: Try failed evaluations again.
        baseline: Spend as many evaluations on random architectures as well, now and whenever it is resumed.
        progress: Shows how far the search is.
        after_generation: Called with the run after every generation.
        **elsewhere: Settings of where evaluations run, for now: workers, engine, address, timeout.

    Raises:
        EvonasError: No run, one that another process works on, or one that cannot be replayed here.
    """
    progress = progress or Silent()
    with Run.open(path, write=True) as run:
        problem, warn = problem_of(run)
        problem.settings = move_settings(problem.settings, **elsewhere)
        for line in warn:
            progress.say(f"Note: {line}; results may differ in their last digits")
        if retry_failed:
            progress.say(f"{run.store.forget_failures()} failed evaluations will be tried again")
        if generations is not None:
            run.update_manifest(generations=generations)
        if baseline:
            run.update_manifest(baseline=True)
        _Search(problem, run, progress, after_generation).go()
    return Run.open(path)


def new_path(settings: Settings) -> Path:
    """Return a free place in ``runs/`` named after what is searched."""
    name = f"{Path(settings.space).stem}-{_source(settings)}-{settings.seed}"
    base = Path(os.environ.get("EVONAS_RUNS", "runs")) / name
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{name}-{number}")
    return path


def _source(settings: Settings) -> str:
    """Return a short name of the data, or of the table."""
    source = settings.data or (settings.table[0] if settings.table else "digits")
    return Path(source).name.partition(".")[0] or "data"


class _Search:
    """The steps of one search in its run."""

    def __init__(
        self, problem: Problem, run: Run, progress: Progress, after_generation: Callable[[Run], None] | None
    ) -> None:
        self.problem, self.run, self.progress = problem, run, progress
        self.after_generation = after_generation or (lambda run: None)
        self.settings = problem.settings
        self.scored: tuple[list[Architecture], np.ndarray] | None = None

    def go(self) -> None:
        """Do the whole search, or what is left of it."""
        began = time.perf_counter()
        with torch_threads(self.settings.threads):
            self.latency_table()
            first = self.warm_start()
            context = self.problem.context()
            if "acc" in self.problem.evaluated:
                network = self.supernet()
                context = self.problem.context(supernet=network, supernet_fingerprint=weights_fingerprint(network))
            with self.engine(context) as engine:
                objectives = self.objectives(engine)
                evolve = self.evolve_steadily if self.settings.asynchronous else self.evolve
                texts, values = evolve(first, objectives, engine)
                self.note_efficiency(engine)
                self.run.update_manifest(timings={"search_seconds": round(time.perf_counter() - began, 3)})
                write_front(self.problem, self.run, objectives, texts, values, context, self.progress)
                if self.settings.baseline or self.run.manifest.get("baseline"):
                    write_baseline(self.problem, self.run, objectives, values, engine, context, self.progress)

    def latency_table(self) -> None:
        """Measure the latency table and freeze it in the run: a replay must not measure anew."""
        if "latency" not in self.problem.evaluated:
            return
        frozen = self.run.path / "latency.json"
        options = {"latency_table": str(frozen) if frozen.exists() else self.settings.latency_table}
        if options["latency_table"] is None:
            table = measure_latency_table(
                self.problem.space, self.problem.skeleton, seed=self.settings.seed, threads=self.settings.threads,
                progress=self.progress,
            )  # fmt: skip
            self.progress.say(
                f"The table's median error is {table.error:.1%} on whole networks that were left out of its fit"
            )
            options["latency_table"] = str(self.run.write(frozen.name, table.to_json()))
        elif not frozen.exists():
            self.run.write(frozen.name, Path(options["latency_table"]).read_bytes())
        evaluator = LatencyEvaluator(self.problem.context(options=options))
        if evaluator.foreign:
            self.progress.say(f"The latency table is of another device: {'; '.join(evaluator.foreign)}")
        self.problem.add_cheap("latency", evaluator)

    def warm_start(self) -> np.ndarray:
        """Return the first population: the best by SWAP-Score and FLOPs of a sample, spread along the cost."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 1])
        genomes, forms = self.problem.sample(max(settings.warm_start, settings.population), rng)
        if settings.warm_start == 0 or self.problem.data is None:  # without images there is nothing to score on
            return genomes[: settings.population]
        swap = ProxyEvaluator(self.problem.context(), "swap", repeats=SWAP_REPEATS)
        engine = LocalEngine({"swap": swap, "flops": self.problem.cheap["flops"]}, self.run.store)
        with (
            self.progress.task("Scoring architectures by SWAP", len(forms)) as task,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", SaturationWarning)
            values = engine.evaluate(forms, ["swap", "flops"], task.advance)
        if caught:  # once, not for each architecture
            self.progress.say(f"{len(caught)} of {len(forms)} scores: {caught[0].message}")
        self.scored = forms, values[:, 0]
        return genomes[choose_first(minimized(values, ["max", "min"]), settings.population, cost_column=1)]

    def supernet(self) -> Network:
        """Return the trained supernet: trained here, or taken over from another run."""
        settings, path = self.settings, self.run.path / "supernet.safetensors"
        network = build(self.problem.space, self.problem.skeleton, seed=settings.seed).to(self.problem.device)
        if settings.supernet:
            if not path.exists():
                theirs = Path(settings.supernet) / path.name
                load_weights(network, theirs)  # says what does not fit before anything is written
                self.run.write(path.name, theirs.read_bytes())
            load_weights(network, path)
            return network
        per_epoch = max(1, len(self.problem.data.weights) // settings.batch_size)
        epochs = self.run.store.decide("epochs", lambda: self._epochs(per_epoch))
        with self.progress.task(f"Training the supernet ({settings.sharing})", epochs * per_epoch) as task:
            done = 0

            def advance(state: Any) -> None:
                nonlocal done
                task.advance(state.step - done, f"epoch {state.epoch}, loss {state.loss:.3f}")
                done = state.step

            history = train_supernet(
                network,
                self.problem.data,
                settings.sharing,
                epochs=epochs,
                sample=make_sampler(settings.sampling, self.problem.space, scored=self.scored),
                batch_size=settings.batch_size,
                lr=settings.lr,
                weight_decay=0.0,
                augment=self.problem.data.augment,
                seed=settings.seed,
                checkpoint=path,
                progress=advance,
                probe=self._probe(network, epochs),
            )
        told = {"last": history.epochs[-1], "forgetting": summarize(history.forgetting) if history.forgetting else {}}
        self.run.update_manifest(supernet={"rule": settings.sharing, "epochs": epochs, **told})
        return network

    def _probe(self, network: Network, epochs: int) -> ForgettingProbe:
        """Return what reads a few forgetting values while the supernet trains, on few images: a thing to log."""
        part = self.problem.data.select
        few = PathEvaluator(network, self.problem.data, Part(part.images[:PROBED], part.labels[:PROBED]))
        return ForgettingProbe(lambda form: few(form).accuracy, per_epoch=1, every=-(-epochs // PROBES))

    def _epochs(self, per_epoch: int) -> int:
        """Return the epochs of supernet training: given, or what the time allows, or by the size of the data."""
        if self.settings.epochs is not None:
            return self.settings.epochs
        if self.settings.time is None:
            return max(1, round(UPDATES / per_epoch))
        network = build(self.problem.space, self.problem.skeleton, seed=self.settings.seed).to(self.problem.device)
        update = time_update(network, self.problem.data, self.settings.sharing, batch_size=self.settings.batch_size)
        return max(1, int(SHARES["supernet"] * parse_time(self.settings.time) / (update * per_epoch)))

    @contextmanager
    def engine(self, context: Context) -> Iterator[LocalEngine]:
        """Yield what evaluates: this process, with workers where settings ask for them."""
        settings, evaluators = self.settings, self.problem.evaluators(context)
        dear = {name: one.fingerprint for name, one in evaluators.items() if is_dear(one)}
        supernet = {"supernet": str(self.run.path.resolve() / "supernet.safetensors")}
        recipe = Recipe(
            "evonas.problem:make_worker",
            {"settings": settings.content(), "names": list(dear)},
            dear,
            settings.threads,
            {} if context.supernet is None else supernet,
        )
        cores = os.cpu_count() or 1
        if settings.engine == "local" and settings.workers > 1 and settings.workers * settings.threads > cores:
            self.progress.say(
                f"Note: {settings.workers} workers of {settings.threads} threads share {cores} cores; fewer are as fast"
            )
        with open_pool(
            recipe,
            kind=settings.engine,
            workers=settings.workers,
            timeout=parse_time(settings.timeout) if settings.timeout else None,
            address=settings.address,
            gpus=1.0 if self.problem.device.startswith("cuda") else 0.0,
        ) as pool:
            yield LocalEngine(evaluators, self.run.store, pool)

    def objectives(self, engine: LocalEngine) -> list[Objective]:
        """Return what is optimized, in order, and write it down."""
        names = self.problem.names
        if better := suggestion(self.settings.algorithm, len(names)):
            self.progress.say(better)
        objectives = [next(o for o in engine.evaluators[name].objectives if o.name == name) for name in names]
        self.run.update_manifest(objectives=[asdict(objective) for objective in objectives])
        return objectives

    def evolve(
        self, first: np.ndarray, objectives: list[Objective], engine: LocalEngine
    ) -> tuple[list[str], np.ndarray]:
        """Run the evolution; return canonical texts and values of all that was told, in the order told."""
        settings, problem, store = self.settings, self.problem, self.run.store
        directions = [objective.direction for objective in objectives]
        evolution = make_evolution(problem, self.run, objectives, engine, first)
        total = self.run.manifest.get("generations") or settings.generations
        texts: list[str] = []
        told: list[np.ndarray] = []
        inside, aside, began = 0.0, 0.0, time.perf_counter()
        with self.progress.task("Searching", total * settings.population) as task:
            for generation in itertools.count():
                if generation == 1 and settings.time and "generations" not in self.run.manifest:
                    total = store.decide("generations", self._affordable)
                if len(texts) >= total * settings.population:
                    break
                genomes = evolution.ask()
                if not len(genomes):
                    self.progress.say("Every architecture of the space was evaluated.")
                    break
                forms = [problem.space.form(genome) for genome in genomes]
                texts += [problem.space.key(genome) for genome in genomes]
                store.enroll(generation, texts[-len(forms) :], evolution.parents)  # type: ignore[arg-type]
                start = time.perf_counter()
                values = engine.evaluate(forms, problem.evaluated, task.advance)
                inside += time.perf_counter() - start
                told.append(values)
                own = minimized(values[:, : len(directions)], directions)
                evolution.tell(genomes, own, problem.violations(values))
                start = time.perf_counter()
                self.after_generation(self.run)
                aside += time.perf_counter() - start
        note_predictors(self.run, evolution, problem.names)
        outside = time.perf_counter() - began - inside - aside
        self.run.update_manifest(
            timings={
                "evaluations_computed": engine.computed,
                "reporting_seconds": round(aside, 3),
                "outside_evaluations_ms_per_candidate": round(1e3 * outside / max(1, len(texts)), 4),
            }
        )
        return texts, np.concatenate(told)

    def evolve_steadily(
        self, first: np.ndarray, objectives: list[Objective], engine: LocalEngine
    ) -> tuple[list[str], np.ndarray]:
        """Run the evolution without generations; return as `evolve` does."""
        size = self.settings.population
        generations = self.run.manifest.get("generations") or self.settings.generations

        def total(told: int) -> int:
            if told < size or not self.settings.time or "generations" in self.run.manifest:
                return generations * size
            return size * self.run.store.decide("generations", self._affordable)

        with self.progress.task("Searching", generations * size) as task:
            found = evolve_steadily(
                self.problem, self.run, first, objectives, engine, task, total, self.after_generation
            )
        self.run.update_manifest(timings={"evaluations_computed": engine.computed})
        return found

    def note_efficiency(self, engine: LocalEngine) -> None:
        """Say how much of the workers' time was spent on evaluations."""
        if engine.efficiency is None:
            return
        self.progress.say(f"{self.settings.workers} workers: parallel efficiency {engine.efficiency:.0%}")
        self.run.update_manifest(
            engine={"workers": self.settings.workers, "parallel_efficiency": round(engine.efficiency, 4)}
        )

    def _affordable(self) -> int:
        """Return the generations that the time allows, given what the evaluations of the first one took."""
        assert self.settings.time is not None
        rows = {(row.architecture, row.objective): row.seconds for row in self.run.store.evaluations()}
        first = {member.architecture for member in self.run.store.members() if member.generation == 0}
        seconds = sum(s for (text, name), s in rows.items() if text in first and name in self.problem.evaluated)
        return max(1, int(SHARES["evolution"] * parse_time(self.settings.time) / max(seconds, 1e-3)))
