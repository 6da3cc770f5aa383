"""All shipped spaces keep the contract, and the contract catches a space that does not."""

from __future__ import annotations

import pytest

from evonas.spaces import load_space
from evonas.testing import SpaceContract
from tests.conftest import each_space


@pytest.fixture(params=each_space(), autouse=True)
def name(request):
    """Name of the space under test."""
    request.instance.name = request.param


class TestShippedSpaces(SpaceContract):
    name: str

    def make_space(self):
        return load_space(self.name)
