"""What all tests share: a cache, data, and runs, made by hand or by one tiny search of a session."""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

# One thread per process: networks here are small, and processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from evonas.files.toml import to_toml
from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective, parse_constraint
from evonas.runs.manifest import new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import load_space, path_names, shipped

settings.register_profile("any machine", deadline=None)  # no test is about speed
settings.load_profile("any machine")

COMMON = ("darts", "fbnet", "lhd", "mobilenet_v3", "nasbench201")
"""Shipped spaces that differ most: cells of two kinds, dense ones, and with resolutions; elastic and grouped blocks."""


def each_space() -> list[object]:
    """All shipped spaces as parameters: default tests build networks of the common ones, slow ones of the others."""
    return [name if name in COMMON else pytest.param(name, marks=pytest.mark.slow) for name in sorted(shipped())]


@pytest.fixture(scope="session")
def truth() -> Path:
    """Folder of measured truth and real data: EVONAS_DATA, else ../shared/data beside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EVONAS_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data to test against in {folder}; set EVONAS_DATA to the folder that holds them")
    return folder


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Install a package of one module for one test: its text and its entry points by group, found as any others are.

    Called as ``install(text, {"evonas.tasks": {"counting": "Counting"}}, module="plugged")``.
    """
    folder, modules = tmp_path / "site", []

    def add(text: str, points: Mapping[str, Mapping[str, str]], module: str = "plugged") -> None:
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        lines = [
            line
            for group, names in points.items()
            for line in (f"[{group}]", *(f"{name} = {module}:{attribute}" for name, attribute in names.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        modules.append(module)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        importlib.invalidate_caches()

    yield add
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    for module in modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make an environment with the packages named and nothing else; called with their names, it gives its Python."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*packages: str, python: str = sys.executable) -> Path:
        key = (python, *packages)
        if key not in made:
            folder = tmp_path_factory.mktemp("bare")
            subprocess.run([python, "-m", "venv", folder], check=True)
            own = folder / "bin" / "python"
            clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            command = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
            subprocess.run(command, check=True, env=clean)
            made[key] = own
        return made[key]

    return make


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of cost and latency tables that all tests of a session share, in all its processes, and nothing else."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "evonas-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVONAS_CACHE", str(folder))
        yield folder


if TYPE_CHECKING:
    from evonas.deployment import Trained

KNOWN = {
    "acc": Objective("acc", "", "max"),
    "flops": Objective("flops", "multiply-adds", "min"),
    "latency": Objective("latency", "ms", "min"),
}
Maker = Callable[..., Path]


def fabricate(
    path: Path,
    *,
    space: str = "darts",
    objectives: Sequence[str] = ("acc", "flops"),
    n: int = 120,
    population: int = 20,
    failures: int = 3,
    constraints: Sequence[str] = (),
    ended: bool = True,
    extras: bool = True,
    seed: int = 0,
) -> Path:
    """Make a run of n evaluations whose accuracy grows with the cost, and with the generation."""
    rng = np.random.default_rng(seed)
    read = load_space(space)
    texts: dict[str, float] = {}
    while len(texts) < n:
        for genome in read.sample(n, rng, by="choice"):
            form = read.canonical(read.decode(genome))
            heavy = sum(("conv" in name) + ("5x5" in name) + 2 * ("k7" in name) for name in path_names(read.path(form)))
            texts.setdefault(str(form), heavy + rng.uniform(0, 2))
            if len(texts) == n:
                break
    names = list(texts)
    cost = np.array(list(texts.values()))
    generation = np.arange(n) // population
    quality = (
        1 - np.exp(-(cost - cost.min() + 2) / 9) + 0.12 * generation / max(1, generation.max()) + rng.normal(0, 0.03, n)
    )
    own = {
        "acc": np.clip(0.35 + 0.6 * quality, 0.1, 0.995).round(4),
        "flops": (cost * 4.1e5 + 8e5).round(),
        "latency": 0.02 * cost + rng.normal(0, 0.02, n) + 0.3,
    }
    known = [KNOWN[name] for name in objectives]
    table = np.column_stack([own[name] for name in objectives])
    table[n // 2 : n // 2 + failures, 0] = np.nan
    settings = {
        "objectives": list(objectives), "constraint": list(constraints), "space": space, "data": "digits",
        "population": population, "generations": int(generation.max()) + 1, "seed": seed,
    }  # fmt: skip
    manifest = new_manifest(seed=seed, space={"name": space}, data="0123abcd")
    with Run.create(path, settings, manifest) as run:
        for i, name in enumerate(objectives):
            run.store.record(
                Evaluation(text, name, f"print-{name}", *((None, "out of memory") if np.isnan(v) else (v, None)), 0.1)
                for text, v in zip(names, table[:, i], strict=True)
            )
        for number in range(int(generation.max()) + 1):
            own_names = [names[i] for i in np.flatnonzero(generation == number)]
            before = names[: number * population]
            parents = [
                tuple(rng.choice(len(before), 2, replace=False)) if number and i % 5 else ()
                for i, _ in enumerate(own_names)
            ]
            run.store.enroll(number, own_names, [[before[j] for j in pair] for pair in parents])
        bounds = [parse_constraint(text) for text in constraints]
        violations = np.array(
            [[c.violation(row[list(objectives).index(c.objective)]) for c in bounds] for row in table]
        ).reshape(n, len(bounds))
        front = make_front(names, table, known, violations)
        if extras:
            for member in front:
                acc = member.values.get("acc")
                if acc is not None:
                    run.store.note(member.architecture, "acc_report", acc - 0.01 + rng.normal(0, 0.01))
                    if rng.random() < 0.6:
                        run.store.note(member.architecture, "acc_trained", min(0.99, 0.6 + 0.4 * acc))
                if "latency" in member.values:
                    run.store.note(member.architecture, "latency_measured", member.values["latency"] * 1.04)
                    run.store.note(member.architecture, "latency_mad", 0.004)
            run.write(
                "latency.json",
                json.dumps(
                    {"error": 0.031, "noise_ms": 0.004, "blocks": {"a": {}, "b": {}}, "device": {"cpu": "Tiny <CPU>"}}
                ),
            )
            log = {
                "epochs": [
                    {"epoch": e, "loss": 2.3 * 0.8**e + 0.2, "lr": 0.05, "passes": 30 * e, "seconds": 1.5}
                    for e in range(1, 21)
                ],
                "forgetting": [
                    {"architecture": names[e], "step": e, "before": 0.8, "after": 0.78 - 0.001 * e} for e in range(8)
                ],
            }
            header = json.dumps({"__metadata__": {"evonas.supernet": json.dumps({"format": 1, "log": log})}}).encode()
            run.write("supernet.safetensors", len(header).to_bytes(8, "little") + header)
        if ended:
            notes = {text: {k: v.value for k, v in m.items()} for text, m in run.store.notes().items()}
            front = make_front(names, table, known, violations, notes, bounds)
            run.write("front.json", front.to_json())
            run.write("front.csv", front.to_csv())
            run.update_manifest(
                timings={"seconds": 83.2, "evaluations": n, "outside_evaluations_ms_per_candidate": 0.41}
            )
    return path


@pytest.fixture
def make_run(tmp_path: Path) -> Maker:
    """Make a run in a temporary folder."""

    def make(name: str = "run", **options: object) -> Path:
        return fabricate(tmp_path / name, **options)  # type: ignore[arg-type]

    return make


def tiny_space(folder: Path) -> Path:
    table = load_space("darts").definition.model_dump(mode="json", exclude_defaults=True)
    table["cell"]["nodes"] = 2
    table["skeletons"]["small"] |= {"channels": 4, "cells": 3}
    path = folder / "tiny.toml"
    path.write_text(to_toml(table))
    return path


@pytest.fixture(scope="module")
def few_references() -> Iterator[None]:
    """Let the default estimate of accuracy, `rank` and `free` look at 6 references instead of 100 and more.

    No setting asks for their number. It holds from its first use to the end of a module, and not in other processes.
    """
    from evonas.objectives import free, rank
    from evonas.objectives.accuracy import main_effects

    with pytest.MonkeyPatch.context() as patch:
        for module in (main_effects, rank, free):
            # Its docstring says why.
            patch.setattr(module, "REFERENCES", 6)
        yield


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """A context in which no file of this process can grow, as on a full disk."""

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A run that ended; never changed."""
    from evonas.pipeline import run as pipeline

    folder = tmp_path_factory.mktemp("made")
    settings = {"space": str(tiny_space(folder)), "population": 4, "generations": 2, "warm_start": 0, "epochs": 1}
    settings |= {"train-limit": 500, "estimator": "supernet:loss"}  # the default reads over a hundred paths first
    pipeline.search(out=folder / "run", batch_size=100, sharing="uniform", **settings).close()
    return folder / "run"


@pytest.fixture(scope="session")
def made_trained(made, tmp_path_factory) -> tuple[Path, Trained]:
    """A copy of it whose first member was trained; never changed."""
    from evonas.deployment import train_members
    from evonas.training import TrainingRecipe

    path = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(made, path)
    recipe = TrainingRecipe(name="short", epochs=2, batch_size=128, lr=0.1, momentum=0.9)
    (trained,) = train_members(path, "index:0", recipe)
    return path, trained


@pytest.fixture
def run(made, tmp_path) -> Path:
    # Deployments of the session's run, whose accesses to the test part it logs, may come before or after this copy.
    return Path(shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("test_access.jsonl", "models")))


@pytest.fixture
def trained_run(made_trained, tmp_path) -> Path:
    return Path(shutil.copytree(made_trained[0], tmp_path / "run"))


@pytest.fixture
def change() -> Callable[[Path, str, float], None]:
    """A function that falsifies a number of the first member of a run's front."""

    def falsify(run: Path, name: str, value: float) -> None:
        content = json.loads((run / "front.json").read_text())
        member = content["members"][0]
        where = member["values"] if name in member["values"] else member["known"]
        where[name] = value
        (run / "front.json").write_text(json.dumps(content))

    return falsify
