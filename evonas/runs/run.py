"""A run directory: settings, manifest, store and whatever a search leaves; a kill at any moment is harmless.

A directory appears whole or not at all, each file in it is replaced whole, and one process at a time may
write. Nothing in it knows where it stands, so it may be moved.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.errors import RunError
from evonas.files.toml import to_toml
from evonas.files.whole import AGAIN, cannot_write, write_whole
from evonas.pareto.records import Records
from evonas.runs.database import OtherSchemaError
from evonas.runs.front_file import read_front
from evonas.runs.presentation import Png, presented
from evonas.runs.repeat import repeat_command
from evonas.runs.seed_folder import no_single_run
from evonas.runs.store import Store

__all__ = ["Run"]


class Run:
    """A run directory that is open.

    Make one with `Run.create`, open one with `Run.open`; both are context managers that close it.

    Attributes:
        path: The directory.
        store: Its store.
        settings: The settings as resolved, as ``run.toml`` has them.
        manifest: Seed, versions, machine and timings, as ``manifest.json`` has them; see `update_manifest`.
    """

    def __init__(self, path: Path, lock: int | None) -> None:
        self.path = path
        self._again = AGAIN  # what to do once the disk has space
        self._lock = lock
        self.settings = _read_settings(path)
        self.manifest = _read_manifest(path)
        try:
            self.store = Store(path / "evaluations.sqlite", write=lock is not None)
        except OtherSchemaError as error:
            raise RunError(f"{error} The same search again:  {repeat_command(path, self.settings)}") from error

    @classmethod
    def create(cls, path: str | Path, settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> Run:
        """Make a run directory and open it for writing.

        Args:
            path: Where; nothing may be there. Missing parents are made.
            settings: What `to_toml` can write.
            manifest: What JSON can hold, such as `new_manifest` gives.

        Raises:
            RunError: Something is there already, or the directory cannot be written.
        """
        path = Path(path)
        if path.is_symlink() or path.exists():
            raise RunError(
                f"Expected no file or folder at {path}, but it exists:"
                f" continue it with  evonas resume {shlex.quote(str(path))}  or choose another --out."
            )
        draft = path.parent / f".{path.name}.{os.getpid()}.new"
        lock = None
        try:
            draft.mkdir(parents=True)
            write_whole(draft / "run.toml", to_toml(settings))
            write_whole(draft / "manifest.json", _manifest_text(manifest))
            Store(draft / "evaluations.sqlite", create=True).close()
            lock = _acquire(draft)
            os.rename(draft, path)  # the lock is on the file, not its name, and moves along
        except BaseException as error:
            if lock is not None:
                os.close(lock)
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(error, OSError):
                raise cannot_write(path, error) from error
            raise
        run = cls._opened(path, lock)
        run._again = f"run  evonas resume {shlex.quote(str(path))}"  # the same command would find it there
        return run

    @classmethod
    def open(cls, path: str | Path, *, write: bool = False) -> Run:
        """Open a run directory.

        Args:
            path: The directory.
            write: Take its lock, so that results can be stored and files replaced; others may read meanwhile.

        Raises:
            RunError: There is no such folder, it is no run, its schema is another, or a process writes to it.
        """
        path = Path(path)
        if not path.is_dir():
            came = "a file" if path.exists() else "nothing"
            raise RunError(f"Expected a run directory at {path}, found {came}: see what is in {path.parent}")
        if several := no_single_run(path):
            raise RunError(several)
        for name in ("run.toml", "manifest.json", "evaluations.sqlite"):
            if not (path / name).is_file():
                raise RunError(f"Expected a run directory at {path}, but it has no {name}: name one that evonas made.")
        return cls._opened(path, _acquire(path) if write else None)

    @classmethod
    def _opened(cls, path: Path, lock: int | None) -> Run:
        try:
            return cls(path, lock)
        except BaseException:
            if lock is not None:
                os.close(lock)
            raise

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and give the lock back; closing again does nothing."""
        self.store.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def front(self) -> Records:
        """The front, one mapping per member, as ``pandas.DataFrame`` takes it; `read_front` gives it whole.

        Raises:
            RunError: The search has not ended.
        """
        return read_front(self).records()

    def __repr__(self) -> str:
        try:
            number = len(self.front)
            state = f"{number} member{'s' if number != 1 else ''} on the front"
        except RunError:
            state = "no front yet"
        return f"<Run {self.path}: {state}>"

    def _repr_html_(self) -> str:
        return str(presented("html")(self))

    def plot(self, select: str | None = None) -> Png:
        """Return a picture of the front as it is now, which a notebook shows and `Png.save` writes.

        Args:
            select: The member to mark, as `Front.select` takes it; None: the knee, unless the search has learnt
                nothing yet.

        Raises:
            MissingExtraError: matplotlib is not installed.
            EvonasError: No such member.
        """
        picture: Png = presented("plot")(self, select)
        return picture

    def relocate(self, data: str | None = None, table: Sequence[str] = ()) -> None:
        """Say where the run's data and table are now; its files stay as they are.

        Whatever reads them again holds them against the fingerprint that the run was made with.

        Args:
            data: As the setting ``data``; None: where they were.
            table: As the setting ``table``; empty: where it was.
        """
        if data is not None:
            self.settings["data"] = data
        if table:
            self.settings["table"] = list(table)

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing, and no other process writes to it."""
        return self._lock is not None

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the run whole, such as ``front.csv``, and return its path.

        Raises:
            RunError: The run was opened for reading, or the file cannot be written.
        """
        if self._lock is None:
            raise RunError(f"Expected {self.path} to be open for writing, but it was opened for reading.")
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(path, error, self._again) from error
        write_whole(path, content, again=self._again)
        return path

    def update_manifest(self, **changes: Any) -> None:
        """Change entries of the manifest, on the disk and here; mappings are merged into those that stand."""
        manifest = dict(self.manifest)
        for name, value in changes.items():
            old = manifest.get(name)
            if isinstance(value, Mapping) and isinstance(old, Mapping):
                value = {**old, **value}
            manifest[name] = value
        text = _manifest_text(manifest)
        self.write("manifest.json", text)
        self.manifest = json.loads(text)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((path / "run.toml").read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"Expected TOML in {path / 'run.toml'}, got: {error}: restore it from a copy.") from error


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_bytes())
    except ValueError as error:
        raise RunError(f"Expected JSON in {file}, got: {error}: restore it from a copy.") from error
    if not isinstance(manifest, dict):
        raise RunError(f"Expected a JSON object in {file}, got {type(manifest).__name__}; restore it from a copy.")
    return manifest


def _manifest_text(manifest: Mapping[str, Any]) -> str:
    try:
        return json.dumps(manifest, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise RunError(f"Expected a manifest of JSON's types and finite numbers: {error}.") from error


def _acquire(path: Path) -> int:
    """Take the lock of a run and return its descriptor; it is free when the process ends, however it ends."""
    file = path / "lock"
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)  # not inherited by programs started
    except OSError as error:
        raise cannot_write(file, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 64, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise RunError(
            f"Expected {path} to be free, but process {holder} writes to it: wait until it ends, or stop it."
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
