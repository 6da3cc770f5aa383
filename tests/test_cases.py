"""Every folder of inputs as people have them, kept outside the project, is held by a test; those of no other room here.

EVONAS_CASES names the folder that holds them, else it is ../shared/cases beside the project.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from evonas.config import make_settings
from evonas.data import load_data
from evonas.data.read_options import ReadOptions
from evonas.errors import SettingsError
from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective
from evonas.pipeline.problem import SearchProblem
from evonas.spaces import load_space
from evonas.tables.load import load_table

CASES = Path(os.environ.get("EVONAS_CASES", Path(__file__).resolve().parents[2] / "shared" / "cases"))
TESTS = Path(__file__).parent

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}; EVONAS_CASES names their folder")

HERE, DATA = "test_cases.py", "data/test_cases.py"
HELD = {
    "arch-text": "spaces/test_cases.py::test_every_text_is_an_architecture",
    "column-typo": f"{HERE}::test_a_column_that_is_misspelt_is_named_also_with_a_direction",
    "csv-acc-column": f"{HERE}::test_a_column_called_acc_is_the_tables",
    "csv-cells": f"{HERE}::test_cells_that_say_that_a_value_is_missing_are_missing",
    "csv-columns": f"{HERE}::test_tables_as_people_write_them_are_read",
    "csv-separators": f"{HERE}::test_tables_as_people_write_them_are_read",
    "depth-png12in16": f"{DATA}::test_depth",
    "depth-tiff_float01": f"{DATA}::test_depth",
    "equal-members": f"{HERE}::test_members_of_equal_value_are_one_row",
    "heic-ignored": f"{DATA}::test_what_is_left_out_is_said",
    "huge-image": f"{DATA}::test_a_huge_image_is_read",
    "int8-gates": "deployment/compression/test_qdq.py::test_gates_stay_in_float_and_others_run_on_integers",
    "ir-version": "runtime/test_simplify.py::test_the_least_ir_version_of_each_opset",
    "mac-zip": f"{DATA}::test_what_is_left_out_is_said",
    "memory-words": f"{DATA}::test_memory_is_told_before_decoding",
    "moved-data": "cli/test_moved.py::test_commands_take_the_new_place",
    "nb301-json": "spaces/test_cases.py::test_a_configuration_of_nasbench301_is_an_architecture",
    "npz-bool": f"{DATA}::test_read",
    "npz-hyper_nhwc": f"{DATA}::test_bands_are_channels",
    "npz-medmnist": f"{DATA}::test_read",
    "npz-notest": f"{DATA}::test_read",
    "npz-spec": f"{HERE}::test_spectrograms_are_warned_of_or_kept_whole",
    "npz-strlabels": f"{DATA}::test_read",
    "opset-below-18": "deployment/test_deploy.py::"
    "test_without_a_place_it_stands_in_the_run_and_older_opsets_are_written",
    "out-encoding": "cli/test_surroundings.py::test_output_in_any_encoding_has_no_traceback",
    "parquet-col_image_target": f"{DATA}::test_read",
    "parquet-convert": f"{DATA}::test_read",
    "parquet-extra": f"{DATA}::test_a_foreign_split_is_not_joined",
    "parquet-strlab": f"{DATA}::test_read",
    "partial-table": f"{HERE}::test_a_table_of_a_part_of_a_space_is_searched_over_its_rows",
    "readonly-run": "cli/test_surroundings.py::test_a_run_on_a_read_only_mount_is_read",
    "small-classes": f"{DATA}::test_small_classes_are_all_named_and_can_be_dropped",
    "split-names-training-testing": f"{DATA}::test_read",
    "split-train-testing-mixed": f"{DATA}::test_a_second_part_is_not_ignored",
    "symlink-subfolder": f"{HERE}::test_links_to_folders_of_images_are_followed",
    "toml-bom": f"{HERE}::test_a_space_with_a_mark_of_byte_order_is_read",
}
"""Folder of a case -> the test that holds it."""


def test_every_case_is_held_by_a_test():
    assert sorted(folder.name for folder in CASES.iterdir() if folder.is_dir()) == sorted(HELD)
    for where in set(HELD.values()):
        file, _, name = where.partition("::")
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), where


@pytest.mark.parametrize(
    "file",
    ["csv-columns/archstr.csv", "csv-columns/genotypeU.csv", "csv-separators/semicolon.csv", "csv-separators/tab.tsv"],
)
def test_tables_as_people_write_them_are_read(file):
    table = load_table([str(CASES / file)], load_space("nasbench201"))
    assert len(table.columns) == 2
    assert all(np.isfinite(column).all() for column in table.columns.values())


def test_cells_that_say_that_a_value_is_missing_are_missing():
    table = load_table([str(CASES / "csv-cells" / "NA.csv")], load_space("nasbench201"))
    said = (CASES / "csv-cells" / "NA.csv").read_text().count("N/A")
    assert int(np.isnan(table["top1"]).sum()) == said > 0
    assert np.isfinite(table["params_M"]).all()


def test_a_column_called_acc_is_the_tables():
    table = str(CASES / "csv-acc-column" / "acc.csv")
    problem = SearchProblem(make_settings(space="nasbench201", table=table, objectives=("acc:max", "flops")))
    assert (problem.learned, problem.names) == ([], ("acc", "flops"))
    assert 93.66 in problem.tables["acc"]


def test_a_column_that_is_misspelt_is_named_also_with_a_direction():
    table = str(CASES / "csv-columns" / "archstr.csv")
    for name in ("tset_acc", "tset_acc:max"):
        with pytest.raises(SettingsError, match=r"test_acc, par.*Did you mean 'test_acc'"):
            SearchProblem(make_settings(space="nasbench201", table=table, objectives=(name, "flops")))


def test_a_table_of_a_part_of_a_space_is_searched_over_its_rows():
    table = str(CASES / "csv-columns" / "archstr.csv")
    problem = SearchProblem(make_settings(space="nasbench201", table=table, objectives=("test_acc:max", "flops")))
    genomes = problem.genome.sample(2, np.random.default_rng(0))
    assert len({problem.genome.key(genome) for genome in genomes}) == 2
    assert 30 <= problem.genome.rows <= len(Path(table).read_text().splitlines()) - 1
    assert any(f"among the {problem.genome.rows} rows" in note and "(0.2%)" in note for note in problem.notes)


def test_members_of_equal_value_are_one_row():
    objectives = (Objective("flops", "", "min"), Objective("params", "", "min"))
    front = make_front([f"a{i}" for i in range(51)], np.ones((51, 2)), objectives, np.zeros((51, 0)))
    assert len(front) == 51
    assert list(front.distinct()) == [(0, 50)]


def test_spectrograms_are_warned_of_or_kept_whole():
    file = CASES / "npz-spec" / "spec.npz"
    cropped = load_data(file)
    assert any("69% of the average image are left out: --fit pad or stretch" in w for w in cropped.inventory.warnings)
    whole = np.load(file)["x_test"]
    for fit in ("pad", "stretch"):
        data = load_data(file, options=ReadOptions(fit=fit))
        assert data.resolution == 64
        assert not any("--fit" in warning for warning in data.inventory.warnings)
    padded = load_data(file, options=ReadOptions(fit="pad")).test.images[:, 0]
    assert np.array_equal(padded[:, :, 22:42].numpy(), whole)
    assert int(padded[:, :, :22].max()) == 0


def test_links_to_folders_of_images_are_followed(tmp_path):
    images = CASES / "split-names-training-testing" / "Training"
    source = next(folder for folder in sorted(images.iterdir()) if folder.is_dir())
    command = ["sh", CASES / "symlink-subfolder" / "make.sh", tmp_path / "linked", source]
    subprocess.run(command, check=True)
    data = load_data(tmp_path / "linked", options=ReadOptions(rare="keep"))
    count = sum(1 for file in source.iterdir() if file.is_file())
    assert sum(map(sum, data.inventory.counts.values())) == 2 * count
    assert torch.is_tensor(data.train.images)


def test_a_space_with_a_mark_of_byte_order_is_read():
    assert load_space(str(CASES / "toml-bom" / "bom.toml")).name == "darts"
