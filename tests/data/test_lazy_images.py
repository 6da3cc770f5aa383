"""Images that are decoded as they are read: the values of those in memory, and no more of them held than allowed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evonas.data import Part, batches, load_data
from evonas.data.decode import UndecodableError
from evonas.data.lazy_images import DecodedCache, LazyImages, chunks_of
from evonas.data.overview import overview_of
from evonas.data.read_options import ReadOptions
from evonas.data.source_readers import find_source
from evonas.errors import DataError

LAZY = ReadOptions(lazy=True)


@pytest.fixture(scope="module")
def both():
    source = find_source("digits").train
    rows = np.arange(100)[::-1].copy()
    return source.read(rows, 1, 8), LazyImages(source, rows, (1, 8, 8), DecodedCache(64 * 30))


@pytest.mark.parametrize(
    "index", [slice(3, 9), slice(None, None, 7), torch.tensor([5, 2, 77, 5]), torch.arange(100) % 3 == 0, 7]
)
def test_what_is_indexed_is_decoded(both, index):
    plain, lazy = both
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert type(lazy[index]) is torch.Tensor
            assert torch.equal(lazy[index], plain[index])


def test_shapes_are_known_without_decoding(monkeypatch):
    source = find_source("digits").train
    lazy = LazyImages(source, np.arange(50), (1, 8, 8), DecodedCache(0))
    # That nothing is read is what is tested.
    monkeypatch.setattr(type(source), "read", None)
    assert (lazy.shape, len(lazy), lazy.dtype, lazy.device.type) == ((50, 1, 8, 8), 50, torch.uint8, "cpu")
    assert [len(part) for part in torch.split(lazy, 20)] == [20, 20, 10]
    assert torch.cat([lazy, lazy]).shape[0] == 100
    assert lazy.at(4).shape == (50, 1, 4, 4)
    assert "50, 1, 8, 8" in repr(lazy)
    assert isinstance(Part(lazy, torch.zeros(50)).to("cpu").images, LazyImages)


def test_operations_give_what_they_give_in_memory(both):
    plain, lazy = both
    joined = torch.cat([lazy, torch.split(lazy, 30)[1]])
    assert isinstance(joined, LazyImages)
    assert torch.equal(joined[90:110], torch.cat([plain, plain[30:60]])[90:110])
    assert torch.equal(torch.split(lazy, 30)[1].float(), plain[30:60].float())
    assert torch.equal(lazy.to(torch.float32, copy=True), plain.float())
    assert torch.equal(lazy.flatten(2), plain.flatten(2))
    assert torch.equal(torch.cat([lazy, plain]), torch.cat([plain, plain]))
    generator = [torch.Generator().manual_seed(1) for _ in range(2)]
    labels = torch.arange(100)
    for (one, _), (other, _) in zip(
        batches(Part(plain, labels), 32, generator[0]), batches(Part(lazy, labels), 32, generator[1]), strict=True
    ):
        assert torch.equal(one, other)


def test_the_cache_keeps_to_its_bound_and_spares_decoding():
    decoded: list[int] = []

    def decode(rows):
        decoded.extend(rows.tolist())
        return torch.from_numpy(rows.astype(np.uint8)).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()

    cache = DecodedCache(4 * 10)
    for _ in range(3):
        found = cache.read(np.arange(25), decode)
        assert found[:, 0, 0, 0].tolist() == list(range(25))
    assert cache.held == 40
    assert len(decoded) == 25 + 15 + 15


class Endless:
    """A source as large as is claimed, none of which is held: an image is its row's number."""

    def read(self, rows, channels, resolution):
        self.largest = max(getattr(self, "largest", 0), len(rows))
        values = torch.from_numpy((rows % 256).astype(np.uint8)).view(-1, 1, 1, 1)
        return values.expand(-1, channels, resolution, resolution).contiguous()


def test_fifty_thousand_photos_of_224_pixels_take_a_batch_of_memory():
    source, cache = Endless(), DecodedCache(10 * 3 * 224 * 224)
    images = LazyImages(source, np.arange(50_000), (3, 224, 224), cache)
    assert images.nbytes > 7 * 10**9
    part = Part(images, torch.arange(50_000))
    for taken, (pixels, labels) in enumerate(batches(part, 64, torch.Generator().manual_seed(0))):
        assert pixels[:, 0, 0, 0].tolist() == (labels % 256).tolist()
        if taken == 3:
            break
    assert source.largest <= 64
    assert cache.held <= cache.most


def write(folder: Path, count: int, torn: tuple[str, ...] = ()) -> Path:
    """Write a folder of two classes and two parts, some of whose files end in the middle."""
    for part, n in (("train", count), ("test", count // 2)):
        for number in range(n):
            file = folder / part / f"c{number % 2}" / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = io.BytesIO()
            pixels = np.random.default_rng([number, part == "test"]).integers(0, 255, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(stream, "PNG")
            file.write_bytes(stream.getvalue()[: 200 if f"{part}/{number}" in torn else None])
    return folder


def test_a_data_set_is_the_same_bit_for_bit(tmp_path, monkeypatch):
    folder = write(tmp_path / "photos", 40)
    eager = load_data(folder)
    # A gigabyte of images would not fit a test.
    monkeypatch.setattr("evonas.data.lazy_images.MOST_KEPT", 5 * 12 * 12 * 3)
    lazy = load_data(folder, options=LAZY)
    assert (lazy.fingerprint, lazy.mean, lazy.std) == (eager.fingerprint, eager.mean, eager.std)
    assert lazy.inventory.warnings == eager.inventory.warnings
    for name in ("train", "search", "report", "test"):
        one, other = eager.part(name), lazy.part(name)
        assert isinstance(other.images, LazyImages)
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.images, other.images[:])
    small = lazy.at(8)
    assert isinstance(small.train.images, LazyImages)
    assert torch.equal(small.train.images[:], eager.at(8).train.images)
    assert torch.equal(small.test.images[:], eager.at(8).test.images)


@pytest.mark.parametrize("lazy", [False, True])
def test_torn_images_are_named_in_both_ways_of_reading(tmp_path, lazy):
    folder = write(tmp_path / "photos", 40, torn=("train/3", "train/8", "test/5"))
    data = load_data(folder, options=ReadOptions(lazy=lazy, max_skipped=0.2))
    assert sorted(one.name for one in data.skipped) == ["train/c0/8.png", "train/c1/3.png"]
    assert data.test_skipped == ()
    assert len(data.test) == 19
    assert [(one.part, one.name) for one in data.test_skipped] == [("test", "test/c1/5.png")]
    with pytest.raises(DataError, match=r"2 of 60 images cannot be decoded: .*--max-skipped 4%"):
        load_data(folder, options=ReadOptions(lazy=lazy, max_skipped=0.0))


def test_an_overview_of_data_need_not_hold_them(tmp_path, monkeypatch):
    folder = write(tmp_path / "photos", 12)
    eager = overview_of(str(folder), ReadOptions())
    # What the machine has free.
    monkeypatch.setattr("evonas.data.memory.free_memory", lambda: 100)
    with pytest.raises(DataError, match="--lazy"):
        overview_of(str(folder), ReadOptions())
    overview = overview_of(str(folder), LAZY)
    assert overview.inventory.warnings == eager.inventory.warnings
    assert torch.equal(overview.images[:], eager.images)


def test_all_that_cannot_be_decoded_is_named_at_the_end(tmp_path):
    source = find_source(str(write(tmp_path / "p", 12, torn=("train/1", "train/10")))).train
    images = LazyImages(source, np.arange(12), (3, 12, 12), DecodedCache(0))
    with pytest.raises(UndecodableError) as refused:
        list(chunks_of([images]))
    assert set(refused.value.bad) == {"train/c1/1.png", "train/c0/10.png"}
