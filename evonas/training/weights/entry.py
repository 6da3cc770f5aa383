"""Entries of published weights: the schema of their TOML files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Three = Annotated[tuple[float, float, float], Field(strict=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WeightsSource(_Strict):
    """``[source]``: where the file is; one of `package`, `file` and `hub`.

    Attributes:
        package: Name of a distribution to install with pip.
        file: Name of a file, beside the entry's own TOML file or in the folder of weights.
        hub: Id of a repository of the Hugging Face hub, ``owner/name``.
        filename: Name of a file of that package, in whichever folder of it, or path of a file of that repository.
        url: Page or file to get it from, for people.
        inside: Key under which the file holds the state dict; "" where it is one.
        digest: SHA-256 of the file, hexadecimal; "": not known, any file is taken.
    """

    package: str = ""
    file: str = ""
    hub: str = ""
    filename: str = ""
    url: str = ""
    inside: str = ""
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""

    @model_validator(mode="after")
    def _one_place(self) -> WeightsSource:
        if [bool(self.package), bool(self.file), bool(self.hub)].count(True) != 1:
            raise ValueError("expected one of package, file and hub")
        if bool(self.package or self.hub) != bool(self.filename):
            raise ValueError("expected 'filename' beside 'package' or 'hub', and nowhere else")
        return self


class Preprocessing(_Strict):
    """``[preprocessing]``: what the published network reads: ``(pixel - mean) / std`` of pixels in [0, 1], RGB.

    Attributes:
        mean: Per channel.
        std: Per channel.
        resize: Interpolation that images were brought to size with.
        resolution: Side in pixels that it was trained at.
    """

    mean: Three
    std: Three
    resize: Literal["bilinear", "bicubic"] = "bilinear"
    resolution: int = Field(ge=1, le=4096)


class WeightsEntry(_Strict):
    """One entry of published weights.

    Attributes:
        name: What ``--pretrained`` calls it.
        about: What it is, in half a sentence.
        space: Name of the space that its architecture is a member of.
        skeleton: Skeleton of that space on which it is built.
        architecture: Text of the architecture as published; "": the file holds a supernet, all members of it.
        classes: Outputs of the published classifier.
        licence: As stated where it is published.
        verified: Whether the key map was tried on the published file itself.
        refused: Why it cannot be loaded; "": it can.
        source: Where the file is.
        preprocessing: What the network reads.
        keys: Published name to own name, both without ``.weight``, ``.bias`` and the names of statistics. An own name
            that begins with ``block.`` stands for that part of every block; ``{n}`` is then the number of the block
            among all blocks, ``{stage}`` that of its stage and ``{block}`` its number in the stage, from 0, blocks
            without weights not counted.
        keys_unexpanded: The same for the parts of blocks that expand nothing, where these are named otherwise.
        ignored: Published names that have no counterpart here, by prefix.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)]
    about: str = ""
    space: str
    skeleton: str = "imagenet"
    architecture: str = ""
    classes: int = Field(default=1000, ge=1)
    licence: str = "not stated"
    verified: bool = False
    refused: str = ""
    source: WeightsSource
    preprocessing: Preprocessing | None = None
    keys: dict[str, str] = Field(default_factory=dict)
    keys_unexpanded: dict[str, str] = Field(default_factory=dict)
    ignored: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _complete(self) -> WeightsEntry:
        if not self.refused and (not self.keys or self.preprocessing is None):
            raise ValueError("expected [keys] and [preprocessing]")
        return self
