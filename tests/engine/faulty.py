"""Evaluators that fail in every way there is; workers import this module by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import load_space, parse_candidate

WAYS = ("sound", "raise", "nan", "hang", "die", "exit", "memory", "once", "short", "none", "print", "threads")


class Faulty(Evaluator):
    """Gives the length of an architecture's text, but for those that a way of failing is planned for."""

    objectives = (Objective("length", "", "min"), Objective("twice", "", "min"))

    def __init__(self, plan: dict[str, str], folder: str, sleep: float = 0.0):
        self.plan, self.folder, self.sleep, self.fingerprint = plan, Path(folder), sleep, "f"

    def evaluate(self, candidates):
        return [self.one(str(candidate)) for candidate in candidates]

    def one(self, text: str) -> dict[str, Result]:
        with (self.folder / "calls").open("a") as file:
            file.write(text + "\n")
        time.sleep(self.sleep)
        way = self.plan.get(text, "sound")
        if way == "raise":
            raise KeyError("no such\nthing")
        if way == "nan":
            return {"length": Result(float("nan"), None, 0.0), "twice": Result(1.0, None, 0.0)}
        if way == "hang":
            time.sleep(1000)
        if way == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "exit":
            os._exit(3)
        if way == "memory":
            return {"length": Result(float(np.ones(1 << 50).sum()), None, 0.0)}
        if way == "once" and not (self.folder / "died").exists():
            (self.folder / "died").write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "short":
            return {"length": Result(1.0, None, 0.0)}
        if way == "print":
            print('{"number": 0, "row": {}}')
            os.system("echo not a result")
        if way == "threads":
            return {name: Result(float(torch.get_num_threads()), None, 0.0) for name in ("length", "twice")}
        return {name: Result(factor * len(text), None, 0.5) for name, factor in (("length", 1.0), ("twice", 2.0))}


def make(plan: dict[str, str], folder: str, sleep: float = 0.0, fail: str = ""):
    """Return a parser and the evaluators, as a spec names them."""
    if fail == "error":
        raise ValueError("no data\nhere")
    if fail == "die":
        os._exit(4)
    space = load_space("darts")
    evaluator = Faulty(plan, folder, sleep)
    return lambda text: parse_candidate(text, space), {"length": evaluator, "twice": evaluator}
