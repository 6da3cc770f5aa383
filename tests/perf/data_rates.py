"""Rates of reading image files: beside Pillow in a pool of threads and, where it is installed, pyvips.

``python tests/perf/data_rates.py FOLDER`` writes files of CIFAR-10 (``EVONAS_DATA``) into FOLDER, small PNG and
enlarged JPEG, and prints images per second, side by side in one run, memory per image, and the time of an inventory.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from evonas.data.decode import EncodedImages
from evonas.data.folder import read_folder
from evonas.data.inventory import inventory_lines
from evonas.data.overview import overview_of
from evonas.data.read_options import ReadOptions

SIZE = 64
ROUNDS = 5
SETS = {"png32": (10_000, 32, ".png"), "jpeg500": (600, 500, ".jpg")}
"""Name -> number of files, side in pixels, ending."""
DATA = Path(os.environ.get("EVONAS_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
MEMORY = """
import resource, sys
from evonas.data.load import load_data
from evonas.data.read_options import ReadOptions
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
load_data(sys.argv[1], resolution=64, limit=100)
before = peak()
load_data(sys.argv[1], resolution=64, options=ReadOptions(lazy=sys.argv[2] == "lazy"))
print(peak() - before)
"""


def write(folder: Path, count: int, side: int, ending: str) -> None:
    """Write images of CIFAR-10 into a folder for each class."""
    rows = pq.read_table(DATA / "cifar10" / "train.parquet").slice(0, count)
    image, label = (next(name for name in rows.column_names if word in name) for word in ("im", "label"))
    for row, (cell, number) in enumerate(zip(rows[image].to_pylist(), rows[label].to_pylist(), strict=True)):
        file = folder / str(number) / f"{row:05}{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(cell["bytes"])).convert("RGB")
        picture.resize((side, side * 3 // 4 if side > 32 else side), Image.Resampling.BICUBIC).save(file, quality=90)


def by_pillow(file: Path, *, draft: bool) -> np.ndarray:
    """Decode a file as scripts do; with `draft`, a JPEG at a fraction of its size."""
    with Image.open(file) as image:
        if draft:
            image.draft("RGB", (2 * SIZE, 2 * SIZE))
        picture = image.convert("RGB")
        side = min(picture.size)
        left, top = (picture.width - side) / 2, (picture.height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=box))


def readers(images: EncodedImages) -> dict[str, Callable[[], object]]:
    """Return what reads all files, by name."""
    files, pool = [Path(str(item)) for item in images.items], ThreadPoolExecutor(os.cpu_count())
    found: dict[str, Callable[[], object]] = {
        "evonas": lambda: images.read(np.arange(len(images)), 3, SIZE),
        "Pillow in a pool": lambda: np.stack(list(pool.map(lambda file: by_pillow(file, draft=False), files))),
        "Pillow in a pool, draft": lambda: np.stack(list(pool.map(lambda file: by_pillow(file, draft=True), files))),
    }
    try:
        import pyvips
    except ImportError:
        return found

    def by_vips(file: Path) -> np.ndarray:
        image = pyvips.Image.thumbnail(str(file), SIZE, height=SIZE, crop="centre")
        return image.numpy()[..., :3]

    found["pyvips in a pool"] = lambda: np.stack(list(pool.map(by_vips, files)))
    return found


def main(home: Path) -> None:
    """Print all figures."""
    for name, (count, side, ending) in SETS.items():
        folder = home / name
        if not folder.is_dir():
            write(folder, count, side, ending)
        images = read_folder(str(folder)).train
        some = images.take(np.arange(min(1000, count)))
        rates: dict[str, list[float]] = {}
        used: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for reader, read in readers(some).items():
                begin, cpu = time.perf_counter(), time.process_time()
                read()
                used.setdefault(reader, []).append((time.process_time() - cpu) / len(some))
                rates.setdefault(reader, []).append(len(some) / (time.perf_counter() - begin))
        for reader, held in rates.items():
            ratios = [mine / theirs for mine, theirs in zip(rates["evonas"], held, strict=True)]
            costs = [theirs / mine for mine, theirs in zip(used["evonas"], used[reader], strict=True)]
            print(
                f"{name} {reader}: {statistics.median(held):.0f} images/s ({min(held):.0f} to {max(held):.0f}); "
                f"evonas / it {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
                f"{1e6 * statistics.median(used[reader]):.0f} us of CPU an image, evonas / it "
                f"{statistics.median(costs):.2f} ({min(costs):.2f} to {max(costs):.2f}) images per CPU second",
                flush=True,
            )
        begin, start = time.perf_counter(), time.process_time()
        read_folder(str(folder)).train.headers()
        seen, cpu = time.perf_counter() - begin, time.process_time() - start
        print(f"{name} names and headers per 10,000 files: {seen * 1e4 / count:.2f} s ({cpu * 1e4 / count:.2f} s CPU)")
        begin, start = time.perf_counter(), time.process_time()
        inventory_lines(overview_of(str(folder), ReadOptions()).inventory)
        seen, cpu = time.perf_counter() - begin, time.process_time() - start
        print(f"{name} whole inventory per 10,000 files: {seen * 1e4 / count:.2f} s ({cpu * 1e4 / count:.2f} s CPU)")
        for way in ("whole", "lazy") if count >= 10_000 else ():  # fewer do not raise the peak
            run = [sys.executable, "-c", MEMORY, str(folder), way]
            grown = int(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
            print(f"{name} {way}: {grown / count:.0f} bytes of memory an image at {SIZE} px (pixels {3 * SIZE * SIZE})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
