"""Catalog of what ships, by name: one line each and where it is defined, known without importing any of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from evonas.configs import describe_configs
from evonas.errors import SettingsError, suggest
from evonas.objectives import registry as objectives
from evonas.proxies import registry as proxies
from evonas.spaces import load_space, shipped
from evonas.supernet.rules import registry as rules
from evonas.tables.known import KNOWN_TABLES, KnownTable, find_table
from evonas.training import recipe_names, recipe_source


@dataclass(frozen=True)
class CatalogEntry:
    """One thing that has a name.

    Attributes:
        name: What commands call it.
        text: What it is, in one line.
        path: ``module:attribute`` of what computes it, or "" where it is data.
    """

    name: str
    text: str
    path: str = ""


def _entries(module: str, *rows: tuple[str, str, str]) -> tuple[CatalogEntry, ...]:
    return tuple(CatalogEntry(name, text, f"evonas.{module}.{path}") for name, path, text in rows)


PROXIES = tuple(CatalogEntry(name, proxies.DESCRIPTIONS[name], home) for name, home in proxies.SHIPPED.items())
OBJECTIVES = tuple(CatalogEntry(name, entry.description, entry.home) for name, entry in objectives.SHIPPED.items())
RULES = tuple(CatalogEntry(name, rules.DESCRIPTIONS[name], home) for name, home in rules.RULES.items()) + tuple(
    CatalogEntry(name, f"settings of {rules.read_rule(name)[0]}: {path.name}")
    for name, path in rules.named_settings().items()
)
ALGORITHMS = _entries(
    "evolution",
    ("nsga2", "algorithms:algorithms", "NSGA-II (Deb et al., 2002)"),
    ("nsga3", "algorithms:algorithms", "NSGA-III, for three objectives and more"),
    ("agemoea", "algorithms:algorithms", "AGE-MOEA; needs the extra agemoea"),
    ("random", "algorithms:algorithms", "every genome sampled afresh"),
    ("regularized-evolution", "algorithms:algorithms", "aging evolution (Real et al., 2019)"),
)
PREDICTORS = _entries(
    "predictors",
    ("gaussian-process", "regressors.gaussian_process:GaussianProcess", "Gaussian process"),
    ("ridge", "regressors.ridge:Ridge", "ridge regression"),
    ("lightgbm", "regressors.boosted_trees:BoostedTrees", "boosted trees; needs the extra lightgbm"),
)


def _spaces() -> tuple[CatalogEntry, ...]:
    return tuple(CatalogEntry(name, load_space(name).definition.source) for name in shipped())


def _recipes() -> tuple[CatalogEntry, ...]:
    names = sorted(recipe_names(), key=lambda name: name != DEFAULTS["recipes"])  # the default first
    return tuple(CatalogEntry(name, recipe_source(name)) for name in names)


def _weights() -> tuple[CatalogEntry, ...]:
    from evonas.training.weights.listing import describe_weights  # TOML files are read only where they are asked for

    return tuple(CatalogEntry(name, text) for name, text in describe_weights())


def _tables() -> tuple[CatalogEntry, ...]:
    return tuple(CatalogEntry(table.name, _describe_table(table)) for table in KNOWN_TABLES)


def _describe_table(table: KnownTable) -> str:
    file = find_table(table.name)
    where = f"here: {file}" if file.is_file() else "not here: its file belongs in the folder EVONAS_DATA"
    return f"space {table.space}, {table.holds}; {table.source}; as a file: {table.convert}; {where}"


KINDS: Mapping[str, Callable[[], tuple[CatalogEntry, ...]]] = {
    "spaces": _spaces,
    "objectives": lambda: (*OBJECTIVES, *(one for one in PROXIES if one.name not in {o.name for o in OBJECTIVES})),
    "proxies": lambda: PROXIES,
    "rules": lambda: RULES,
    "predictors": lambda: PREDICTORS,
    "algorithms": lambda: ALGORITHMS,
    "recipes": _recipes,
    "configs": lambda: tuple(CatalogEntry(name, text) for name, text in describe_configs()),
    "tables": _tables,
    "weights": _weights,
}
"""Kind -> its entries; kinds without any are filled by later releases."""
DEFAULTS = {"spaces": "darts", "rules": "disturbance-immune", "algorithms": "nsga2", "recipes": "quick"}
"""Kind -> the name that a command takes where none is given."""
GROUPS = {"spaces": "evonas.spaces", "objectives": "evonas.evaluators", "proxies": "evonas.proxies"}
"""Kind -> entry points by which other packages add to it."""


def list_entries(kind: str) -> tuple[CatalogEntry, ...]:
    """Return what has a name of a kind: what ships, then what other packages add.

    Raises:
        SettingsError: No such kind.
    """
    if kind not in KINDS:
        raise SettingsError(f"Expected one of {', '.join(KINDS)}, got '{kind}'.{suggest(kind, KINDS)}")
    found = KINDS[kind]()
    names = {entry.name for entry in found}
    added = entry_points(group=GROUPS[kind]) if kind in GROUPS else ()
    return (*found, *(CatalogEntry(p.name, f"of {p.value}", p.value) for p in added if p.name not in names))
