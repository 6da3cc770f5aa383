"""``evonas import``."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.errors import DataError, SettingsError, SpaceError
from evonas.networks.lhd_file import read_lhd_weights

FIRST = "cifar10/darts_bilevel/20211010-140512"


def call(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def weights(searches: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"normal_ops": (20, 7), "reduce_ops": (20, 7), "out3": (2, 5), "out4": (2, 5)}
    return {key: rng.random((*searches, *shape)) for key, shape in shapes.items()}


@pytest.mark.parametrize(
    ("policy", "params", "frame"),
    [
        ("base", 710_218, "cifar"),
        pytest.param("1m", 1_505_098, "cifar:channels=48,cells=25", marks=pytest.mark.slow),
        pytest.param("3ops", 784_306, "cifar", marks=pytest.mark.slow),
        pytest.param("4OUT", 939_322, "cifar", marks=pytest.mark.slow),
    ],
)
def test_the_first_search_has_the_literatures_parameters(truth, tmp_path, policy, params, frame):
    """Chao et al., ICML 2023, counted on the authors' files; and its text, described, has them again."""
    out = tmp_path / "found.csv"
    done = call("import", "lhd", truth / "lhd_alphas.npz", "--policy", policy, "--select", FIRST, "--out", out)
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert (int(row["params"]), row["skeleton"]) == (params, frame)
    assert f"{params:,} parameters" in done.output
    described = call("describe", row["space"], row["architecture"], "--skeleton", row["skeleton"])
    assert described.exit_code == 0, described.output
    assert f"{params:,}" in described.output


def test_one_search_and_several_are_read_alike(tmp_path):
    several = weights((2,))
    np.savez(tmp_path / "several.npz", **several, source_file=np.array(["a", "b"]))
    np.savez(tmp_path / "one.npz", **{key: values[1] for key, values in several.items()})
    found, (alone,) = read_lhd_weights(tmp_path / "several.npz"), read_lhd_weights(tmp_path / "one.npz")
    assert [one.name for one in found] == ["a", "b"]
    assert alone.name == "0"
    for ours, theirs in zip((*found[1].normal, *found[1].reduce), (*alone.normal, *alone.reduce), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("change", "message"), [
    ({"out4": None}, "none named out4"),
    ({"out3": np.zeros((2, 4))}, r"out3 of shape \(2, 5\)"),
    ({"normal_ops": np.full((20, 7), np.nan)}, "finite weights normal_ops"),
    ({"reduce_ops": np.zeros((20, 7), dtype=int)}, "got int64"),
    ({"source_file": np.array(["a", "b"])}, "a name for each of 1 searches"),
])  # fmt: skip
def test_weights_that_are_none_of_lhds_are_refused(tmp_path, change, message):
    arrays = {key: values for key, values in (weights() | change).items() if values is not None}
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_lhd_weights(tmp_path / "bad.npz")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_lhd_weights(tmp_path / "none.npz")
    raised = call("import", "lhd", tmp_path / "none.npz").exception
    assert isinstance(raised, SettingsError)
    assert "Expected a NumPy archive of architecture weights at" in str(raised)


def test_pickles_and_wrong_names_are_refused_in_one_line(tmp_path):
    (tmp_path / "alphas.pl").write_bytes(b"\x80\x03]q\x00.")
    np.savez(tmp_path / "one.npz", **weights())
    for arguments, error, words in (
        ((tmp_path / "alphas.pl",), DataError, "can execute code"),
        ((tmp_path / "one.npz", "--policy", "2m"), SpaceError, "base, 1m, 3ops, 4out"),
        ((tmp_path / "one.npz", "--select", "b"), ValueError, "such as '0'"),
        ((tmp_path / "one.npz", "--out", "a.txt"), ValueError, "ends in .csv"),
    ):
        raised = call("import", "lhd", *arguments).exception
        assert isinstance(raised, error)
        assert words in str(raised)
