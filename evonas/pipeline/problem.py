"""What a search is about: space, skeleton, data, objectives and constraints, read from settings and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evonas.config import Settings, parse_levels
from evonas.data import Dataset, load_data
from evonas.errors import SettingsError, suggest
from evonas.networks import Network, build
from evonas.objectives import Context, Evaluator, check_objectives, fingerprint, known_objectives, make_evaluator
from evonas.objectives.accuracy.anchor import AnchorEvaluator, read_anchor_name
from evonas.objectives.accuracy.estimators import DEFAULT, check_measures, read_estimator
from evonas.objectives.accuracy.measures import measured_objectives
from evonas.objectives.table import TableEvaluator
from evonas.pareto.objective import Constraint, parse_constraints, split_direction, split_names
from evonas.pipeline.anchor_defaults import with_anchors
from evonas.pipeline.checks import check_settings
from evonas.pipeline.defaults import data_options, uses_predictors
from evonas.pipeline.feasibility import Feasibility, find_feasibility
from evonas.pipeline.genome import SearchGenome
from evonas.pipeline.rows import RowGenome, is_partial, share_sentence
from evonas.pipeline.start import check_resolution, default_resolution, read_start, refuse_transfer, resolve_start
from evonas.runs.manifest import new_manifest
from evonas.spaces import Candidate, load_space
from evonas.supernet import load_weights, make_sampler, weights_fingerprint
from evonas.supernet.norm_modes import separate_norms
from evonas.supernet.rules.registry import find_rule, write_rule
from evonas.tables.known import find_table
from evonas.tables.load import load_table
from evonas.tables.table import Table
from evonas.tasks import Task, make_task, named_measure
from evonas.training import resolve_device
from evonas.training.ladder import Ladder

CLIMBING_SHARE = 0.5
"""Share of a ladder's level that climbs to the next."""
ARCHITECTURES_TRIED = 2000
"""Candidates drawn in each way to see whether a bound on a cheap objective can be kept at all."""

SIZED = ("acc", "flops", "params")
"""Objectives that are known for each candidate's own resolution."""


class SearchProblem:
    """What settings ask for; making one reads the data and checks all that can be checked before work begins.

    Args:
        settings: What to search for.

    Attributes:
        settings: The same, with absolute paths, for a run must find its files wherever it is resumed from, and with
            what settings left open decided.
        genome: Genomes of the search, and the candidates they mean.
        notes: What is said of the start before work begins.
        start: Published weights that the search starts from, or None.
        space, skeleton, data, device: What networks are built of and read; data is None in a search on a table.
        task: What networks are trained for, and what is measured of them; None without data.
        tables: Measured truth, or None.
        names: Objectives to optimize, in order.
        evaluated: These, and what constraints bound also.
        constraints: Bounds.
        cheap: Evaluators that need no training: FLOPs, parameters, and latency once a table exists.

    Raises:
        EvonasError: Settings or data that make no sense, or a bound that no architecture keeps.
    """

    def __init__(self, settings: Settings) -> None:
        settings = settings.with_metric("acc") if settings.metric is not None else settings
        check_settings(settings)
        settings, self.notes = resolve_start(settings)
        self.start = read_start(settings)
        refuse_transfer(settings.baseline, self.start is not None)
        self.space = load_space(settings.space)
        self.tables = load_table(list(settings.table), self.space) if settings.table else None
        columns = self._read_objectives(settings)
        find_rule(settings.sharing)  # options that it does not have are said before any work
        self._check_sampling(settings)
        self._check_resolutions(settings)
        self.device = str(resolve_device(settings.device))
        default = "small" if self.tables is None else self.space.literature
        self.skeleton = self.space.skeleton(settings.skeleton or default)
        self.space = self.space.under(self.skeleton)
        self.data = self._read_data(settings)
        self.task = None if self.data is None else task_of(self.data)
        if self.data is not None and self.task is not None:
            self.skeleton = self.skeleton.replace(
                resolution=self.data.resolution,
                in_channels=self.data.in_channels,
                classes=self.task.head.outputs,
            )
        if self.task is not None and self.task.objective != "acc":
            columns = self._fit_task(settings := self._default_objectives(settings))
        self._check_measures()
        predicted = uses_predictors(settings, trainable=bool(self.learned))
        learns = "acc" in self.learned and settings.estimator == "supernet"
        images = 0 if self.data is None else len(self.data.train)
        settings = with_anchors(settings, self.space, learns=learns, images=images)
        if self.task is not None and "acc" in self.learned:
            check_measures(self.task, settings.estimator, settings.anchors or 0)
        self.settings = _absolute(settings).model_copy(update={"surrogate": predicted})
        costs = make_evaluator("flops", self.context())
        self.cheap: dict[str, Evaluator] = dict.fromkeys(("flops", "params"), costs)
        if self.tables is not None and columns:
            truth = TableEvaluator(self.tables, columns)
            self.cheap |= {objective.name: truth for objective in truth.objectives}
        self.genome = self._make_genome(columns)
        self.feasibility: Feasibility | None = None
        self.refuse_impossible()

    def _read_objectives(self, settings: Settings) -> list[str]:
        """Read objectives and constraints; return those that are columns of the table, with their direction."""
        asked = split_names(settings.objectives)
        self.constraints = parse_constraints(settings.constraint)
        self.names = split_names([split_direction(text)[0] for text in asked])
        self.evaluated = tuple(dict.fromkeys((*self.names, *(c.objective for c in self.constraints))))
        columns = []
        for name in self.evaluated:
            text = next((text for text in asked if split_direction(text)[0] == name), name)
            if self.tables is not None and name in self.tables:
                columns.append(text)
                continue
            if self.tables is not None:
                _refuse_unknown(name, self.tables)
            if split_direction(text)[1]:
                raise SettingsError(f"A direction is given to columns of a table only, got '{text}'")
            check_objectives([name])
        return columns

    def _make_genome(self, columns: Sequence[str]) -> SearchGenome:
        """Return the genome of the search: of the space, or of a table's rows where they are a part of it."""
        if self.tables is None or not columns or not is_partial(self.space, self.tables):
            return SearchGenome(self.space, self.settings.resolutions)
        if self.settings.resolutions:
            raise SettingsError("Rows of a table are of one resolution: leave out --resolutions")
        genome = RowGenome(self.space, self.tables, [split_direction(text)[0] for text in columns])
        self.notes = [*self.notes, share_sentence(self.space, self.tables, genome)]
        return genome

    def _check_measures(self) -> None:
        """Refuse a measure that the task of the data does not have, such as the recall of a class that there is not.

        Raises:
            SettingsError: There is one.
        """
        for name in self.evaluated:
            column = self.tables is not None and name in self.tables
            if self.data is not None and not column and named_measure(name) is not None:
                measured_objectives(self.data, name)

    def _default_objectives(self, settings: Settings) -> Settings:
        """Return settings that, unless they name objectives, optimize what the task measures first."""
        assert self.task is not None
        return settings.with_metric(self.task.objective)

    def _fit_task(self, settings: Settings) -> list[str]:
        """Read objectives again for a task that is no classification; refuse accuracy and its own estimates.

        Raises:
            SettingsError: Accuracy is asked for, or an estimate that is of accuracy alone.
        """
        assert self.task is not None
        columns, own = self._read_objectives(settings), self.task.objective
        if "acc" in self.evaluated and "acc" not in columns:
            raise SettingsError(
                f"The objective 'acc' is for classification, but these data are for {self.task.name}: "
                f"use '{own}', such as --objectives {own},flops"
            )
        kind, option = read_estimator(settings.estimator)
        if kind == "supernet" and option != DEFAULT:
            raise SettingsError(
                f"The estimator '{settings.estimator}' is of accuracy alone: for '{own}' leave it out, or use "
                "train:EPOCHS"
            )
        return columns

    @property
    def learned(self) -> list[str]:
        """Objectives that a trained supernet estimates: accuracy, or what the task measures."""
        columns = set(self.tables.columns if self.tables is not None else ())
        own = [name for name in self.evaluated if name not in columns]
        return [name for name in own if name == "acc" or (self.task is not None and self.task.named(name))]

    @property
    def ladder(self) -> Ladder:
        """Ladder that anchors climb."""
        return Ladder(parse_levels(self.settings.anchor_epochs or ""), CLIMBING_SHARE)

    def anchor_context(self, context: Context, folder: str | Path) -> Context:
        """Return what evaluators of anchors are made from.

        Args:
            context: What other evaluators are made from.
            folder: Where checkpoints are kept.
        """
        options = {
            "ladder": list(self.ladder.epochs),
            "distillation": self.settings.distillation,
            "teacher": self.settings.teacher,
            "anchor_folder": str(folder),
        }
        return replace(context, options={**context.options, **options})

    def _check_resolutions(self, settings: Settings) -> None:
        """Refuse resolutions to search that the space does not have, or that something asked for cannot follow."""
        if not settings.resolutions:
            return
        if self.start is None:
            raise SettingsError(
                "Resolutions are searched from published weights, and this search starts from none: leave out "
                "--resolutions, or name weights by --pretrained"
            )
        for side in settings.resolutions:
            check_resolution(self.space, side)
        if settings.resolution is not None and settings.resolution != max(settings.resolutions):
            raise SettingsError(
                f"Images are read at the largest of the resolutions {', '.join(map(str, settings.resolutions))}, got "
                f"--resolution {settings.resolution}: leave it out"
            )
        for name in self.evaluated:
            if name not in SIZED:
                raise SettingsError(
                    f"The objective '{name}' is of one resolution: with --resolutions expected {', '.join(SIZED)}"
                )
        if settings.warm_start or settings.anchors:
            raise SettingsError("--warm-start and --anchors are of one resolution: leave them out with --resolutions")

    def _check_sampling(self, settings: Settings) -> None:
        """Say before any work what a sampling of paths lacks."""
        if settings.sampling != "warm":
            make_sampler(settings.sampling, self.space)
        elif settings.warm_start == 0:
            raise SettingsError("The sampling 'warm' draws by the scores of a warm start: give --warm-start above 0")

    def _read_data(self, settings: Settings) -> Dataset | None:
        """Read the data; a search on a table needs none unless some is named."""
        if self.tables is not None and settings.data is None:
            return None
        definition, channels, statistics = self.space.definition, None, None
        resolution = settings.resolution or (max(definition.resolutions) if definition.resolutions else None)
        if self.start is not None:
            entry = self.start.entry
            assert entry.preprocessing is not None
            usual = entry.preprocessing.resolution
            resolution = (
                resolution
                or max(settings.resolutions, default=0)
                or default_resolution(definition.search_resolutions, usual)
            )
            channels, statistics = 3, (entry.preprocessing.mean, entry.preprocessing.std)
        return load_data(
            settings.data or "digits",
            resolution=resolution,
            limit=settings.train_limit,
            validation=settings.validation,
            seed=settings.seed,
            device=self.device,
            channels=channels,
            statistics=statistics,
            options=data_options(settings),
        )

    def new_supernet(self) -> Network:
        """Return a supernet with fresh weights; of published ones it knows whose statistics of norms are theirs."""
        network = build(self.space, self.skeleton, seed=self.settings.seed)
        separate_norms(network, self.settings.norms)
        if self.start is not None:
            network.published = str(self.space.extremes()[1])
        return network

    def manifest(self) -> dict[str, Any]:
        """Return what a run remembers of where and with what it was made."""
        space = {"name": self.space.name, "fingerprint": fingerprint(self.space.definition.model_dump())}
        data: Any = None if self.data is None else self.data.fingerprint
        if self.tables is not None:
            truth = {name: column.tobytes().hex() for name, column in self.tables.columns.items()}
            data = {"images": data, "table": fingerprint(truth)}
        return new_manifest(seed=self.settings.seed, space=space, data=data)

    def context(self, **more: Any) -> Context:
        """Return what evaluators are made from."""
        options = {"estimator": self.settings.estimator, **more.pop("options", {})}
        return Context(
            self.space,
            self.skeleton,
            self.data,
            self.device,
            seed=self.settings.seed,
            threads=self.settings.threads,
            options=options,
            **more,
        )

    def add_cheap(self, name: str, evaluator: Evaluator) -> None:
        """Add an evaluator that needs no training, and see whether bounds on it can be kept.

        Raises:
            SettingsError: One cannot.
        """
        self.cheap = {**self.cheap, name: evaluator}
        self.refuse_impossible()

    def refuse_impossible(self) -> None:
        """Find out what keeps to bounds on cheap objectives, and refuse one that nothing keeps to.

        Raises:
            SettingsError: Neither a large sample nor a descent from its nearest keeps to a bound; the message holds
                the nearest value.
        """
        constraints = self._cheap_constraints()
        if not constraints:
            return
        rng = np.random.default_rng([self.settings.seed, 3])
        ends = np.stack([np.zeros_like(self.genome.cardinalities), self.genome.cardinalities - 1])
        draws = [self.genome.sample(ARCHITECTURES_TRIED, rng, by=by) for by in ("choice", "size")]
        sample = np.concatenate([*draws, ends])
        self.feasibility = find_feasibility(constraints, self._read, sample, len(sample) - 2, self.genome.cardinalities)
        for constraint in constraints:
            best = self.feasibility.corners[str(constraint)]
            if constraint.violation(best) > 0:
                raise SettingsError(
                    f"No architecture of {len(sample)} tried keeps to {constraint}: the nearest has {best:,.6g}; "
                    "loosen the constraint or choose another skeleton"
                )

    def with_feasible(self, genomes: np.ndarray) -> np.ndarray:
        """Return a first population whose last members are what was found to keep to all bounds on cheap objectives.

        Args:
            genomes: Shape ``(n, genes)``; without such bounds they come back as they are.
        """
        if self.feasibility is None or len(self._cheap_constraints()) == 0:
            return genomes
        there = {self.genome.key(genome) for genome in genomes}
        found = {self.genome.key(genome): genome for genome in self.feasibility.feasible}
        new = [genome for key, genome in found.items() if key not in there][: len(genomes)]
        if not new:
            return genomes
        return np.concatenate([genomes[: len(genomes) - len(new)], np.stack(new).astype(genomes.dtype)])

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Candidate]]:
        """Draw different candidates, those first that keep to bounds on cheap objectives.

        Args:
            n: How many; fewer come back where the space holds fewer.
            rng: Source of randomness.

        Returns:
            Genomes of shape ``(n, genes)`` and their candidates.
        """
        kept: dict[str, tuple[np.ndarray, Candidate]] = {}
        spare: dict[str, tuple[np.ndarray, Candidate]] = {}
        for _ in range(20):
            genomes = self.genome.sample(n, rng)
            candidates = [self.genome.candidate(genome) for genome in genomes]
            feasible = np.ones(len(candidates), dtype=bool)
            for constraint in self._cheap_constraints():
                values = self._values(constraint.objective, candidates)
                feasible &= np.array([constraint.violation(value) <= 0 for value in values])
            for genome, candidate, good in zip(genomes, candidates, feasible, strict=True):
                (kept if good else spare).setdefault(str(candidate), (genome, candidate))
            if len(kept) >= n:
                break
        chosen = [*kept.values(), *spare.values()][:n]
        return np.stack([genome for genome, _ in chosen]), [candidate for _, candidate in chosen]

    def violations(self, values: np.ndarray) -> np.ndarray:
        """Return by how much each row of values breaks each constraint.

        Args:
            values: Shape ``(n, len(evaluated))``, natural directions.

        Returns:
            Shape ``(n, len(constraints))``, relative to the bound; NaN where the value is.
        """
        columns = {name: i for i, name in enumerate(self.evaluated)}
        broken = np.zeros((len(values), len(self.constraints)))
        for i, constraint in enumerate(self.constraints):
            column = values[:, columns[constraint.objective]]
            broken[:, i] = [constraint.violation(v) if np.isfinite(v) else np.nan for v in column]
        return broken

    def evaluators(self, context: Context, names: Iterable[str] | None = None) -> Mapping[str, Evaluator]:
        """Return evaluators by objective; by default of every objective that is evaluated."""
        names = self.evaluated if names is None else names
        found: dict[str, Evaluator] = {}
        for name in names:  # measures of a task are read together
            together = next((one for one in found.values() if name in {o.name for o in one.objectives}), None)
            found[name] = self.cheap.get(name) or together or _evaluator(name, context)
        return found

    def trained(self, path: str | Path) -> Context:
        """Return what evaluators are made from, with the shared weights of a checkpoint.

        Raises:
            TrainingError: It cannot be read, or is of another network.
        """
        network = self.new_supernet()
        load_weights(network, Path(path))
        network.to(self.device).eval()
        return self.context(supernet=network, supernet_fingerprint=weights_fingerprint(network))

    def _cheap_constraints(self) -> list[Constraint]:
        return [constraint for constraint in self.constraints if constraint.objective in self.cheap]

    def _read(self, name: str, genomes: np.ndarray) -> np.ndarray:
        return np.array(self._values(name, [self.genome.candidate(genome) for genome in genomes]))

    def _values(self, name: str, candidates: Sequence[Candidate]) -> list[float]:
        values = [row[name].value for row in self.cheap[name].evaluate(candidates)]
        return [float("nan") if value is None else value for value in values]


def task_of(data: Dataset) -> Task:
    """Return the task of a data set.

    Raises:
        SettingsError: No such task, or one of other targets.
    """
    task, labels = make_task(data), data.train.labels
    if (labels.dtype, tuple(labels.shape[1:])) != (task.dtype, tuple(task.target_shape)):
        raise SettingsError(
            f"Expected targets of {task.dtype} and shape {tuple(task.target_shape)} for the task '{task.name}', got "
            f"{labels.dtype} and {tuple(labels.shape[1:])} in '{data.name}': leave --task out, or give other data"
        )
    return task


def _refuse_unknown(name: str, tables: Table) -> None:
    """Refuse a name that is neither a column of numbers nor computed.

    Raises:
        SettingsError: It is none; a column of texts is named by the cell that is no number.
    """
    known = known_objectives()
    if name in tables.labels and name not in known:
        tables[name]
    if name.partition("(")[0] not in {one.partition("(")[0] for one in known} | {"rank"}:
        raise SettingsError(
            f"Unknown objective '{name}': expected a column of the table ({', '.join(tables.columns)}) or one that is "
            f"computed ({', '.join(known)}).{suggest(name, [*tables.columns, *known])}"
        )


def _evaluator(name: str, context: Context) -> Evaluator:
    epochs = read_anchor_name(name)  # no objective of a search: its name is not in the registry
    return make_evaluator(name, context) if epochs is None else AnchorEvaluator(context, epochs)


def _absolute(settings: Settings) -> Settings:
    """Return settings whose paths are absolute: a run must find its files wherever it is resumed from.

    A rule of weight sharing is written out: the file that it was read from may be edited, or go.
    """
    changes: dict[str, object] = {
        name: str(Path(value).resolve())
        for name in ("space", "data", "supernet", "latency_table", "anchors_from", "teacher")
        if (value := getattr(settings, name)) and Path(value).exists()
    }
    changes["sharing"] = write_rule(settings.sharing)
    changes["table"] = tuple(str(find_table(name).resolve()) for name in settings.table)
    return settings.model_copy(update=changes)
