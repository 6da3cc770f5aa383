from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from evonas.data import Augment, load_data
from evonas.data.read_options import ReadOptions
from evonas.data.source_readers import find_source
from evonas.errors import DataError, SettingsError

DIGITS = "484f005e022a812e"


def parts_of(data):
    return data.train, data.search, data.report


def rows_of(part):
    return sorted(image.numpy().tobytes() for image in part.images)


def test_digits_known():
    data = load_data("digits")
    assert (data.name, data.classes, data.in_channels, data.resolution, data.scale) == (
        "digits",
        tuple("0123456789"),
        1,
        8,
        16.0,
    )
    assert [len(part) for part in (*parts_of(data), data.test)] == [863, 288, 287, 359]
    assert data.augment == Augment(fill=data.augment.fill)
    assert data.train.images.dtype == torch.uint8
    assert data.train.images.max() == 16
    assert data.train.labels.dtype == torch.int64
    assert data.fingerprint.startswith(DIGITS)
    assert data.mean == pytest.approx((0.3061993,), abs=1e-7)


def test_fingerprint_is_the_same_in_another_process():
    code = "from evonas.data import load_data; print(load_data('digits').fingerprint)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(DIGITS)


def test_parts_hold_every_digit_once():
    data = load_data("digits", seed=3)
    joined = [image for part in (*parts_of(data), data.test) for image in rows_of(part)]
    from sklearn.datasets import load_digits

    assert sorted(joined) == sorted(image.astype(np.uint8).tobytes() for image in load_digits().images)


def test_test_part_of_digits_ignores_seed_and_limit():
    parts = [load_data("digits", seed=seed, limit=limit).test for seed, limit in ((0, None), (1, None), (2, 300))]
    assert torch.equal(parts[0].images, parts[1].images)
    assert torch.equal(parts[0].images, parts[2].images)


def test_seed_moves_the_split_and_settings_the_fingerprint():
    settings = [{}, {"seed": 1}, {"validation": 0.3}, {"limit": 500}, {"resolution": 12}]
    data = [load_data("digits", **some) for some in settings]
    assert len({some.fingerprint for some in data}) == len(settings)
    assert rows_of(data[0].search) != rows_of(data[1].search)
    assert load_data("digits", limit=10**6, resolution=8).fingerprint == data[0].fingerprint


def test_limit_is_stratified():
    data = load_data("digits", limit=500)
    assert sum(len(part) for part in parts_of(data)) == 500
    labels = torch.cat([part.labels for part in parts_of(data)])
    assert set(torch.bincount(labels).tolist()) <= {48, 49, 50, 51, 52}


def test_prefixes_are_nearly_stratified():
    counts = torch.bincount(load_data("digits").train.labels[:100], minlength=10)
    assert counts.min() >= 9
    assert counts.max() <= 11


def test_resolution():
    data = load_data("digits", resolution=16)
    assert data.resolution == 16
    assert data.train.images.shape == (863, 1, 16, 16)
    assert data.test.images.shape == (359, 1, 16, 16)
    assert data.head(3).shape == (3, 1, 16, 16)
    assert data.augment.crop == 2


def test_order_of_rows_moves_nothing_but_the_head(tmp_path, arrays):
    order = np.random.default_rng(0).permutation(24)
    shuffled = {**arrays, "x_train": arrays["x_train"][order], "y_train": arrays["y_train"][order]}
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez(tmp_path / "b.npz", **shuffled)
    a, b = load_data(tmp_path / "a.npz"), load_data(tmp_path / "b.npz")
    for mine, other in zip(parts_of(a), parts_of(b), strict=True):
        assert torch.equal(mine.images, other.images)
        assert torch.equal(mine.labels, other.labels)
    assert a.mean == b.mean
    assert a.fingerprint != b.fingerprint  # the head, read in file order, differs
    torch.testing.assert_close(b.head(24), a.head(24)[order])


def test_name_and_place_of_a_file_leave_the_fingerprint(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    (tmp_path / "deep").mkdir()
    np.savez_compressed(tmp_path / "deep" / "b.npz", **arrays)
    assert load_data(tmp_path / "a.npz").fingerprint == load_data(tmp_path / "deep" / "b.npz").fingerprint
    arrays["x_test"][0, 0, 0, 0] ^= 1
    np.savez(tmp_path / "a.npz", **arrays)
    assert load_data(tmp_path / "a.npz").fingerprint != load_data(tmp_path / "deep" / "b.npz").fingerprint


def test_folder_of_photos(tmp_path, write_photos):
    sizes = {"ant": (90, 70), "bee": (70, 120), "cat": (65, 65)}
    for name, size in sizes.items():
        write_photos(tmp_path / name, 20, size=size, suffix=".jpg")
    data = load_data(tmp_path, resolution=24)
    assert data.classes == ("ant", "bee", "cat")
    assert data.train.images.shape == (30, 3, 24, 24)
    assert torch.bincount(data.test.labels).tolist() == [4, 4, 4]
    assert load_data(tmp_path).resolution == 64
    assert data.augment.flip
    assert data.augment.crop == 3


def test_gray_folder_has_one_channel(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / name, 6, size=(9, 9), mode="L")
    data = load_data(tmp_path)
    assert (data.in_channels, data.resolution) == (1, 9)


def test_parquet_equals_npz(tmp_path, arrays, cells, write_parquet):
    np.savez(tmp_path / "a.npz", **arrays)
    write_parquet(tmp_path / "p" / "train.parquet", cells, arrays["y_train"].tolist())
    write_parquet(tmp_path / "p" / "test.parquet", cells[:3], [0, 1, 2])
    a, p = load_data(tmp_path / "a.npz"), load_data(tmp_path / "p")
    assert torch.equal(
        torch.round((p.head(24) * torch.tensor(p.std).view(3, 1, 1) + torch.tensor(p.mean).view(3, 1, 1)) * 255).byte(),
        torch.from_numpy(arrays["x_train"].transpose(0, 3, 1, 2).copy()),
    )
    assert [len(part) for part in parts_of(a)] == [len(part) for part in parts_of(p)]


def test_undecodable_photos_are_named(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / "train" / name, 6)
        write_photos(tmp_path / "test" / name, 2)
    (tmp_path / "test" / "bee" / "001.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"^1 of 16 images cannot be decoded: test/bee/001\.png \("):
        load_data(tmp_path)
    (tmp_path / "train" / "ant" / "004.png").write_bytes(b"")
    message = r"^2 of 16 images .*: train/ant/004\.png, test/bee/001\.png \(.*--max-skipped 13%$"
    with pytest.raises(DataError, match=message):
        load_data(tmp_path)


def test_one_class_only(tmp_path, write_photos):
    write_photos(tmp_path / "ant", 9)
    with pytest.raises(DataError, match=r"has one class only \('ant'\): a classifier needs at least two$"):
        load_data(tmp_path)


def test_too_few_images(tmp_path, write_photos):
    write_photos(tmp_path / "ant", 9)
    write_photos(tmp_path / "bee", 3)
    with pytest.raises(DataError, match=r"^1 class has fewer than 5 .*: 'bee' 3; leave it out by --rare drop, or add"):
        load_data(tmp_path)
    with pytest.raises(DataError, match=r"^A class has too few training images for the split: 'bee' 3; at least 4 are"):
        load_data(tmp_path, options=ReadOptions(rare="keep"))


def test_empty_arrays(tmp_path, arrays):
    arrays |= {"x_train": arrays["x_train"][:0], "y_train": arrays["y_train"][:0]}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=r"^Data 'a' has no training images"):
        load_data(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["digit", "Digits", "./digitz"])
def test_unknown_names_get_the_nearest(name):
    with pytest.raises(
        DataError,
        match=rf"^Unknown data '{name}': expected 'digits', an \.npz or .*NAME\. Did you mean 'digits'\?$",
    ):
        load_data(name)


def test_mistyped_paths_get_their_neighbors(tmp_path, arrays):
    np.savez(tmp_path / "insects.npz", **arrays)
    with pytest.raises(DataError, match=r"Did you mean 'insects\.npz'\?$"):
        load_data(tmp_path / "insect.npz")


def test_nothing_near():
    with pytest.raises(DataError, match=r"or hub:NAME\.$"):
        load_data("/absent/zzz")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolution": 0}, "Expected a resolution of at least 1 pixel, got 0"),
        ({"limit": 0}, "Expected a limit of at least 1 training image, got 0"),
        ({"validation": 0.0}, r"Expected a validation share above 0 and below 1, got 0\.0"),
        ({"validation": 1.0}, r"got 1\.0"),
        ({"seed": -1}, "Expected a seed of at least 0, got -1"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        load_data("digits", **settings)


def test_cifar10_parquet(truth):
    data = load_data(truth / "cifar10", limit=3000)
    assert data.classes[:3] == ("airplane", "automobile", "bird")
    assert [len(part) for part in parts_of(data)] == [1800, 600, 600]
    assert set(torch.bincount(data.report.labels).tolist()) == {60}
    assert data.train.images.shape[1:] == (3, 32, 32)
    assert repr(data).endswith("10000 test)")
    assert "test" not in vars(data)
    # Channel statistics of the 50,000 training images, as the literature prints them.
    assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=0.01)
    assert data.std == pytest.approx((0.2470, 0.2435, 0.2616), abs=0.01)


def test_cifar10_exact_arrays(truth):
    data = load_data(truth / "cifar10_exact.npz")
    assert data.classes[6] == "frog"
    assert [len(part) for part in (*parts_of(data), data.test)] == [2400, 800, 800, 1000]
    # The first training image of CIFAR-10 is a frog whose first pixel is (59, 62, 63).
    pixel = data.head(1)[0, :, 0, 0].double() * torch.tensor(data.std) + torch.tensor(data.mean)
    assert torch.round(pixel * 255).tolist() == [59, 62, 63]
    assert data.test.labels[:4].tolist() == [3, 8, 8, 0]


def as_people_save_them(kind: str) -> dict[str, np.ndarray]:
    """Arrays of 40 training and 12 other images, 8 x 8 x 3, under the names and with the labels of a kind."""
    rng = np.random.default_rng(0)
    x, other = (rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8) for n in (40, 12))
    y, y_other = np.arange(40) % 4, np.arange(12) % 4
    words = np.array(["a", "b", "c", "d"])
    return {
        "MedMNIST": {
            "train_images": x, "train_labels": y[:, None].astype(np.uint8),
            "val_images": other[::-1], "val_labels": y_other[::-1, None].astype(np.uint8),
            "test_images": other, "test_labels": y_other[:, None].astype(np.uint8),
        },
        "no test part": {"x_train": x, "y_train": y},
        "booleans": {"x_train": x, "y_train": y > 1, "x_test": other, "y_test": y_other > 1},
        "words": {"x_train": x, "y_train": words[y], "x_test": other, "y_test": words[y_other]},
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sizes", "classes"),
    [
        ("MedMNIST", [40, 6, 6, 12], ("0", "1", "2", "3")),
        ("no test part", [20, 6, 6, 8], ("0", "1", "2", "3")),
        ("booleans", [24, 8, 8, 12], ("0", "1")),
        ("words", [24, 8, 8, 12], ("a", "b", "c", "d")),
    ],
)
def test_arrays_as_people_save_them(tmp_path, kind, sizes, classes):
    np.savez(tmp_path / "own.npz", **as_people_save_them(kind))
    data = load_data(tmp_path / "own.npz")
    assert data.classes == classes
    assert [len(data.part(name)) for name in ("train", "search", "report", "test")] == sizes
    assert any("no test part" in note for note in data.notes) == (kind == "no test part")
    assert any("validation part that is there" in note for note in data.notes) == (kind == "MedMNIST")


@pytest.mark.parametrize("depth", ["png12in16", "png16", "tiff_float01"])
def test_depth_is_found_over_the_set(tmp_path, depth):
    rng = np.random.default_rng(0)
    share = rng.random((40, 8, 8))
    share[:, 0, 0], share[:, 0, 1] = 0.0, 1.0
    for i, image in enumerate(share):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        dim = image * (0.25 if i % 4 == 0 else 1.0)  # a dark image stays dark
        if depth == "tiff_float01":
            Image.fromarray(dim.astype(np.float32)).save(folder / f"{i:02}.tif")
        else:
            top = 4095 if depth == "png12in16" else 65535
            Image.fromarray(np.rint(dim * top).astype(np.uint16)).save(folder / f"{i:02}.png")
    found = find_source(str(tmp_path))
    data = load_data(tmp_path)
    pixels = torch.cat([data.train.images, data.search.images, data.report.images, data.test.images])
    assert pixels.max() == 255
    tops = pixels.flatten(1).max(1).values
    assert set(tops.tolist()) == {64, 255}
    assert len(found.train) == 40


def test_classes_that_are_too_small_are_named_at_once(tmp_path, write_photos):
    for k in range(10):
        write_photos(tmp_path / f"c{k}", 2 if k % 3 else 9)
    with pytest.raises(DataError, match=r"^6 of 10 classes have fewer than 5 .*: 'c1' 2, 'c2' 2, .* --rare drop"):
        load_data(tmp_path)


def test_a_given_validation_part_is_used_as_such(tmp_path, write_photos):
    for part, count in (("train", 8), ("val", 4), ("test", 3)):
        for name in ("ant", "bee"):
            write_photos(tmp_path / part / name, count, size=(12 + count, 12 + count))
    data = load_data(tmp_path, resolution=12)
    assert [len(data.part(name)) for name in ("train", "search", "report", "test")] == [16, 4, 4, 6]
    for part in (data.search, data.report):
        assert torch.bincount(part.labels).tolist() == [2, 2]
    assert any("validation part that is there is used" in note for note in data.notes)
    (tmp_path / "val" / "ant" / "000.png").unlink()
    assert load_data(tmp_path, resolution=12).fingerprint != data.fingerprint


def test_one_depth_holds_for_a_deep_minority_and_for_all_parts(tmp_path):
    rng = np.random.default_rng(0)
    for part, top in (("train", 4095), ("test", 1023)):
        for i in range(16):
            folder = tmp_path / part / "ab"[i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            share = rng.random((8, 8))
            share[0, 0] = 1.0
            if part == "train" and i >= 2:  # most have 8 bits
                Image.fromarray(np.rint(share * 255).astype(np.uint8)).save(folder / f"{i:02}.png")
            else:
                Image.fromarray(np.rint(share * top).astype(np.uint16)).save(folder / f"{i:02}.png")
    data = load_data(tmp_path)
    everything = torch.cat([data.train.images, data.search.images, data.report.images])
    assert set(everything.flatten(1).max(1).values.tolist()) == {255}
    assert set(data.test.images.flatten(1).max(1).values.tolist()) == {64}


def test_a_bad_image_takes_none_of_the_same_name_with_it(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        lines = ["file,size"]
        for i in range(60):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(tmp_path / part / f"{i}.png")
            lines.append(f"{i}.png,{rng.random()}")
        (tmp_path / part / "targets.csv").write_text("\n".join(lines))
    whole = (tmp_path / "train" / "3.png").read_bytes()
    (tmp_path / "train" / "3.png").write_bytes(whole[: len(whole) // 2])
    data = load_data(tmp_path)
    assert [(one.part, one.name) for one in data.skipped] == [("train", "train/3.png")]
    assert len(data.test) == 60


def test_gray_images_are_mirrored_where_that_is_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        images = rng.integers(0, 256, (24, 8, 8, channels), dtype=np.uint8)
        np.savez(tmp_path / f"{channels}.npz", images=images, labels=np.arange(24) % 2)
    gray, color = str(tmp_path / "1.npz"), str(tmp_path / "3.npz")
    assert not load_data(gray).augment.flip
    assert any("--flip" in note for note in load_data(gray).notes)
    assert load_data(gray, options=ReadOptions(flip=True)).augment.flip
    assert load_data(color).augment.flip
    assert not any("--flip" in note for note in load_data(color).notes)
    assert not load_data(color, options=ReadOptions(flip=False)).augment.flip
    assert not load_data("digits").augment.flip
