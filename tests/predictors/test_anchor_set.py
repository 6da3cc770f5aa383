from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import RunError
from evonas.predictors.anchor_set import Anchor, AnchorSet


def drawn(n: int, top: int) -> tuple[AnchorSet, np.ndarray, np.ndarray]:
    """Anchors of two levels of which `top` reached the second, their columns, and what the others would have given."""
    rng = np.random.default_rng(0)
    columns = rng.uniform(size=(n, 2))
    low = 0.4 + 0.2 * np.sin(3 * columns[:, 0])
    high = low + 0.3 + 0.02 * columns[:, 1]
    anchors = [Anchor(str(i), (low[i], high[i]) if i < top else (low[i],)) for i in range(n)]
    return AnchorSet((1, 4), tuple(anchors)), columns, high


def test_a_file_gives_back_what_was_written() -> None:
    anchors = AnchorSet((1, 4), (Anchor("a", (0.5, 0.6)), Anchor("b", (), "diverged")))
    assert AnchorSet.from_json(anchors.to_json()) == anchors
    assert [anchor.text for anchor in anchors.known] == ["a"]
    assert anchors.top.tolist() == [True]
    for text in ("[]", "{", '{"levels": [1], "anchors": [{}]}'):
        with pytest.raises(RunError, match="Expected anchors as evonas writes them"):
            AnchorSet.from_json(text)


def test_what_paused_is_brought_to_the_highest_level() -> None:
    anchors, columns, high = drawn(16, 6)
    values, level = anchors.fused(columns)
    assert level == 4
    np.testing.assert_array_equal(values[:6], high[:6])  # what was measured counts
    assert np.abs(values[6:] - high[6:]).max() < 0.03


def test_a_level_that_few_reached_is_left_out() -> None:
    anchors, columns, _ = drawn(8, 2)
    values, level = anchors.fused(columns)
    assert level == 1
    np.testing.assert_array_equal(values, [anchor.values[0] for anchor in anchors.anchors])
