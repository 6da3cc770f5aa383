"""Deadlines of searches: wall-clock and processor time of ``evonas search --time``, beside the budget given."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.benchmarks.output import write_json
from evonas.errors import SettingsError, suggest
from evonas.files.duration import parse_time

__all__ = ["bench_deadlines", "write_photos"]

PHOTOS, CLASSES, SIDE = 650, 4, 64
"""Images, classes and pixels of `write_photos`."""
CLOCKS = ("wall", "processor")
"""What deadlines are counted in: time as it passes, or that of the search's own process."""
ON_PROCESSOR = (
    "import sys, time; time.monotonic = time.perf_counter = time.process_time; "
    "from evonas.cli import main; main(sys.argv[1:])"
)
"""Search whose clocks count its own processor time, which is time as it passes where nothing else runs."""
FACTOR = 1.1
"""Times its budget that a search may take."""


def bench_deadlines(
    spaces: Sequence[str],
    data: Sequence[str],
    times: Sequence[str],
    out: str | Path,
    *,
    options: Sequence[str] = (),
    clock: str = "wall",
    progress: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Search each space on each data set in each time, in a process of its own, and return what was spent.

    What stands in the file is not measured again, so that a benchmark that was stopped goes on where it was.

    Args:
        spaces: Names of spaces or their files.
        data: Data sets, as ``evonas search --data`` takes them.
        times: Budgets, such as ``2m``.
        out: JSON file, read where it exists and written whole after each search.
        options: Further options of each search.
        clock: One of `CLOCKS`. By ``processor`` a machine that others use too tells what it would tell alone, but for
            waiting for the disk.
        progress: Called with what begins.

    Returns:
        For each search ``space``, ``data``, ``time``, ``options``, ``clock``; ``budget``, ``wall`` and ``processor``
        (that of child processes too) in seconds; ``ratio`` of the clock's time to the budget and ``kept``, whether it
        is at most `FACTOR`; ``members`` of the front (0: none), ``evaluations``, ``code`` of its exit, ``said`` on its
        last line, and ``load`` of the machine before and after, over a minute.

    Raises:
        SettingsError: The file cannot be read, a time is none, or there is no such clock.
    """
    if clock not in CLOCKS:
        raise SettingsError(f"Expected the clock {' or '.join(CLOCKS)}, got '{clock}'.{suggest(clock, CLOCKS)}")
    budgets = {text: parse_time(text) for text in times}
    rows = _read(Path(out))
    done = {_key(row) for row in rows}
    for space in spaces:
        for source in data:
            for text, budget in budgets.items():
                asked = {"space": space, "data": source, "time": text, "options": list(options), "clock": clock}
                if _key(asked) in done:
                    continue
                progress(f"{space}, {source}, {text}")
                rows.append(asked | _timed(asked, budget))
                write_json(out, rows)
    return rows


def write_photos(parquet: str | Path, folder: str | Path) -> Path:
    """Write a folder of small photos: the first `PHOTOS` images of the first `CLASSES` classes, as JPEG of `SIDE` px.

    Args:
        parquet: File of images and labels in the layout of the hub, such as CIFAR-10's test part.
        folder: Folder of a folder per class; where it exists it is left as it is.
    """
    from PIL import Image
    from pyarrow import parquet as reader

    folder = Path(folder)
    if folder.exists():
        return folder
    table = reader.read_table(parquet)
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    names = features["label"]["names"]
    rows = [row for row in table.to_pylist() if row["label"] < CLASSES][:PHOTOS]
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for number, row in enumerate(rows):
        home = part / names[row["label"]]
        home.mkdir(parents=True, exist_ok=True)
        image = Image.open(io.BytesIO(row["img"]["bytes"])).convert("RGB")
        image.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(home / f"{number:04}.jpg", quality=90)
    part.rename(folder)
    return folder


def _timed(asked: Mapping[str, Any], budget: float) -> dict[str, Any]:
    """Search once in a process of its own and return what it spent and found."""
    with tempfile.TemporaryDirectory() as folder:
        run, log = Path(folder) / "run", Path(folder) / "log"
        started = ["-m", "evonas"] if asked["clock"] == "wall" else ["-c", ON_PROCESSOR]
        command = [sys.executable, *started, "search", "--space", asked["space"], "--data", asked["data"]]
        command += ["--time", asked["time"], *asked["options"], "--out", str(run)]
        load, began = os.getloadavg()[0], time.monotonic()
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        front, manifest = run / "front.json", run / "manifest.json"
        members = len(json.loads(front.read_text())["members"]) if front.exists() else 0
        known = json.loads(manifest.read_text()) if manifest.exists() else {}
    processor = usage.ru_utime + usage.ru_stime
    spent = wall if asked["clock"] == "wall" else processor
    return {
        "budget": budget,
        "wall": round(wall, 1),
        "processor": round(processor, 1),
        "ratio": round(spent / budget, 3),
        "kept": spent <= FACTOR * budget,
        "members": members,
        "evaluations": known.get("timings", {}).get("evaluations_computed"),
        "code": process.returncode,
        "said": lines[-1].strip() if lines else "",
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
    }


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["space"], row["data"], row["time"], tuple(row["options"]), row.get("clock", "wall")


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file, none where there is no file.

    Raises:
        SettingsError: It holds no rows of this benchmark.
    """
    if not path.exists():
        return []
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            _key(row)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"Expected the rows of an earlier  evonas bench deadlines  in {path} ({error}): name another file"
        ) from None
    return rows
