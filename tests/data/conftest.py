"""Small data sets on disk."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Eight training images of each of three classes and two test images of each, 6 x 6 x 3."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (24, 6, 6, 3), dtype=np.uint8),
        "y_train": np.arange(24) % 3,
        "x_test": rng.integers(0, 256, (6, 6, 6, 3), dtype=np.uint8),
        "y_test": np.arange(6) % 3,
    }


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def image_of() -> Callable[[Path, int], Path]:
    """A function that writes a gray image of 8 pixels that a number decides, and returns its file."""

    def write(file: Path, number: int) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)))
        return file

    return write


@pytest.fixture
def write_parquet() -> Callable[..., None]:
    """A function that writes images (bytes) and labels in the hub's layout."""

    def write(
        path: Path,
        cells: Sequence[bytes | None],
        labels: Sequence[int | None],
        *,
        image: str = "img",
        label: str = "label",
        names: Sequence[str] | None = None,
    ) -> None:
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        rows = pa.array([{"bytes": cell, "path": None} for cell in cells], type=kind)
        table = pa.table({image: rows, label: pa.array(labels)})
        if names is not None:
            features = {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}
            metadata = {"huggingface": json.dumps({"info": {"features": features}})}
            table = table.replace_schema_metadata(metadata)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)

    return write


@pytest.fixture
def cells(arrays: dict[str, np.ndarray]) -> list[bytes]:
    """The training images of `arrays` as PNG."""
    return [png(pixels) for pixels in arrays["x_train"]]


@pytest.fixture
def write_photos() -> Callable[..., None]:
    """A function that writes `count` photos, all different, of one size into a folder."""

    def write(
        folder: Path, count: int, *, size: tuple[int, int] = (12, 10), mode: str = "RGB", suffix: str = ".png"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([*folder.name.encode(), *size, count])
        for i in range(count):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / f"{i:03}{suffix}")

    return write
