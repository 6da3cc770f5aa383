"""What tests of deployment share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evonas.runtime import Timing

INTEGERS = "QuantizeLinear"


@pytest.fixture(scope="module")
def fast_integers() -> Iterator[None]:
    """Forms that run on integers take half the time of others, whatever the machine does."""

    def measure(models, **_):
        kinds = [{node.op_type for node in model.graph.node} for model in models]
        return [Timing(0.5 if INTEGERS in found else 1.0, 0.0, 0.4, 10) for found in kinds]

    with pytest.MonkeyPatch.context() as patch:
        # Times that are known, instead of the clock's.
        patch.setattr("evonas.deployment.compression.compress.measure_models", measure)
        yield
