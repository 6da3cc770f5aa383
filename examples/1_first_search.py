"""A first search: accuracy against FLOPs on scikit-learn's digits, and what its front holds."""

import sys
import tempfile
from pathlib import Path

import evonas

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())

# Far too small a budget, so that this ends within a minute: leave the second line out for a search of your own.
run = evonas.search(
    objectives=("acc", "flops"), space="nasbench201", seed=0, out=folder / "first",
    epochs=2, population=8, generations=2, warm_start=20, train_limit=300, estimator="supernet:loss",
)  # fmt: skip

front = evonas.read_front(run)
print(f"{len(front)} members, hypervolume {front.hypervolume:.3f}; all files are in {run.path}")
for member in front:
    print(f"  acc {member.values['acc']:.3f}  flops {member.values['flops']:,.0f}  {member.architecture}")
print("knee:", front.select("knee").architecture)
