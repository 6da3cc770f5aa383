from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.data.split import divide, hold_out, interleave, limit_rows, order_keys, quotas
from evonas.errors import DataError

counts_of = st.lists(st.integers(4, 40), min_size=2, max_size=6)
seeds = st.integers(0, 2**70)
shares = st.floats(0.05, 0.95)


def digests_of(n: int) -> np.ndarray:
    joined = b"".join(hashlib.blake2b(str(i).encode(), digest_size=16).digest() for i in range(n))
    return np.frombuffer(joined, dtype=np.uint8).reshape(n, 16)


def data_of(counts: list[int], seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    labels = np.random.default_rng(7).permutation(np.repeat(np.arange(len(counts)), counts))
    return labels, order_keys(digests_of(len(labels)), seed), [f"class {k}" for k in range(len(counts))]


def test_keys_are_splitmix64():
    first = 0xE220A8397B1DCDAF  # first output of the reference generator at state 0
    digest = np.zeros((1, 16), dtype=np.uint8)
    digest[0, :8] = np.frombuffer(first.to_bytes(8, "little"), dtype=np.uint8)
    # Seed 0 is mixed to `first`, which this digest cancels: what is left is the mix of 0, `first` again.
    assert order_keys(digest, 0).tolist() == [first]


def test_keys_depend_on_the_seed():
    keys = [order_keys(digests_of(50), seed) for seed in (0, 1, 2**40)]
    assert all(len(set(key.tolist())) == 50 for key in keys)
    assert not np.array_equal(keys[0], keys[1])
    assert not np.array_equal(np.argsort(keys[0]), np.argsort(keys[2]))


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=8), share=st.floats(0, 1))
def test_quotas_sum_and_stay_within_one(counts, share):
    held = np.array(counts)
    total = int(held.sum() * share)
    shares = quotas(held, total)
    assert shares.sum() == total
    assert np.all(np.abs(shares - held * total / held.sum()) < 1)
    assert np.all(shares <= held)


def test_quotas_known():
    assert quotas(np.array([1, 1, 1]), 2).tolist() == [1, 1, 0]
    assert quotas(np.array([5000] * 10), 10000).tolist() == [1000] * 10
    assert quotas(np.array([10, 20, 70]), 10).tolist() == [1, 2, 7]


@given(counts=counts_of, seed=seeds, share=shares)
def test_divide_is_a_stratified_partition(counts, seed, share):
    labels, keys, classes = data_of(counts, seed)
    train, search, report = divide(labels, keys, classes, share)
    assert sorted(np.concatenate([train, search, report])) == list(range(len(labels)))
    assert abs(len(search) - len(report)) <= 1
    for k, count in enumerate(counts):
        a, b, c = (int((labels[rows] == k).sum()) for rows in (train, search, report))
        assert min(a, b, c) >= 1
        assert abs(b - c) <= 1
        exact = count * share
        assert abs(b + c - exact) <= 0.5 + 1e-9 or b + c == 2 or a == 1


@given(counts=counts_of, seed=seeds, share=shares, order=st.randoms(use_true_random=False))
def test_divide_ignores_the_order_of_rows(counts, seed, share, order):
    labels, keys, classes = data_of(counts, seed)
    shuffled = np.array(order.sample(range(len(labels)), len(labels)))
    parts = divide(labels, keys, classes, share)
    others = divide(labels[shuffled], keys[shuffled], classes, share)
    for part, other in zip(parts, others, strict=True):
        assert part.tolist() == shuffled[other].tolist()


def test_divide_known_sizes():
    labels, keys, classes = data_of([1000] * 10, 0)
    train, search, report = divide(labels, keys, classes, 0.4)
    assert (len(train), len(search), len(report)) == (6000, 2000, 2000)
    assert np.bincount(labels[report]).tolist() == [200] * 10


def test_divide_shares_odd_images_between_search_and_report():
    labels, keys, classes = data_of([5] * 4, 0)  # three validation images each
    _, search, report = divide(labels, keys, classes, 0.6)
    assert np.bincount(labels[search]).tolist() == [2, 1, 2, 1]
    assert np.bincount(labels[report]).tolist() == [1, 2, 1, 2]


def test_divide_seed_moves_images():
    splits = [divide(*data_of([100, 100], seed), 0.4)[0] for seed in range(2)]
    shared = len(set(splits[0]) & set(splits[1]))
    assert 50 < shared < 94  # 72 expected of chance, sd about 5


@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=5), cut=st.floats(0, 1))
def test_interleave_keeps_prefixes_stratified(counts, cut):
    labels = np.repeat(np.arange(len(counts)), counts)
    keys = order_keys(digests_of(len(labels)), 3)
    order = interleave([np.flatnonzero(labels == k) for k in range(len(counts))], keys)
    assert sorted(order) == list(range(len(labels)))
    prefix = labels[order[: int(cut * len(order))]]
    taken = np.bincount(prefix, minlength=len(counts)) / np.array(counts)
    # Any two classes have come equally far, up to the one image that each may be ahead or behind.
    slack = 1 / np.array(counts)
    for a in range(len(counts)):
        for b in range(len(counts)):
            assert taken[a] - taken[b] <= (slack[a] + slack[b]) / 2 + 1e-9


@given(
    counts=st.lists(st.integers(12, 40), min_size=2, max_size=5),
    seed=seeds,
    order=st.randoms(use_true_random=False),
)
def test_limit_is_exact_stratified_and_ignores_the_order(counts, seed, order):
    labels, keys, classes = data_of(counts, seed)
    limit = len(labels) // 2
    rows = limit_rows(labels, keys, classes, limit)
    assert len(set(rows.tolist())) == limit
    assert np.all(np.abs(np.bincount(labels[rows]) - np.array(counts) * limit / len(labels)) < 1)
    shuffled = np.array(order.sample(range(len(labels)), len(labels)))
    others = limit_rows(labels[shuffled], keys[shuffled], classes, limit)
    assert set(shuffled[others].tolist()) == set(rows.tolist())


@pytest.mark.parametrize("limit", [None, 20, 21])
def test_limit_of_all_is_all(limit):
    assert limit_rows(*data_of([10, 10], 0), limit).tolist() == list(range(20))


def test_limit_too_low():
    with pytest.raises(DataError, match=r"^A limit of 5 training images leaves 2 of class 'class 1', at least 3"):
        limit_rows(*data_of([10, 10], 0), 5)


@given(counts=counts_of)
def test_hold_out_takes_a_fifth(counts):
    labels, keys, classes = data_of(counts, 1)
    train, test = hold_out(labels, keys, classes)
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert train.tolist() == sorted(train)
    for k, count in enumerate(counts):
        held = int((labels[test] == k).sum())
        assert held >= 1
        assert abs(held - count / 5) <= 0.5


def test_too_few_images():
    labels, keys, classes = data_of([9, 3], 0)
    with pytest.raises(DataError, match=r"^A class has too few training images for the split: 'class 1' 3; at least 4"):
        hold_out(labels, keys, classes)
    labels, keys, classes = data_of([2, 9], 0)
    with pytest.raises(DataError, match=r"^A class has too few training images for the split: 'class 0' 2; at least 3"):
        divide(labels, keys, classes, 0.4)
