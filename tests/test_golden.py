"""Methods that were compared with their originals compute what they computed then; see ``golden/make.py``."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "golden"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = load()
CASES = MAKE.cases()


def differences(found: Any, stored: Any, place: str = "") -> list[str]:
    """Return where values differ: numbers with a fraction beyond the tolerance, all else at all."""
    if isinstance(stored, dict):
        if found.keys() != stored.keys():
            return [f"{place}: {sorted(found.keys() ^ stored.keys())}"]
        return [line for key in stored for line in differences(found[key], stored[key], f"{place}.{key}")]
    if isinstance(stored, list):
        if len(found) != len(stored):
            return [f"{place}: {len(found)} values, {len(stored)} stored"]
        pairs = enumerate(zip(found, stored, strict=True))
        return [line for i, (one, other) in pairs for line in differences(one, other, f"{place}[{i}]")]
    if isinstance(stored, float):
        near = found == pytest.approx(stored, rel=MAKE.RELATIVE, abs=MAKE.ABSOLUTE)
        return [] if near else [f"{place}: {found}, {stored} stored"]
    return [] if found == stored else [f"{place}: {found}, {stored} stored"]


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_nothing_drifts(case):
    file, name = case
    stored = json.loads((FOLDER / f"{file}.json").read_text())
    assert differences(json.loads(json.dumps(CASES[case]())), stored[name]) == []


def test_files_hold_every_case_and_no_other():
    stored = {(path.stem, name) for path in FOLDER.glob("*.json") for name in json.loads(path.read_text())}
    assert stored == set(CASES)


def test_a_drift_is_seen():
    stored = {"a": [1, 2.0], "b": "x"}
    assert differences({"a": [1, 2.00001], "b": "x"}, stored) == []
    for found in ({"a": [2, 2.0], "b": "x"}, {"a": [1, 2.01], "b": "x"}, {"a": [1, 2.0], "b": "y"}, {"a": [1, 2.0]},
                  {"a": [1], "b": "x"}):  # fmt: skip
        assert len(differences(found, stored)) == 1
