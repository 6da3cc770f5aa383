from __future__ import annotations

import pytest

from evonas.files.size import at_most, height_width, make_size, parse_size, size_text


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("32", 32), (32, 32), ("24x94", (24, 94)), (" 24 X 94 ", (24, 94)), ("24×94", (24, 94)), ("40*40", 40),
        ([128, 40], (128, 40)), ((7, 7), 7), ("4096x1", (4096, 1)),
    ],
)  # fmt: skip
def test_sizes_are_read_and_squares_have_one_form(written, size):
    assert parse_size(written) == size
    assert parse_size(size_text(size)) == size
    assert make_size(*height_width(size)) == size


@pytest.mark.parametrize(
    "written",
    ["", "x", "24x", "24x94x3", "0", "0x4", "4097", "-3", "3.5", True, (3,), (3, 4, 5), (3.0, 4.0), "a x b", 0.5, None],
)
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValueError, match="expected a side of 1 to 4096 pixels, such as 64, or HEIGHTxWIDTH"):
        parse_size(written)


def test_neither_side_is_longer_than_another_sizes():
    assert at_most((24, 94), 32) == (24, 32)
    assert at_most(64, 32) == 32
    assert at_most((128, 32), 32) == 32
