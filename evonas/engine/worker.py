"""A worker process: ``python -m evonas.engine.worker`` reads jobs from its input and writes results to its output.

Both are lines of JSON. The first line that comes in is the spec; a worker reports when it is ready, or why it will
never be. It ends with the process that started it, whatever it is at: nobody would read its results.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, TextIO


def main() -> None:
    """Work until the input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what evaluators print is no result
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    first = sys.stdin.readline()
    if not first:
        return
    content: dict[str, Any] = json.loads(first)
    sys.path[:] = content["path"]
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    from evonas.engine.job import cause_of
    from evonas.engine.spec import WorkerSpec
    from evonas.errors import EvonasError

    try:
        evaluate = WorkerSpec(**content).evaluate()
    except Exception as error:
        _send(out, {"error": " ".join(str(error).split()) if isinstance(error, EvonasError) else cause_of(error)})
        return
    _send(out, {"ready": os.getpid()})
    while True:
        number, objective, text = json.loads(lines.get())
        row = evaluate(objective, text)
        _send(out, {"number": number, "row": {name: (r.value, r.cause, r.seconds) for name, r in row.items()}})


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _send(out: TextIO, content: dict[str, Any]) -> None:
    out.write(json.dumps(content, allow_nan=False) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
