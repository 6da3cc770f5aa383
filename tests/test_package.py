from __future__ import annotations

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


@pytest.mark.parametrize(
    "module",
    ["evonas", "evonas.cli", "evonas.spaces", "evonas.runs.run", "evonas.runs.store",
     "evonas.tables.table", "evonas.evolution"],
)
def test_torch_is_not_loaded_before_it_is_needed(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
