"""Commands in processes that are forked from one that has imported the command line: fresh, and each in milliseconds.

Reads ``{"heavy": modules, "commands": [arguments, ...]}`` from standard input; prints a list of, for each command, its
exit code, and which of the modules it loaded.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from multiprocessing import Pipe

import evonas.pipeline.catalog
import evonas.spaces  # noqa: F401  # what most commands import: paid once, and seen in each where it loads what is heavy
from evonas.cli import main


def report(arguments: list[str], heavy: list[str]) -> tuple[int, list[str]]:
    """Fork, run a command whose output goes nowhere, and say how it ended and what it loaded."""
    receiver, sender = Pipe(duplex=False)
    child = os.fork()
    if child:
        sender.close()
        os.waitpid(child, 0)
        return receiver.recv()
    code: object = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        main(arguments)
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        sender.send((code, [name for name in heavy if name in sys.modules]))
        os._exit(0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    given = json.load(sys.stdin)
    print(json.dumps([report(arguments, given["heavy"]) for arguments in given["commands"]]))
