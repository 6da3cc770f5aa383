"""Text forms of architectures: the literature's own, read without executing anything.

============== ==================================================================================
form           example
============== ==================================================================================
genotype       ``Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=…)``
nasbench201    ``|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|``
transnas       ``64-41414-1_02_333``
discretized    ``Genotype(normal=[[('sep_conv_5x5', 0), …], …], normal_sum=[2], normal_concat=[3, 4], …)``, and
               the literature's ``Genotype(normal=[('sep_conv_5x5', 0, 0), …], normal_output={'sum': …}, …)``
digits         ``02110212``
lists          ``{"ks": [3, …], "e": [4, …], "d": [2, …]}``
blocks         ``k3e6-skip-k5e3/k7e3``
stages         ``{"e": [6, …], "k": [3, …], "l": [2, …], "se": [true, …]}``
============== ==================================================================================

A text that is not in the form is read as other programs write it: a genotype inside other text, by node or as JSON,
configurations of NAS-Bench-301, numbers of NASLib and NAS-Bench-201, dictionaries of Once-for-All. What is written is
the form of the table alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from evonas.errors import SpaceError
from evonas.spaces import text_cell, text_stage
from evonas.spaces.definition import File


class WrittenSpace(Protocol):
    """Set of architectures whose texts are read: its name and its file."""

    name: str

    @property
    def definition(self) -> File:
        """Content of the space's file, which names the form of its texts."""


LONGEST = 100_000
"""Characters beyond which a text is refused unread."""


def read(text: str, space: WrittenSpace) -> Any:
    """Read a text in the space's form; whether it is a member is the space's to say.

    Raises:
        SpaceError: Not in that form; the message quotes the text and an example.
    """
    form = space.definition.form
    reader, foreign, example = FORMS[form]
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise SpaceError(f"Expected an architecture of space '{space.name}' such as {example}, got {text!r:.80}")
    text = text.removeprefix("\ufeff").strip()
    try:
        return _tried(reader, text, space, example)
    except SpaceError:
        if foreign is None or (read := _tried(foreign, text, space, example)) is None:
            raise
        return read


def _tried(reader: Reader, text: str, space: WrittenSpace, example: str) -> Any:
    try:
        return reader(text, space)
    except SpaceError as error:
        raise SpaceError(f"Not an architecture of space '{space.name}': {error}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, SyntaxError, RecursionError, MemoryError):
        raise SpaceError(
            f"Not an architecture of space '{space.name}': expected a text such as {example}, got {text!r:.80}"
        ) from None


Reader = Callable[[str, Any], Any]

FORMS: dict[str, tuple[Reader, Reader | None, str]] = {
    "genotype": (
        text_cell.read_genotype,
        text_cell.read_foreign_genotype,
        "Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=[…])",
    ),
    "discretized": (
        text_cell.read_discretized,
        text_cell.read_foreign_discretized,
        "Genotype(normal=[[('sep_conv_3x3', 0), …], …], normal_sum=[2], normal_concat=[3, 4], reduce=…)",
    ),
    "nasbench201": (
        text_cell.read_nasbench201,
        text_cell.read_foreign_nasbench201,
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|",
    ),
    "transnas": (text_cell.read_transnas, None, "64-41414-1_02_333"),
    "digits": (text_stage.read_digits, None, "02110212"),
    "lists": (text_stage.read_lists, text_stage.read_foreign_lists, '{"ks": [3, …], "e": [4, …], "d": [2, …]}'),
    "stages": (text_stage.read_stages, None, '{"e": [6, …], "k": [3, …], "l": [2, …], "se": [true, …]}'),
    "blocks": (text_stage.read_blocks, None, "k3e6-skip-k5e3/k7e3"),
}
