from __future__ import annotations

import subprocess
import sys

HEAVY = "torch", "pymoo", "sklearn", "scipy.stats"


def test_pareto_imports_nothing_heavy():
    modules = ("dominance", "front", "assemble", "records", "indicators", "correlation", "improvement", "curves",
               "objective")  # fmt: skip
    code = "import sys\n" + "".join(f"import evonas.pareto.{name}\n" for name in modules)
    code += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
