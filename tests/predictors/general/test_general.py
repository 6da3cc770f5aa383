"""The general predictor: what it learns, its file, and what the package ships."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evonas.errors import DataError, SettingsError
from evonas.pareto.correlation import spearman
from evonas.predictors.encoders.traits import TRAITS
from evonas.predictors.general import (
    GENERAL_TRAITS,
    GeneralPredictor,
    PredictorFile,
    TrainedOn,
    TraitTable,
    fit_general,
    open_predictor,
    read_predictor,
    shipped_predictor,
    write_predictor,
)


def table(seed: int, counts: str, scale: float = 1.0) -> TraitTable:
    """Return a space whose values are one trait, on a scale of its own."""
    traits = scale * np.random.default_rng(seed).uniform(1, 9, (300, len(TRAITS)))
    return TraitTable(traits, traits[:, TRAITS.index(counts)] ** 3)


def test_what_counts_in_the_tables_counts_elsewhere_on_any_scale():
    general = fit_general([table(0, "depth"), table(1, "depth", 1e6)])
    assert max(general.weights, key=general.weights.__getitem__) == "depth"
    other = table(2, "depth", 1e-3)
    assert spearman(general(other.traits, other.traits), other.values) > 0.9


def test_the_pull_is_to_equal_weights():
    general = fit_general([table(0, "depth")], pull=1e9)
    assert np.ptp(list(general.weights.values())) < 1e-6
    assert min(general.weights.values()) > 0


def test_tables_count_alike_whatever_their_rows():
    few = table(1, "flops")
    few = TraitTable(few.traits[:30], few.values[:30])
    general = fit_general([table(0, "depth"), few])
    assert general.weights["flops"] > 0.5 * general.weights["depth"]


@pytest.mark.parametrize("values", [np.arange(9.0), np.ones(20)])
def test_a_table_that_teaches_nothing_is_refused(values):
    with pytest.raises(SettingsError, match="ten or more rows of different values"):
        TraitTable(np.zeros((len(values), len(TRAITS))), values)


def predictor_file() -> PredictorFile:
    whole, other = (
        GeneralPredictor(dict.fromkeys(GENERAL_TRAITS, 0.5)),
        GeneralPredictor(dict.fromkeys(GENERAL_TRAITS, 0.1)),
    )
    trained = [
        TrainedOn("a.csv", "darts", "acc", 12, "ours", "CC0"),
        TrainedOn("b.csv", "fbnet", "acc", 10, "theirs", "MIT"),
    ]
    return PredictorFile(whole, {"darts": other}, trained, {"darts": {"spearman": 0.7, "flops": 0.6, "n": 12}})


def test_a_file_is_read_back_and_names_the_variant_that_has_not_seen_a_space(tmp_path):
    write_predictor(tmp_path / "p.safetensors", predictor_file())
    read = read_predictor(tmp_path / "p.safetensors")
    assert read.card == predictor_file().card
    general, name = read.for_space("darts")
    assert (name, general.weights["flops"]) == ("general without darts", 0.1)
    general, name = read.for_space("proxyless")
    assert (name, general.weights["flops"]) == ("general", 0.5)
    write_predictor(tmp_path / "again.safetensors", read)
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "p.safetensors").read_bytes()
    assert read.digest == read_predictor(tmp_path / "again.safetensors").digest


def damaged(tmp_path, change) -> str:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = tmp_path / "p.safetensors"
    write_predictor(path, predictor_file())
    with safe_open(path, framework="numpy") as opened:
        card = json.loads(opened.metadata()["card"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    change(card, tensors)
    save_file(tensors, path, {"card": json.dumps(card)})
    return str(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card, tensors: card.update(version=99), "of version 1 .*got 99: train it again"),
        (lambda card, tensors: card.update(format="x"), "got another file"),
        (lambda card, tensors: card.update(traits=["flops"]), "is damaged"),
        (lambda card, tensors: tensors.pop("whole"), "is damaged"),
        (lambda card, tensors: tensors["whole"].fill(np.nan), "is damaged"),
        (lambda card, tensors: card["tables"][0].pop("licence"), "is damaged"),
        (lambda card, tensors: card.update(traits=["flops"] * len(card["traits"])), "each once, got flops, flops"),
        (lambda card, tensors: card.update(leave_one_space_out=["a"]), "is damaged"),
        (lambda card, tensors: card.update(leave_one_space_out={"a": {}}), "is damaged: KeyError: 'spearman'"),
    ],
)
def test_a_file_of_another_version_or_damaged_is_refused(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        read_predictor(damaged(tmp_path, change))


@pytest.mark.parametrize("content", [None, b"", b"no predictor at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    path = tmp_path / "p.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="Expected a predictor"):
        read_predictor(path)


def test_the_shipped_one_is_small_and_says_what_it_learned_from():
    from evonas.predictors.general.predictor_file import SHIPPED

    assert SHIPPED.stat().st_size < 2e6
    shipped = shipped_predictor()
    assert (
        {one.space for one in shipped.tables}
        == {"nasbench201", "nasbench_macro", "mobilenet_v3"}
        == set(shipped.without)
    )
    assert all("Apache-2.0" in one.licence for one in shipped.tables)
    assert all(row["spearman"] > row["flops"] for row in shipped.judged.values())
    notice = (SHIPPED.parent / "NOTICE").read_text()
    assert all(one.source.split()[0] in notice for one in shipped.tables)
    assert open_predictor("shipped").digest == shipped.digest
    assert open_predictor("none") is None


def test_the_shipped_one_never_saw_what_judges_it():
    assert "darts_open" not in {one.space for one in shipped_predictor().tables}
    assert shipped_predictor().for_space("darts_open")[1] == "general"
