"""Where evaluations run: in this process.

An engine gives values for architectures; what the run's store holds is never computed again.
"""

from evonas.engine.local import PATIENCE, LocalEngine

__all__ = ["PATIENCE", "LocalEngine"]
