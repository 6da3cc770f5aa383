"""Texts that people tried in vain: EVONAS_CASES names their folder, else it is ../shared/cases beside the project."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from evonas.spaces import load_space

CASES = Path(os.environ.get("EVONAS_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases"))


def test_every_text_is_an_architecture() -> None:
    file = CASES / "arch-text" / "texts.tsv"
    if not file.is_file():
        pytest.skip(f"no cases in {CASES}; set EVONAS_CASES to the folder that holds them")
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows
    for row in rows:
        space = load_space(row["space"])
        architecture = space.parse(row["text"])
        assert space.parse(str(architecture)) == architecture, row["kind"]


def test_a_configuration_of_nasbench301_is_an_architecture() -> None:
    file = CASES / "nb301-json" / "arch.json"
    if not file.is_file():
        pytest.skip(f"no cases in {CASES}; set EVONAS_CASES to the folder that holds them")
    architecture = str(load_space("darts").parse(file.read_text()))
    # edges 0 and 1 are node 2's, 2 to 4 node 3's, 5 to 8 node 4's, 9 to 13 node 5's
    assert "('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('skip_connect', 1)" in architecture
    assert "('sep_conv_3x3', 2), ('skip_connect', 3)], normal_concat" in architecture
