"""Published weights: their names, where they are, and how their keys and pixels map to ours.

An entry is a TOML file: `load_entry` reads one by its name, `locate` finds its file, `published_network` builds the
network with the published weights in it. Nothing is unpickled but plain tensors, and nothing is loaded in part
without a word.
"""

from __future__ import annotations

from evonas.training.weights.entry import Preprocessing, WeightsEntry
from evonas.training.weights.registry import entry_names, load_entry
from evonas.training.weights.source import Located, locate

__all__ = ["Located", "Preprocessing", "WeightsEntry", "entry_names", "load_entry", "locate"]
