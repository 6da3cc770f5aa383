from __future__ import annotations

from pathlib import Path

import pytest

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.pipeline.checks import check_settings

CSV = "architecture,acc\n|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|,93.5\n"


def test_an_accuracy_above_1_is_refused_before_anything_is_read():
    with pytest.raises(SettingsError, match=r"write acc>=95%"):
        check_settings(make_settings(constraint=("acc>=95",)))


def test_bounds_that_exclude_each_other_are_refused_before_anything_is_read():
    with pytest.raises(SettingsError, match="Nothing keeps to both"):
        check_settings(make_settings(constraint=("flops<=1M", "flops>=2M")))


def test_a_table_in_percent_takes_bounds_in_percent_and_no_sign(tmp_path: Path):
    (table := tmp_path / "table.csv").write_text(CSV)
    given = {"space": "nasbench201", "table": (str(table),), "objectives": ("acc", "flops")}
    check_settings(make_settings(**given, constraint=("acc>=90",)))
    with pytest.raises(SettingsError, match=r"reaches 93\.5, got acc>=90%: leave out the %"):
        check_settings(make_settings(**given, constraint=("acc>=90%",)))
