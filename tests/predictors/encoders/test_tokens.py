from __future__ import annotations

import numpy as np
import pytest

from evonas.predictors import TokenEncoder


def words(genome: np.ndarray) -> dict[str, dict[str, float]]:
    """Two groups: one token for each gene, and how often a gene occurs."""
    counts = {f"g{gene}": float((genome == gene).sum()) for gene in set(genome.tolist())}
    return {"genes": {f"{i}={gene}": 1.0 for i, gene in enumerate(genome.tolist())}, "counts": counts}


def cost(genomes: np.ndarray) -> np.ndarray:
    return np.stack([np.exp(genomes.sum(axis=1)), np.full(len(genomes), np.nan)], axis=1)


def test_columns_do_not_depend_on_what_was_encoded_before():
    rng = np.random.default_rng(0)
    known, others = rng.integers(0, 4, (12, 5)), rng.integers(0, 4, (30, 5))
    fresh, used = (TokenEncoder(words, cost, tuple) for _ in range(2))
    used.describe(others[::-1])
    first, second = fresh.fit(fresh.describe(known)), used.fit(used.describe(known))
    np.testing.assert_array_equal(first.transform(fresh.describe(others)), second.transform(used.describe(others)))


def test_groups_weigh_alike_and_what_is_never_known_counts_for_nothing():
    genomes = np.random.default_rng(0).integers(0, 4, (40, 5))
    encoder = TokenEncoder(words, cost, tuple)
    described = encoder.describe(genomes)
    shown = encoder.fit(described).transform(described)
    assert np.isfinite(shown).all()
    # Three groups of variance one: genes, counts, and the one statistic that is known.
    assert shown.var(axis=0).sum() == pytest.approx(3.0)


def test_tokens_that_training_lacks_are_left_out():
    encoder = TokenEncoder(words, cost, tuple)
    fitted = encoder.fit(encoder.describe(np.zeros((3, 5), dtype=int)))
    (known,), (unknown,) = (fitted.transform(encoder.describe(np.full((1, 5), gene))) for gene in (0, 3))
    assert len(known) == len(unknown) == 7  # five genes, one count, one statistic
    assert not unknown[:-1].any()


def test_rows_of_encoded_are_taken_in_any_order():
    genomes = np.random.default_rng(1).integers(0, 4, (6, 5))
    encoder = TokenEncoder(words, cost, tuple)
    fitted = encoder.fit(encoder.describe(genomes))
    rows = np.array([4, 0, 4, 2])
    taken, described = encoder.describe(genomes)[rows], encoder.describe(genomes[rows])
    np.testing.assert_array_equal(fitted.transform(taken), fitted.transform(described))


def test_fitting_leaves_the_encoder_and_earlier_fits_as_they_were():
    first, second = np.random.default_rng(2).integers(0, 4, (2, 12, 5))
    encoder = TokenEncoder(words, cost, tuple)
    fitted = encoder.fit(encoder.describe(first))
    before = fitted.transform(encoder.describe(second))
    encoder.fit(encoder.describe(second))
    np.testing.assert_array_equal(fitted.transform(encoder.describe(second)), before)
    with pytest.raises(RuntimeError, match=r"use what fit"):
        encoder.transform(encoder.describe(second))
