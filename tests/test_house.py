"""House rules: what stands at the top, which way imports go, what is never loaded, one home for every name."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import evonas

PACKAGE = Path(evonas.__file__).parent
TOP = {"__init__.py", "__main__.py", "config.py", "errors.py", "version.py", "py.typed"}
OPTIONAL = {"datasets", "lightgbm", "mlflow", "numba", "optuna", "ray", "tensorboard"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Yield the package's modules, as paths below it, with their syntax trees."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text())


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it printed."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_only_what_belongs_to_no_room_stands_at_the_top():
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == TOP


def test_imports_go_down_only():
    config = PACKAGE.parent / "pyproject.toml"
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    run = subprocess.run(
        [*command, "--config", config, "--no-cache"], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert "0 broken" in run.stdout


def test_importing_any_module_changes_no_public_name():
    """A submodule, once imported, becomes an attribute of its package and would hide a lazy name."""
    code = (
        "import importlib, json, pkgutil, evonas\n"
        "names = evonas.__all__\n"
        "before = {name: getattr(evonas, name) for name in names}\n"
        "missing = set()\n"
        "for module in pkgutil.walk_packages(evonas.__path__, 'evonas.'):\n"
        "    if module.name.endswith('__main__'): continue\n"
        "    try: importlib.import_module(module.name)\n"
        "    except ModuleNotFoundError as error: missing.add(error.name.split('.')[0])\n"
        "changed = [name for name in names if getattr(evonas, name) is not before[name]]\n"
        "print(json.dumps([changed, sorted(missing)]))\n"
    )
    changed, missing = json.loads(python(code))
    assert changed == []
    assert set(missing) <= OPTIONAL


def test_nothing_is_loaded_that_can_execute_code():
    banned = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found += [f"{path}:{node.lineno}: {name}" for name in names if name.split(".")[0] in banned]
            if isinstance(node, ast.Call):
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                called = ast.unparse(node.func)
                if called in ("eval", "exec") or options.get("allow_pickle", "False") != "False":
                    found.append(f"{path}:{node.lineno}: {called}")
                if called == "torch.load" and options.get("weights_only") != "True":
                    found.append(f"{path}:{node.lineno}: torch.load that may execute code")
    assert found == []


def test_what_mypy_is_told_to_ignore_has_a_reason_beside_it():
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[a-z, -]+\]  # \w", line)
    ]
    assert found == []


def test_what_tests_replace_in_modules_has_a_reason_beside_it():
    """Names are patched where there is no other way; a comment beside or above the first of several says why."""
    call = re.compile(r"\b(?:patch|monkeypatch)\.(?:setattr|setitem|delattr)\(")
    found = []
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            above = lines[number - 1].strip() if number else ""
            given = "#" in line or above.startswith("#") or call.search(above) or path == Path(__file__)
            if call.search(line) and not given:
                found.append(f"{path.name}:{number + 1}")
    assert found == []


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()))
def test_every_room_has_its_tests(room):
    assert list((Path(__file__).parent / room).rglob("test_*.py")), f"tests/{room} tests nothing"


def test_tests_lie_in_rooms():
    """A folder of tests is a room or tests `docs`; `perf` holds benchmarks, which alone take times."""
    here = Path(__file__).parent
    others = {Path(), Path("docs"), Path("perf")}
    folders = {path.parent.relative_to(here) for path in here.rglob("test_*.py")} - others
    assert [str(folder) for folder in sorted(folders) if not (PACKAGE / folder).is_dir()] == []
    timed = [str(path) for path in here.rglob("test_*.py") if "benchmark(" in path.read_text()]
    assert [path for path in timed if Path(path).parent.name != "perf" and path != __file__] == []


# What follows allows what stood when the rule came; lists only ever get shorter.


def test_no_name_has_two_homes():
    """Commands are left out: the function of one is named as it is typed, and calls what it is named after."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
            # The package's own functions are doors: each has the name of what it opens.
            if public and path.parts[0] != "cli" and path != Path("__init__.py") and node.name != "main":
                homes[node.name].append(str(path))
    found = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert found == {}


def test_docstrings_begin_in_the_fields_words():
    odd = re.compile(
        r"\b(anew|besides|dear|facts|ghosts?|hung|in vain|lest|outlines?|put out|sittings?|told)\b", re.IGNORECASE
    )
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            first = (ast.get_docstring(node) or "").split("\n")[0]
            if odd.search(first) and not getattr(node, "name", "").startswith("_"):
                found.append(f"{path}: {first}")
    assert found == []


def test_words_that_readers_stumble_over_are_gone():
    """Those with no other meaning in the field, anywhere in the package: names, docstrings, help and messages."""
    odd = re.compile(r"\b(anew|besides|dear|ghosts?|in vain|lest|put out|sittings?|strangers?)\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {match[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := odd.search(line))
    ]
    assert found == []


def test_docstrings_of_modules_and_classes_begin_with_a_noun():
    """A question word hides it: "What an ONNX file is worth" is the "Check of an ONNX file"."""
    asks = re.compile(r"(What|How|Where|Which|Who)\b")
    found = [
        f"{path}: {line}"
        for path, tree in modules()
        for node in (tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)))
        if asks.match(line := (ast.get_docstring(node) or "").split("\n")[0])
    ]
    assert found == []
