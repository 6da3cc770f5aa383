"""Contracts that a third party's parts must keep, as test classes to subclass.

A space of one's own is held to everything the package relies on by four lines::

    from evonas.spaces import load_space
    from evonas.testing import SpaceContract

    class TestMySpace(SpaceContract):
        def make_space(self):
            return load_space("my_space.toml")

and an evaluator likewise, on architectures of any space that it can evaluate::

    class TestEnergy(EvaluatorContract):
        def make_space(self):
            return load_space("darts")

        def make_evaluator(self):
            space = self.make_space()
            return Energy(Context(space, space.skeleton("small")))

and a task by how it is made and what its targets are like::

    class TestCounting(TaskContract):
        def make_task(self):
            return Counting()

        def make_targets(self, n):
            return torch.arange(n)

and a training-free score on the spaces whose choices it is to see::

    class TestMyScore(ProxyContract):
        def make_proxy(self):
            return MyScore()

        def make_space(self):
            return load_space("darts")
"""

from evonas.testing.evaluator import EvaluatorContract
from evonas.testing.proxy import ProxyContract
from evonas.testing.space import SpaceContract
from evonas.testing.task import TaskContract

__all__ = ["EvaluatorContract", "ProxyContract", "SpaceContract", "TaskContract"]
