"""Text forms of architectures: the literature's own, read without executing anything.

============== ==================================================================================
form           example
============== ==================================================================================
genotype       ``Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=…)``
nasbench201    ``|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|``
discretized    ``Genotype(normal=[[('sep_conv_5x5', 0), …], …], normal_sum=[2], normal_concat=[3, 4], …)``, and
               the literature's ``Genotype(normal=[('sep_conv_5x5', 0, 0), …], normal_output={'sum': …}, …)``
digits         ``02110212``
lists          ``{"ks": [3, …], "e": [4, …], "d": [2, …]}``
blocks         ``k3e6-skip-k5e3/k7e3``
============== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evonas.errors import SpaceError
from evonas.spaces import text_cell, text_stage
from evonas.spaces.architecture import Architecture

if TYPE_CHECKING:
    from evonas.spaces.space import Space

LONGEST = 100_000
"""Characters beyond which a text is refused unread."""


def write(architecture: Architecture) -> str:
    """Return the text of an architecture in its space's form."""
    return FORMS[architecture.form][0](architecture)


def read(text: str, space: Space) -> Architecture:
    """Read a text in the space's form; whether it is a member is the space's to say.

    Raises:
        SpaceError: Not in that form; the message quotes the text and an example.
    """
    form = space.definition.form
    _, reader, example = FORMS[form]
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise SpaceError(f"Expected an architecture of space '{space.name}' such as {example}, got {text!r:.80}")
    try:
        return reader(text.strip(), space)
    except SpaceError as error:
        raise SpaceError(f"Not an architecture of space '{space.name}': {error}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, SyntaxError, RecursionError, MemoryError):
        raise SpaceError(
            f"Not an architecture of space '{space.name}': expected a text such as {example}, got {text!r:.80}"
        ) from None


FORMS: dict[str, tuple[Callable[[Any], str], Callable[[str, Any], Any], str]] = {
    "genotype": (
        text_cell.write_genotype,
        text_cell.read_genotype,
        "Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=[…])",
    ),
    "discretized": (
        text_cell.write_discretized,
        text_cell.read_discretized,
        "Genotype(normal=[[('sep_conv_3x3', 0), …], …], normal_sum=[2], normal_concat=[3, 4], reduce=…)",
    ),
    "nasbench201": (
        text_cell.write_nasbench201,
        text_cell.read_nasbench201,
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|",
    ),
    "digits": (text_stage.write_digits, text_stage.read_digits, "02110212"),
    "lists": (text_stage.write_lists, text_stage.read_lists, '{"ks": [3, …], "e": [4, …], "d": [2, …]}'),
    "blocks": (text_stage.write_blocks, text_stage.read_blocks, "k3e6-skip-k5e3/k7e3"),
}
