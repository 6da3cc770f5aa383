"""An objective of your own: how many convolutions an architecture holds, beside FLOPs.

A package registers its evaluator in its pyproject.toml; here the same entry point is written by hand, so that this
file is all there is.
"""

import sys
import tempfile
from pathlib import Path

import evonas
from evonas.objectives import Evaluator

NAME = "convolutions"


class Convolutions(Evaluator):
    """Number of edges of a NAS-Bench-201 cell that are convolutions."""

    objectives = (evonas.Objective(NAME, "edges", "max"),)
    fingerprint = "convolutions-1"  # changes when values change: part of the store's key

    def __init__(self, context):
        self.context = context  # space, skeleton, data, supernet, device, seed: whatever the value needs

    def evaluate(self, candidates):
        """Return one dictionary per candidate; a failure is a Result with None and its cause."""
        texts = [str(candidate.architecture) for candidate in candidates]
        return [{NAME: evonas.Result(float(text.count("nor_conv")), None, 0.0)} for text in texts]


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    package = folder / "my_package-0.1.dist-info"  # what pip writes when it installs a package
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 0.1\n")
    (package / "entry_points.txt").write_text(f"[evonas.evaluators]\n{NAME} = {Path(__file__).stem}:Convolutions\n")
    sys.path.insert(0, str(folder))

    run = evonas.search(
        objectives=(NAME, "flops"), space="nasbench201", constraint=("params<=100e3",),
        warm_start=0, population=12, generations=4, out=folder / "own-objective",
    )  # fmt: skip
    front = evonas.read_front(run)
    print(f"{len(front)} members, five of them:")
    for member in list(front)[:: max(len(front) // 5, 1)][:5]:
        print(f"  {member.values[NAME]:.0f} convolutions  {member.values['flops']:,.0f} flops  {member.architecture}")
