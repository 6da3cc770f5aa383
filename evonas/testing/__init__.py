"""Contracts that a third party's parts must keep, as test classes to subclass.

A space of one's own is held to everything the package relies on by four lines::

    from evonas.spaces import load_space
    from evonas.testing import SpaceContract

    class TestMySpace(SpaceContract):
        def make_space(self):
            return load_space("my_space.toml")
"""

from evonas.testing.space import SpaceContract

__all__ = ["SpaceContract"]
