"""Where evaluations run: in this process, in processes on this machine, or on a Ray cluster.

An engine gives values for architectures; what the run's store holds is never computed again. Whatever the number
of workers, values are the same bit for bit: an evaluation has a fixed number of threads and depends on nothing
evaluated before.
"""

from evonas.engine.local import PATIENCE, LocalEngine, is_dear
from evonas.engine.open import open_pool
from evonas.engine.processes import ProcessPool
from evonas.engine.task import Pool, Recipe, Task

__all__ = ["PATIENCE", "LocalEngine", "Pool", "ProcessPool", "Recipe", "Task", "is_dear", "open_pool"]
