"""One search with several seeds: a folder with a run of each, which goes on where it was stopped."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from evonas.config import Settings, make_settings
from evonas.errors import InfeasibleError, RunError, SettingsError
from evonas.files.duration import duration, parse_time
from evonas.files.progress import Progress
from evonas.files.whole import cannot_write, write_whole
from evonas.pareto.front import Front
from evonas.pareto.seed_comparison import SeedComparison, compare_seeds
from evonas.pipeline.new_run import at_free_path, free_path, new_path
from evonas.pipeline.run import resume, search
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.seed_folder import SEEDS_FILE

__all__ = ["Follower", "SeedFolder"]

SEEDS = 5
"""Seeds of a new folder where no number is given."""
COMPARING = 3.0
"""Seconds of a time for all seeds that are left for comparing them."""


class Follower(Protocol):
    """Object that follows one search, such as what writes its report."""

    def __call__(self, run: Run) -> None:
        """Take in a generation."""

    def close(self, run: Run | None) -> None:
        """End; None: the search was stopped."""


@dataclass
class _Asked:
    """Content of `SEEDS_FILE`.

    Attributes:
        settings: Of the search with the first seed, those that were given.
        seeds: In order.
        first: Directory of a run that the first seed has already, relative to the folder; None: none.
        done: Seeds whose search ended.
        failed: Cause by seed, where a search ended without a front.
    """

    settings: dict[str, Any]
    seeds: list[int]
    first: str | None = None
    done: list[int] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class SeedFolder:
    """A folder that holds the same search with several seeds, a run of each.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path, asked: _Asked) -> None:
        self.path, self._asked = path, asked

    @classmethod
    def create(cls, settings: Settings, count: int | None = None, path: str | Path | None = None) -> Self:
        """Make a folder for a search with seeds that count up from its own.

        Args:
            settings: Of the search; a time is that of all seeds together, in equal parts.
            count: Number of seeds, 2 or more; None: `SEEDS`.
            path: Where; None: a new one in ``runs/``.

        Raises:
            EvonasError: Fewer than two seeds, or the folder exists already.
        """
        count = _checked(count)
        if settings.time is not None:
            part = (parse_time(settings.time) - COMPARING) / count
            if part <= 0:
                raise SettingsError(f"Expected a time for {count} searches, got --time {settings.time}")
            settings = settings.model_copy(update={"time": f"{part:.1f}s"})
        seeds = list(range(settings.seed, settings.seed + count))
        asked = _Asked(_content(settings), seeds)
        if path is None:
            return cls._begun(at_free_path(lambda: _free_path(settings), _new_folder), asked)
        return cls._begun(_new_folder(Path(path)), asked)

    @classmethod
    def beside(cls, run: Run, count: int | None = None, path: str | Path | None = None) -> Self:
        """Make a folder for the search of a run that ended with further seeds; its own seed counts as the first.

        Args:
            run: The run; each further seed has the time that it had.
            count: Number of seeds, that of the run included; None: as many as a folder that goes on has, else `SEEDS`.
            path: Where; None: beside the run, where a folder of the same seeds of the run goes on.

        Raises:
            EvonasError: A run that has not ended or was prolonged beyond its time; the folder exists already.
        """
        number = _checked(count)
        read_front(run)  # says how to finish the search where it has not ended
        settings, longer = make_settings(**run.settings), run.manifest.get("generations")
        if longer is not None:
            if settings.time is not None:
                raise SettingsError(
                    f"{run.path} was prolonged beyond its --time {settings.time}, which no other seed can repeat: "
                    f"run  evonas search --seeds {number}  with --generations instead"
                )
            settings = settings.model_copy(update={"generations": longer, "patience": None})
        seeds = list(range(settings.seed, settings.seed + number))
        usual = run.path.resolve().with_name(f"{run.path.resolve().name}-seeds")
        folder = Path(path) if path is not None else usual
        asked = _Asked(_content(settings), seeds, os.path.relpath(run.path.resolve(), folder.resolve()), [seeds[0]])
        if path is None and (usual / SEEDS_FILE).exists():
            there = cls.open(usual)
            if (there._asked.first, there._asked.settings) == (asked.first, asked.settings):
                return there.extended(count)
        return cls._begun(_new_folder(folder), asked)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a folder that `create` or `beside` made.

        Raises:
            RunError: It holds no search with several seeds, or its file is damaged.
        """
        file = Path(path) / SEEDS_FILE
        try:
            asked = _Asked(**json.loads(file.read_text(encoding="utf-8")))
            make_settings(**asked.settings)
            if not all(isinstance(seed, int) for seed in asked.seeds) or len(asked.seeds) < 2:
                raise ValueError("its seeds are no list of two whole numbers or more")
        except OSError:
            raise RunError(f"Expected a folder of a search with several seeds, {path} has no {SEEDS_FILE}") from None
        except (ValueError, TypeError) as error:
            raise RunError(f"{file} cannot be read ({error}): repeat the search into another folder") from None
        return cls(Path(path), asked)

    @classmethod
    def _begun(cls, path: Path, asked: _Asked) -> Self:
        made = cls(path, asked)
        made._write()
        return made

    def extended(self, count: int | None) -> Self:
        """Return the folder with so many seeds in all; None: as many as it has.

        Raises:
            SettingsError: Fewer than it has.
        """
        if count is not None and count != len(self._asked.seeds):
            if count < (there := len(self._asked.seeds)):
                raise SettingsError(f"{self.path} has {there} seeds, got {count}: give as many or more")
            first = self._asked.seeds[0]
            self._asked.seeds = list(range(first, first + count))
            self._write()
        return self

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, in order."""
        return tuple(self._asked.seeds)

    @property
    def failed(self) -> dict[int, str]:
        """Why a search ended without a front, by seed."""
        return {int(seed): cause for seed, cause in self._asked.failed.items()}

    def home(self, seed: int) -> Path:
        """Return the run directory of a seed."""
        if seed == self._asked.seeds[0] and self._asked.first is not None:
            return Path(os.path.normpath(self.path.resolve() / self._asked.first))
        return self.path / f"seed-{seed}"

    def search(
        self,
        shown: Callable[[], Progress],
        follow: Callable[[Progress], list[Follower]] = lambda progress: [],
        began: float | None = None,
    ) -> None:
        """Search with all seeds that have not ended, one after another; what is done is not done again.

        A search in which nothing keeps to the bounds is remembered as failed, and the others go on. Any other failure,
        such as workers that do not start, ends the command: that seed goes on with the next call.

        Args:
            shown: Makes what shows how far one search is.
            follow: Makes what follows one search, such as its report.
            began: When the command began, by `time.monotonic`; None: now.

        Raises:
            EvonasError: As `evonas.pipeline.run.search` raises.
        """
        for number, seed in enumerate(self._asked.seeds, 1):
            if seed in self._asked.done:
                continue
            progress = shown()
            progress.say(f"Seed {seed}, {number} of {len(self._asked.seeds)}, in {self.home(seed)}")
            try:
                taken = self._search_one(seed, progress, follow(progress), began)
            except InfeasibleError as error:
                progress.say(f"Seed {seed} has no front: {error}")
                self._asked.failed[str(seed)] = str(error)
            else:
                progress.say(f"Seed {seed} took {duration(taken)}")
                self._asked.failed.pop(str(seed), None)
            self._asked.done.append(seed)
            self._write()
            began = None

    def compare(self) -> SeedComparison:
        """Return how the fronts compare, and write that as JSON and CSV into the folder.

        Raises:
            EvonasError: A search has not ended, or none has a member.
        """
        missing = [seed for seed in self._asked.seeds if seed not in self._asked.done]
        if missing:
            where = shlex.quote(str(self.path))
            raise RunError(f"{self.path} has seeds that have not ended: run  evonas repeat {where}")
        found = compare_seeds({seed: self._front(seed) for seed in self._asked.seeds})
        write_whole(self.path / "comparison.json", found.to_json())
        write_whole(self.path / "members.csv", found.members_csv())
        write_whole(self.path / "attainment.csv", found.attainment_csv())
        return found

    def _front(self, seed: int) -> Front | None:
        """Return the front of a seed; None of one that has none though its search ended."""
        home = self.home(seed)
        return None if str(seed) in self._asked.failed and not (home / "front.json").exists() else read_front(home)

    def _search_one(self, seed: int, progress: Progress, followers: list[Follower], began: float | None) -> float:
        """Search with a seed, or go on with its run; return the seconds that it took in all."""

        def after(run: Run) -> None:
            for one in followers:
                one(run)

        home = self.home(seed)
        try:
            if home.exists():
                run = resume(home, progress=progress, after_generation=after)
            else:
                start = time.monotonic() if began is None else began
                settings = self._settings(seed)
                run = search(settings, home, progress=progress, after_generation=after, began=start)
        except BaseException as error:
            for one in followers:
                one.close(None)
            begun = any(self.home(one).exists() for one in self._asked.seeds)
            if not begun and not isinstance(error, InfeasibleError):  # nothing is lost with the folder
                (self.path / SEEDS_FILE).unlink()
                with suppress(OSError):
                    self.path.rmdir()
            if isinstance(error, SettingsError) and self._asked.settings.get("time") and self._asked.first is None:
                each = f"each of {len(self._asked.seeds)} seeds gets an equal part of --time"
                raise SettingsError(f"{error} ({each})") from None
            raise
        with run:
            for one in followers:
                one.close(run)
            seconds: float = run.manifest.get("timings", {}).get("search_seconds", 0.0)
            return seconds

    def _settings(self, seed: int) -> Settings:
        """Return settings of a seed: those of the first one's run once there is one, for it has left nothing open."""
        first = self.home(self._asked.seeds[0])
        content: dict[str, Any] = self._asked.settings
        if first.exists() and self._asked.first is None:
            with Run.open(first) as run:
                content = run.settings
        return make_settings(**{**content, "seed": seed})

    def _write(self) -> None:
        write_whole(self.path / SEEDS_FILE, json.dumps(asdict(self._asked), indent=1) + "\n")


def _checked(count: int | None) -> int:
    """Return a number of seeds, `SEEDS` where none was given."""
    if count is not None and count < 2:
        raise SettingsError(f"Expected two seeds or more to compare, got {count}")
    return SEEDS if count is None else count


def _new_folder(path: Path) -> Path:
    """Make a folder and return its path."""
    try:
        path.mkdir(parents=True)
    except OSError as error:
        if not (path.is_symlink() or path.exists()):
            raise cannot_write(path, error) from error
        again = f": continue it with  evonas repeat {shlex.quote(str(path))}" * (path / SEEDS_FILE).exists()
        raise RunError(f"{path} exists already{again or ': choose another --out'}") from None
    return path


def _free_path(settings: Settings) -> Path:
    """Return a free path of a folder, named after what is searched."""
    named = new_path(settings)
    return free_path(named.with_name(f"{named.name}-seeds"))


def _content(settings: Settings) -> dict[str, Any]:
    """Return the settings that were given, as JSON holds them; what was not given may follow from the data."""
    content: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return content
