"""Problem of a search: space, skeleton, data, objectives and constraints, read from settings and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas.config import Settings
from evonas.errors import SettingsError
from evonas.networks import EVERY_PATH, Network, build
from evonas.objectives import Context, Evaluator, fingerprint, make_evaluator
from evonas.objectives.accuracy.anchor import AnchorEvaluator, read_anchor_name
from evonas.objectives.robust.names import is_robust
from evonas.objectives.table import TableEvaluator
from evonas.pareto.objective import split_direction
from evonas.pipeline.allowed_resolution import check_resolutions
from evonas.pipeline.anchor_defaults import with_anchors
from evonas.pipeline.asked import Asked, check_measured, check_task_objectives, objectives_of_task, read_asked
from evonas.pipeline.bounds import Bounds
from evonas.pipeline.checks import UNTRAINED, check_settings
from evonas.pipeline.defaults import uses_predictors
from evonas.pipeline.genome import SearchGenome
from evonas.pipeline.rows import RowGenome, is_partial, share_sentence
from evonas.pipeline.searched_data import read_data, task_of
from evonas.pipeline.start import ResolvedStart, refuse_transfer, resolve_start
from evonas.runs.manifest import new_manifest
from evonas.spaces import Space, load_space
from evonas.supernet import load_weights, make_sampler, weights_fingerprint
from evonas.supernet.norm_modes import separate_norms
from evonas.supernet.rules.registry import find_rule, write_rule
from evonas.tables.known import find_table
from evonas.tables.load import load_table
from evonas.training import resolve_device
from evonas.training.ladder import Ladder, parse_levels

CLIMBING_SHARE = 0.5
"""Share of a ladder's level that climbs to the next."""


class SearchProblem:
    """Problem that settings ask for; making one reads the data and checks all that can be checked before work begins.

    Args:
        settings: What to search for.
        start: Where it starts, with these settings, where that is known already; None: found here.

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
        bounds: What keeps to them, and evaluators that need no training: FLOPs, parameters, columns of the table, and
            latency once a table exists.

    Raises:
        EvonasError: Settings or data that make no sense, or a bound that no architecture keeps.
    """

    def __init__(self, settings: Settings, start: ResolvedStart | None = None) -> None:
        check_settings(settings)
        settings, self.start, notes = start or resolve_start(settings)
        self.notes = list(notes)
        refuse_transfer(settings.baseline, self.start is not None)
        self.space = load_space(settings.space)
        self.tables = load_table(list(settings.table), self.space) if settings.table else None
        asked = read_asked(settings, self.tables)
        find_rule(settings.sharing)  # options that it does not have are said before any work
        _check_sampling(settings, self.space)
        check_resolutions(settings, self.space, asked.evaluated, published=self.start is not None)
        self.device = str(resolve_device(settings.device))
        default = "small" if self.tables is None else self.space.literature
        self.skeleton = self.space.skeleton(settings.skeleton or default)
        self.space = self.space.under(self.skeleton)
        self.data = read_data(settings, self.space, None if self.start is None else self.start.entry, self.device)
        self.task = None if self.data is None else task_of(self.data)
        if self.data is not None and self.task is not None:
            self.skeleton = self.skeleton.replace(
                resolution=self.data.resolution,
                in_channels=self.data.in_channels,
                classes=self.task.head.outputs,
            )
            settings = objectives_of_task(settings, self.task)
            asked = read_asked(settings, self.tables)
            check_measured(asked, self.data)
        self.names, self.constraints, self.evaluated = asked.names, asked.constraints, asked.evaluated
        if self.learned and not self.skeleton.head:
            raise SettingsError(
                f"The skeleton '{settings.skeleton}' has no classifier: {', '.join(self.learned)} means nothing "
                "on it: leave --skeleton out, or optimize training-free scores"
            )
        if settings.epochs == 0 and self.learned and self.start is None and not settings.supernet:
            raise SettingsError(UNTRAINED)
        predicted = uses_predictors(settings, trainable=bool(self.learned), published=self.start is not None)
        learns = "acc" in self.learned and settings.estimator == "supernet"
        images = 0 if self.data is None else len(self.data.train)
        settings = with_anchors(settings, self.space, learns=learns, images=images, published=self.start is not None)
        if self.task is not None:
            check_task_objectives(asked, self.task, settings)
        self.settings = _absolute(settings).model_copy(update={"surrogate": predicted})
        self.genome = self._make_genome(asked)
        self.bounds = Bounds(asked, self.genome, self._cheap(asked), self.settings.seed)

    def _cheap(self, asked: Asked) -> dict[str, Evaluator]:
        """Return evaluators that need no training, by objective."""
        costs = make_evaluator("flops", self.context())
        cheap: dict[str, Evaluator] = dict.fromkeys(("flops", "params"), costs)
        if self.tables is not None and asked.columns:
            truth = TableEvaluator(self.tables, list(asked.columns))
            cheap |= {objective.name: truth for objective in truth.objectives}
        return cheap

    def _make_genome(self, asked: Asked) -> SearchGenome:
        """Return the genome of the search: of the space, or of a table's rows where they are a part of it."""
        if self.tables is None or not asked.columns or not is_partial(self.space, self.tables):
            return SearchGenome(self.space, self.settings.resolutions)
        if self.settings.resolutions:
            raise SettingsError("Rows of a table are of one resolution: leave out --resolutions")
        genome = RowGenome(self.space, self.tables, [split_direction(text)[0] for text in asked.columns])
        self.notes = [*self.notes, share_sentence(self.space, self.tables, genome)]
        return genome

    @property
    def learned(self) -> list[str]:
        """Objectives that a trained supernet estimates: accuracy, what the task measures, and robustness."""
        columns = set(self.tables.columns if self.tables is not None else ())
        own = [name for name in self.evaluated if name not in columns]
        task = self.task
        return [name for name in own if name == "acc" or is_robust(name) or (task is not None and task.named(name))]

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

    def new_supernet(self) -> Network:
        """Return a supernet with fresh weights; of published ones it knows which paths keep their statistics."""
        network = build(self.space, self.skeleton, seed=self.settings.seed)
        separate_norms(network, self.settings.norms)
        if self.start is not None:
            every = self.settings.norm_statistics == "published"
            network.kept_statistics = EVERY_PATH if every else str(self.space.extremes()[1])
        return network

    def manifest(self) -> dict[str, Any]:
        """Return what a run remembers of where and with what it was made."""
        space = {"name": self.space.name, "fingerprint": fingerprint(self.space.content)}
        data: Any = None if self.data is None else self.data.fingerprint
        if self.tables is not None:
            truth = {name: column.tobytes().hex() for name, column in self.tables.columns.items()}
            data = {"images": data, "table": fingerprint(truth)}
        return new_manifest(seed=self.settings.seed, space=space, data=data)

    def context(self, **more: Any) -> Context:
        """Return what evaluators are made from."""
        own = {name: getattr(self.settings, name) for name in ("estimator", "resolutions", "corruptions", "predictor")}
        options = {**own, **more.pop("options", {})}
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

    def evaluators(self, context: Context, names: Iterable[str] | None = None) -> Mapping[str, Evaluator]:
        """Return evaluators by objective; by default of every objective that is evaluated."""
        names = self.evaluated if names is None else names
        found: dict[str, Evaluator] = {}
        for name in names:  # measures of a task are read together
            together = next((one for one in found.values() if name in {o.name for o in one.objectives}), None)
            found[name] = self.bounds.cheap.get(name) or together or _evaluator(name, context)
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


def _check_sampling(settings: Settings, space: Space) -> None:
    """Say before any work what a sampling of paths lacks."""
    if settings.sampling != "warm":
        make_sampler(settings.sampling, space)
    elif settings.warm_start == 0:
        raise SettingsError("The sampling 'warm' draws by the scores of a warm start: give --warm-start above 0")


def _evaluator(name: str, context: Context) -> Evaluator:
    epochs = read_anchor_name(name)  # no objective of a search: its name is not in the registry
    return make_evaluator(name, context) if epochs is None else AnchorEvaluator(context, epochs)


def _absolute(settings: Settings) -> Settings:
    """Return settings whose paths are absolute: a run must find its files wherever it is resumed from.

    A rule of weight sharing is written out: the file that it was read from may be edited, or go.
    """
    changes: dict[str, object] = {
        name: str(Path(value).resolve())
        for name in ("space", "data", "supernet", "latency_table", "anchors_from", "teacher", "predictor")
        if (value := getattr(settings, name)) and Path(value).exists() and (name, value) != ("data", "digits")
    }
    changes["sharing"] = write_rule(settings.sharing)
    changes["table"] = tuple(str(find_table(name).resolve()) for name in settings.table)
    return settings.model_copy(update=changes)
