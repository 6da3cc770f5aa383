"""What estimates accuracy: ``KIND`` or ``KIND:OPTION``, such as ``supernet:loss``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evonas.errors import SettingsError, suggest

DEFAULT = "loss"
"""What a supernet's outputs are read by where only ``supernet`` is asked for."""
SUPERNET = ("accuracy", "loss", "probability")
"""What can be read off a supernet's outputs."""


def _supernet(option: str) -> str:
    name = option or DEFAULT
    if name not in SUPERNET:
        raise SettingsError(
            f"Expected an estimator 'supernet:NAME' with NAME among {', '.join(SUPERNET)}, got "
            f"'{name}'.{suggest(name, SUPERNET)}"
        )
    return name


KINDS: Mapping[str, Callable[[str], str]] = {"supernet": _supernet}
"""Kind -> what checks its option and fills in the default."""


def read_estimator(text: str) -> tuple[str, str]:
    """Return kind and option of an estimator of accuracy.

    Args:
        text: ``KIND`` or ``KIND:OPTION``.

    Raises:
        SettingsError: An unknown kind, or an option that it does not know.
    """
    kind, _, option = text.strip().partition(":")
    if kind not in KINDS:
        raise SettingsError(f"Expected an estimator among {', '.join(KINDS)}, got '{text}'.{suggest(kind, KINDS)}")
    return kind, KINDS[kind](option.strip())
