from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import evonas


def test_every_public_name_is_there():
    assert len(evonas.__all__) <= 28
    for name in evonas.__all__:
        assert getattr(evonas, name).__doc__ is not None or name == "Architecture"
    with pytest.raises(AttributeError):
        _ = evonas.nothing


def test_torch_is_not_loaded_before_it_is_needed():
    modules = (
        "evonas", "evonas.cli", "evonas.spaces", "evonas.runs.run", "evonas.runs.store", "evonas.tables.table",
        "evonas.evolution",
    )  # fmt: skip
    code = f"import importlib, sys\nfor name in {modules}:\n    importlib.import_module(name)\n"
    code += "    assert 'torch' not in sys.modules, name"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_alone_are_shown():
    shown = [name for name in dir(evonas) if not name.startswith("__")]
    assert set(shown) == set(evonas.__all__)


def test_search_names_every_setting():
    parameters = inspect.signature(evonas.search).parameters
    own = {"settings", "out", "progress", "after_generation"}
    assert [name for name in parameters if name not in own] == list(evonas.Settings.model_fields)
    assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values())


def test_settings_are_given_at_once_or_by_name():
    with pytest.raises(evonas.EvonasError, match="got both: seed"):
        evonas.search(evonas.Settings(), seed=3)
    with pytest.raises(evonas.EvonasError, match="population"):
        evonas.search(population=1)
