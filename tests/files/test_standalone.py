from __future__ import annotations

import ast
import sys

import pytest

from evonas.files.standalone import standalone

OWN = (
    "evonas.deployment.predict_alone", "evonas.deployment.measure_alone", "evonas.deployment.benchmark_alone",
)  # fmt: skip


@pytest.mark.parametrize("module", OWN)
def test_scripts_hold_what_they_use_and_python_3_8_can_read_them(module):
    text = standalone(module)
    tree = ast.parse(text, feature_version=(3, 8))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) <= {"numpy", "onnxruntime", "PIL"}
    assert "evonas" not in imported
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))
    compile(text, module, "exec")


def test_imports_stand_at_the_top_once_and_in_order():
    lines = standalone(OWN[0]).splitlines()
    found = [line for line in lines if line.startswith(("import ", "from "))]
    assert found[0] == "from __future__ import annotations"
    assert len(found) == len(set(found))
    assert found.index("import numpy as np") > found.index("import json")
