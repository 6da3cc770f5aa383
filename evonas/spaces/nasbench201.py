"""NAS-Bench-201's own identity of a cell.

References:
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
"""

from __future__ import annotations

from collections.abc import Collection

from evonas.spaces.architecture import CellArchitecture


def unique_string(
    architecture: CellArchitecture, zeros: Collection[str] = ("none",), skips: Collection[str] = ("skip_connect",)
) -> str:
    """Return the string that is equal for cells that [Dong2020]_ counts as one: 6,466 among its 15,625.

    A node is the sorted sum of its edges, a skip is its source, a zero is ``#``. Zeros stay in the sum, so two
    cells of one function may have different strings.

    Args:
        architecture: One kind of cell with one input, every node reading all before it, the last is the output.
        zeros: Operations whose output is zero.
        skips: Operations that pass their source on.
    """
    (cell,) = architecture.cells
    texts = ["0"]
    for edges in cell.nodes:
        terms = []
        for operation, source in edges:
            if operation in zeros or texts[source] == "#":
                terms.append("#")
            else:
                terms.append(texts[source] if operation in skips else f"({texts[source]})@{operation}")
        texts.append("+".join(sorted(terms)))
    return texts[-1]
