"""Folders of images with continuous targets in a ``targets.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.groups import with_groups
from evonas.data.part_names import part_of_name
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.data.targets import as_targets, name_targets
from evonas.data.walk import subfolders
from evonas.errors import DataError

TABLE = "targets.csv"


def read_targets_folder(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of a folder with a ``targets.csv``; None where `source` is no such folder.

    The table's columns are ``file``, a path from the table's folder, then one for each target. It lies in the folder,
    or beside it where the folder holds images without folders of classes, its paths then from the folder itself; or
    one lies in ``train`` and one in ``test``. Images without a row are left out.

    Raises:
        DataError: The table cannot be read, holds something else than numbers, or names a file that is not there.
    """
    root = Path(source)
    if not root.is_dir():
        return None
    name = root.resolve().name
    homes = {part_of_name(folder.name): folder for folder in subfolders(root) if (folder / TABLE).is_file()}
    if "train" in homes:
        train, names = _read(homes["train"] / TABLE, homes["train"], name)
        held: dict[str, EncodedImages] = {}
        for part in ("validation", "test"):
            if part in homes:
                held[part], theirs = _read(homes[part] / TABLE, homes[part], name)
                if theirs != names:
                    raise DataError(
                        f"Expected the targets {', '.join(names)} in '{homes[part] / TABLE}' as in training, "
                        f"got {', '.join(theirs)}"
                    )
        parts = with_groups({"train": train, **held}, root.parent, options.group)
        return Source(
            name, names, parts["train"], parts.get("test"), task="regression", validation=parts.get("validation")
        )
    beside = root.resolve().parent / TABLE
    if (root / TABLE).is_file():
        table = root / TABLE
    elif beside.is_file() and not any(path.is_dir() for path in root.iterdir()):
        table = beside
    else:
        return None
    train, names = _read(table, root, name)
    train = with_groups({"train": train}, root, options.group)["train"]
    return Source(name, names, train, task="regression")


def _read(table: Path, home: Path, name: str) -> tuple[EncodedImages, tuple[str, ...]]:
    heading, rows = _read_rows(table)
    targets = [_numbers(row, heading, number, table) for number, row in enumerate(rows, start=2)]
    files = [row[0] for row in rows]
    if not files:
        raise DataError(f"Found no images in '{table}': expected a row for each")
    if missing := [file for file in files if not (home / file).is_file()]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(f"'{table}' names '{missing[0]}'{more}, which '{home}' does not hold: mend the table")
    values = as_targets(np.array(targets, dtype=np.float64), f"'{table}'")
    names = name_targets([cell.strip() for cell in heading[1:]], values, name)
    return EncodedImages([home / file for file in files], values, [str(Path(home.name, file)) for file in files]), names


def _read_rows(table: Path) -> tuple[list[str], list[list[str]]]:
    """Return the heading of a table of targets and its rows, empty ones left out."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            heading, *rows = [row for row in csv.reader(stream) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Cannot read '{table}' as CSV ({' '.join(str(error).split())})") from error
    if len(heading) < 2 or heading[0].strip() != "file":
        raise DataError(
            f"Expected the columns file and then one for each target in '{table}', "
            f"got {', '.join(heading) or 'nothing'}"
        )
    return heading, rows


def _numbers(row: list[str], heading: list[str], number: int, table: Path) -> list[float]:
    """Return the targets of a row."""
    try:
        if len(row) != len(heading):
            raise ValueError(f"{len(row)} cells, not {len(heading)}")
        return [float(cell) for cell in row[1:]]
    except ValueError as error:
        raise DataError(f"Expected a file and numbers in line {number} of '{table}': {error}") from None
