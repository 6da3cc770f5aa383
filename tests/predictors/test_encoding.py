from __future__ import annotations

import numpy as np
import pytest

from evonas.predictors import Columns, Encoder, describe
from evonas.spaces import load_space, shipped


@pytest.mark.parametrize("name", shipped())
def test_architectures_of_every_space_are_told_apart(name):
    space = load_space(name)
    forms = {}
    for genome in space.sample(60, np.random.default_rng(0)):
        form = space.canonical(space.decode(genome))
        forms[str(form)] = describe(space, form)
    texts = {str(sorted((g, sorted(held.items())) for g, held in groups.items())) for groups in forms.values()}
    assert len(texts) == len(forms)
    assert len({tuple(groups) for groups in forms.values()}) == 1


def test_paths_of_a_cell_known_by_hand():
    space = load_space("nasbench201")
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
    found = describe(space, space.canonical(space.parse(text)))
    # The way over the second node ends there; a way that passes everything on is empty.
    ways = {way: n for way, n in found["paths"].items() if "length" not in way}
    assert ways == {"cell:": 1, "cell:nor_conv_3x3>nor_conv_1x1": 1}
    assert found["parts"]["cell:nor_conv_1x1<nor_conv_3x3"] == 1


def test_stages_count_only_blocks_that_run():
    space = load_space("mobilenet_v3")
    genome = np.zeros(len(space.cardinalities), dtype=np.int16)
    form = space.canonical(space.decode(genome))
    parts = describe(space, form)["parts"]
    options = sum(n for token, n in parts.items() if ":" not in token)
    assert options == sum(form.depths)


def words(genome: np.ndarray) -> dict[str, dict[str, float]]:
    """Two groups: one token for each gene, and how often a gene occurs."""
    counts = {f"g{gene}": float((genome == gene).sum()) for gene in set(genome.tolist())}
    return {"genes": {f"{i}={gene}": 1.0 for i, gene in enumerate(genome.tolist())}, "counts": counts}


def cost(genomes: np.ndarray) -> np.ndarray:
    return np.stack([np.exp(genomes.sum(axis=1)), np.full(len(genomes), np.nan)], axis=1)


def test_columns_do_not_depend_on_what_was_encoded_before():
    rng = np.random.default_rng(0)
    known, others = rng.integers(0, 4, (12, 5)), rng.integers(0, 4, (30, 5))
    fresh, used = (Encoder(words, cost, tuple) for _ in range(2))
    used(others[::-1])
    first, second = Columns(fresh, fresh(known)), Columns(used, used(known))
    np.testing.assert_array_equal(first(fresh(others)), second(used(others)))


def test_groups_weigh_alike_and_what_is_never_known_counts_for_nothing():
    genomes = np.random.default_rng(0).integers(0, 4, (40, 5))
    encoder = Encoder(words, cost, tuple)
    shown = Columns(encoder, encoder(genomes))(encoder(genomes))
    assert np.isfinite(shown).all()
    # Three groups of variance one: genes, counts, and the one statistic that is known.
    assert shown.var(axis=0).sum() == pytest.approx(3.0)


def test_tokens_that_training_lacks_are_left_out():
    encoder = Encoder(words, cost, tuple)
    columns = Columns(encoder, encoder(np.zeros((3, 5), dtype=int)))
    (known,), (unknown,) = (columns(encoder(np.full((1, 5), gene))) for gene in (0, 3))
    assert len(known) == len(unknown) == 7  # five genes, one count, one statistic
    assert not unknown[:-1].any()


def test_rows_of_encoded_are_taken_in_any_order():
    genomes = np.random.default_rng(1).integers(0, 4, (6, 5))
    encoder = Encoder(words, cost, tuple)
    columns = Columns(encoder, encoder(genomes))
    rows = np.array([4, 0, 4, 2])
    np.testing.assert_array_equal(columns(encoder(genomes)[rows]), columns(encoder(genomes[rows])))
