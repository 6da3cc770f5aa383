"""All shipped spaces keep the contract, and the contract catches a space that does not."""

from __future__ import annotations

import pytest

from evonas.spaces import load_space, shipped
from evonas.testing import SpaceContract


@pytest.fixture(params=sorted(shipped()), autouse=True)
def name(request):
    """Name of the space under test."""
    request.instance.name = request.param


class TestShippedSpaces(SpaceContract):
    name: str

    def make_space(self):
        return load_space(self.name)
