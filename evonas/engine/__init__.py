"""Engines, where evaluations run: in this process, in processes on this machine, or on a Ray cluster.

An engine gives values for candidates; what the run's store holds is never computed again. Whatever the number
of workers, values are the same bit for bit: an evaluation has a fixed number of threads and depends on nothing
evaluated before. Workers receive in JSON what to make (`WorkerSpec`) and make it themselves; no object travels. One
that dies or times out costs the candidate it was at, which is tried once more.

What bounds a search at 1,000 workers, and what is done about each:

- *The store* has one writer. A result alone takes it 60 to 90 us, in batches 12 to 20 us (one core of an EPYC): 1,000
  workers whose evaluations take 10 s send 100 results a second, 1 % of what it can take. It would be full at 0.1 s per
  evaluation, and those are worth no cluster. Readers never stop it.
- *The supernet* goes into the object store once, then once to each node and not to each worker: 100 MB to 125 nodes of
  8 workers are 12.5 GB in all. Nodes pass it on, so that it arrives after about log2(125) = 7 transfers, a second
  at 10 Gbit/s. Each worker then holds a network of its own in memory.
- *The end of a generation*, where all wait for the last. With log-normal times and 1,000 workers
  (``python -m evonas.benchmarks.barrier``) a population of 1,000 idles 78 % of the time at a mild spread (standard
  deviation of the logarithm 0.5) and 94 % at a heavy one (1.0), one of 10,000 still 27 % and 71 %. Hence
  ``--asynchronous``: each result is reported as it comes, and another candidate goes out; the same searches of 30
  populations idle 10 %, 40 %, 2 % and 10 %, most of it at their very end. Which result comes first is chance, so the
  order of reports is stored and replayed; the front then depends on it, and equality over numbers of workers holds
  for searches by generations only.
"""

from evonas.engine.job import Job, Pool
from evonas.engine.local import FAILURES_IN_A_ROW, LocalEngine, is_expensive
from evonas.engine.open import open_pool
from evonas.engine.processes import ProcessPool
from evonas.engine.spec import WorkerSpec
from evonas.engine.stream import Stream

__all__ = [
    "FAILURES_IN_A_ROW",
    "Job",
    "LocalEngine",
    "Pool",
    "ProcessPool",
    "Stream",
    "WorkerSpec",
    "is_expensive",
    "open_pool",
]
