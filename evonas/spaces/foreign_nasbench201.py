"""Cells of NAS-Bench-201 as other programs write them, read into its own string.

References:
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326; its networks are numbered in the order
       that ``exps/NAS-Bench-201/main.py`` shuffles all with seed 88.
    .. [NASLib] github.com/automl/NASLib, ``search_spaces/nasbench201/conversions.py``: numbers of operations.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from evonas.errors import SpaceError
from evonas.spaces.literal import read_literal

NASLIB_201 = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""Operations that NASLib's six numbers of a NAS-Bench-201 cell count."""
NASLIB_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Edges (from, to) in the order of those six numbers."""
SHUFFLED_201 = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""Operations of NAS-Bench-201 in the order in which all cells are listed before they are shuffled."""


def nasbench201_text(text: str) -> str | None:
    """Return the string of a NAS-Bench-201 cell written otherwise, or None where a text writes none.

    Read are a string inside other text, the number of a network in the benchmark, NASLib's six numbers of operations,
    and a list of pairs (operation, source) for each node.
    """
    strings = set(re.findall(r"(?:\|\w+~\d)+\|(?:\s*\+\s*(?:\|\w+~\d)+\|)+", text))
    if strings:
        if len(strings) > 1:
            raise SpaceError(f"expected one cell, got {len(strings)}; give one of them")
        return "".join(strings.pop().split())
    if numbered := re.fullmatch(r"(?:index|arch|no\.?|#)?[\s:=#]*(0|[1-9]\d{0,4})", text, re.IGNORECASE):
        return numbered_cell(int(numbered[1]))
    if spaced := re.fullmatch(r"[\[(]\s*(\d(?:\s+\d){5})\s*[\])]", text):  # as NumPy prints an array
        return _naslib_cell([int(number) for number in spaced[1].split()])
    try:
        value = read_literal(text)
    except ValueError:
        return None
    if isinstance(value, str):
        return nasbench201_text(value) if value != text else None
    if not isinstance(value, (list, tuple)):
        return None
    if len(value) == len(NASLIB_EDGES) and all(type(number) is int for number in value):
        return _naslib_cell(value)
    if len(value) == 3 and all(isinstance(node, (list, tuple)) and len(node) == i for i, node in enumerate(value, 1)):
        return "+".join(f"|{'|'.join(f'{operation}~{source}' for operation, source in node)}|" for node in value)
    return None


def numbered_cell(number: int) -> str:
    """Return the cell of a network of [Dong2020]_ by its number.

    Raises:
        SpaceError: There is none of that number.
    """
    strings = _numbered_cells()
    if number >= len(strings):
        raise SpaceError(f"NAS-Bench-201 numbers its cells from 0 to {len(strings) - 1}, got {number}")
    return strings[number]


@lru_cache(maxsize=1)
def _numbered_cells() -> tuple[str, ...]:
    strings = [_string(operations) for operations in product(SHUFFLED_201, repeat=6)]
    random.Random(88).shuffle(strings)  # the seed of the publication
    return tuple(strings)


def _naslib_cell(numbers: Sequence[int]) -> str:
    if not all(0 <= number < len(NASLIB_201) for number in numbers):
        raise SpaceError(f"NASLib's six numbers are of {len(NASLIB_201)} operations from 0, got {list(numbers)}")
    operations = {edge: NASLIB_201[number] for edge, number in zip(NASLIB_EDGES, numbers, strict=True)}
    return _string([operations[source, node] for node in (1, 2, 3) for source in range(node)])


def _string(operations: Sequence[str]) -> str:
    a, b, c, d, e, f = operations
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"
