from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from evonas.data.digits import read_embedded


def test_digits_are_scikit_learns():
    source = read_embedded("digits")
    assert source is not None
    assert source.classes == tuple("0123456789")
    assert (source.scale, source.mirror, source.test) == (16.0, False, None)
    assert source.train.native() == (1, 8)
    pixels = source.train.read(np.arange(1797), 1, 8).numpy()
    assert np.array_equal(pixels[:, 0], load_digits().images)
    assert np.array_equal(source.train.labels, load_digits().target)


def test_other_names_are_not_its_own():
    assert read_embedded("./digits") is None
