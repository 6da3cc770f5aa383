from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks.warm import sampled_scores, stored_scores
from evonas.data import load_data
from evonas.errors import SettingsError
from evonas.objectives import Context
from evonas.spaces import load_space
from evonas.tables.table import Table


def test_scores_are_joined_by_architecture_and_truth_is_left_out(codes, table, tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("arch,nwot,val_accuracy,flops,empty\n222222,7,99,1,\n000001,3,98,2,\n")
    scores = stored_scores(file, table, codes)
    assert set(scores) == {"nwot"}
    known = {table.texts[row]: value for row, value in enumerate(scores["nwot"]) if np.isfinite(value)}
    assert known == {"222222": 7.0, "000001": 3.0}


@pytest.mark.parametrize("text", ["arch,val_accuracy\n222222,99\n", "arch,nwot\n222222,99\n"])
def test_a_file_without_scores_is_an_error(codes, table, tmp_path, text):
    file = tmp_path / "scores.csv"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"^Expected training-free scores of rows of .* in .*scores\.csv, got none"):
        stored_scores(file, table.select(range(5)), codes)


def test_some_rows_are_scored_by_swap():
    space = load_space("nasbench_macro")
    texts = ["00000000", "11111111", "22222222", "01201201"]
    table = Table({"acc": [1, 2, 3, 4]}, texts=texts, space=space)
    context = Context(space, space.skeleton("small"), data=load_data("digits"))
    (scores,) = sampled_scores(context, table, n=3).values()
    assert np.isfinite(scores).sum() == 3
    np.testing.assert_array_equal(sampled_scores(context, table, n=3)["swap"], scores)
