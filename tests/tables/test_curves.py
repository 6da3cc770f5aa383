from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import DataError
from evonas.tables.curves import read_curves
from evonas.tables.load import load_table

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
]


def test_a_curve_is_a_column_per_epoch_beside_plain_numbers(tmp_path):
    curve = np.array([[10, 20, 30], [11, 21, 31]], dtype=np.uint16)
    np.savez(tmp_path / "a.npz", arch=np.array(CELLS), acc=curve, params=np.array([5, 6]), other=np.ones((7, 3)))
    table = load_table(tmp_path / "a.npz", "nasbench201")
    assert set(table.columns) == {"acc:1", "acc:2", "acc:3", "params"}
    assert table["acc:2"].tolist() == [20.0, 21.0]
    assert len(table) == 2
    assert table.index(CELLS[1]) == 1


def test_curves_join_a_csv_on_the_architecture(tmp_path):
    np.savez(tmp_path / "a.npz", arch=np.array(CELLS), acc=np.array([[1.0], [2.0]]))
    (tmp_path / "b.csv").write_text(f"arch,ms\n{CELLS[1]},7\n")
    table = load_table([tmp_path / "a.npz", tmp_path / "b.csv"], "nasbench201")
    assert table["acc:1"].tolist() == [2.0]
    assert table["ms"].tolist() == [7.0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"acc": np.ones((2, 3))}, "array of architectures as text"),
        ({"arch": np.array(CELLS)}, "Expected numbers of 2 architectures"),
        ({"arch": np.array(CELLS), "acc": np.ones((3, 2))}, "Expected numbers of 2 architectures"),
    ],
)
def test_what_an_archive_lacks_is_named(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_curves(tmp_path / "a.npz")


def test_objects_and_broken_archives_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", arch=np.array([CELLS], dtype=object))
    with pytest.raises(DataError, match="numbers and texts"):
        load_table(tmp_path / "a.npz", "nasbench201")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(DataError, match="numbers and texts"):
        load_table(tmp_path / "b.npz", "nasbench201")
