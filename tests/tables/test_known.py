"""Names of tables: looked up in the folder EVONAS_DATA, and listed with where they are published."""

from __future__ import annotations

import gzip

import pytest

from evonas.errors import DataError
from evonas.pipeline.catalog import list_entries
from evonas.spaces import load_space, shipped
from evonas.tables.known import KNOWN_TABLES, find_table
from evonas.tables.load import load_table

LINES = "arch,top1\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,10\n"


def test_a_name_is_looked_up_where_the_variable_says(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv.gz").write_bytes(gzip.compress(LINES.encode()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path / "data"))
    for name in ("mine", "mine.csv.gz"):
        assert load_table(name, load_space("nasbench201"))["top1"].tolist() == [10.0]
    (tmp_path / "mine").write_text(LINES.replace("10\n", "20\n"))  # what stands here goes before
    assert load_table("mine", load_space("nasbench201"))["top1"].tolist() == [20.0]


def test_a_name_that_is_nowhere_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"No table at other: .* EVONAS_DATA; see  evonas list tables"):
        load_table("other", load_space("nasbench201"))
    monkeypatch.delenv("EVONAS_DATA")
    assert find_table("nasbench201").name == "nasbench201"


def test_known_tables_are_listed_with_source_and_whether_they_are_here(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    (tmp_path / "nasbench_macro.csv").write_text("arch,acc\n00000000,90\n")
    entries = {entry.name: entry.text for entry in list_entries("tables")}
    assert set(entries) == {table.name for table in KNOWN_TABLES}
    assert f"here: {tmp_path / 'nasbench_macro.csv'}" in entries["nasbench_macro"]
    assert "not here" in entries["nasbench201"]
    for table in KNOWN_TABLES:
        assert table.space in shipped()
        assert table.source in entries[table.name]
        assert table.convert in entries[table.name]


@pytest.mark.parametrize("table", KNOWN_TABLES, ids=[table.name for table in KNOWN_TABLES])
def test_known_tables_are_of_their_space(truth, monkeypatch, table):
    monkeypatch.setenv("EVONAS_DATA", str(truth))
    if not find_table(table.name).is_file():
        pytest.skip(f"no {table.name} in {truth}")
    read = load_table(table.name, load_space(table.space))
    assert read.columns
    assert read.texts is None or len(read.architectures) == len(read)
