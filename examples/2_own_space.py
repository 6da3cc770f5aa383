"""A space of your own: a TOML file, what it holds, and a search in it."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import evonas

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())

# Cells of three nodes that choose among four operations; every node reads two of the earlier ones.
TEXT = """
name = "three_nodes"
family = "cell"
source = "this example"
counts = "genotypes: per cell and node two different earlier nodes and an operation for each, two cells"
form = "genotype"

[cell]
kinds = ["normal", "reduce"]
nodes = 3
inputs = 2
wiring = "distinct"
kept = 2
outputs = "all"
chain = "previous"

[operations]
skip_connect = { kind = "skip" }
max_pool_3x3 = { kind = "max_pool", kernel = 3 }
sep_conv_3x3 = { kind = "separable", kernel = 3, repeats = 2 }
sep_conv_7x7 = { kind = "separable", kernel = 7, repeats = 2 }

# Width and depth: "small" for searches on small images, "proxy" for training-free scores.
[skeletons.small]
channels = 8
cells = 3
resolution = 32

[skeletons.proxy]
channels = 3
cells = 1
resolution = 32
stem = "none"
head = false
"""
file = folder / "three_nodes.toml"
file.write_text(TEXT)

space = evonas.load_space(file)
print(f"{space.name}: {space.size:,} architectures, {len(space.cardinalities)} choices")
for genome in space.sample(2, np.random.default_rng(0)):
    print(" ", space.decode(genome))

# Two costs need no data and no supernet. Name acc among the objectives for a search on images.
run = evonas.search(
    objectives=("swap", "flops"), space=str(file), warm_start=0, population=8, generations=3, out=folder / "own"
)
for member in evonas.read_front(run):
    print(f"  swap {member.values['swap']:.0f}  flops {member.values['flops']:,.0f}")
