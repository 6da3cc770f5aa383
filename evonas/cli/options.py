"""Options of the command line, made from `Settings`: name, help, default and allowed values have one home."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.models import OptionInfo

from evonas.config import UNBOUNDED, Settings
from evonas.errors import SettingsError
from evonas.files.size import Size, parse_size

__all__ = [
    "MEMBER", "SIZE_HELP", "Application", "NewData", "NewTable", "OfSize", "Quiet", "default_text", "range_text",
    "read_size", "with_settings",
]  # fmt: skip

MEMBER = "knee, best, best:OBJECTIVE, cheapest, index:N, a short id such as 0ca31b3, or an architecture's text"
"""What ``--select`` takes."""

SIZE_HELP = "Size of the images, the side of squares or HEIGHTxWIDTH. [default: the data's]"
OfSize = Annotated[str | None, typer.Option(metavar="H[xW]", help=SIZE_HELP)]
"""Option of commands whose images have a size."""
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
"""Option of commands that take a while."""
NewData = Annotated[
    str | None, typer.Option(help="Where the run's data are now, the same ones. [default: where they were]")
]
NewTable = Annotated[
    list[str] | None, typer.Option(help="Where the run's table is now; repeat for several. [default: where it was]")
]
"""Options of commands that read a run whose data or tables may have been moved."""


def read_size(text: str | None) -> Size | None:
    """Return what ``--resolution`` means; None where it was not given.

    Raises:
        SettingsError: It means no size.
    """
    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise SettingsError(f"--resolution: {error}") from None


def default_text(name: str) -> str:
    """Return the default of a setting as help shows it, such as ``"64"`` or, where None stands, what then holds."""
    field = Settings.model_fields[name]
    extra = _extra(field)
    if extra["unset"] is not None:
        return str(extra["unset"])
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    if isinstance(field.default, bool):
        return f"no-{_flag(name)}" if not field.default else _flag(name)
    return str(field.default)


def range_text(name: str) -> str:
    """Return the range of a number among the settings, such as ``"1 to 4096"``, or "" where it has none."""
    bounds: dict[str, Any] = {}
    for part in _constraints(Settings.model_fields[name]):
        bounds |= {key: getattr(part, key) for key in ("ge", "gt", "le", "lt") if getattr(part, key, None) is not None}
    if not bounds:
        return ""
    low = f"{bounds['ge']:g}" if "ge" in bounds else f"Above {bounds['gt']:g}"
    if bounds.get("le") == UNBOUNDED:
        return f"{low} or more"
    return f"{low} to {bounds['le']}" if "le" in bounds else f"{low}, below {bounds['lt']}"


def _constraints(field: FieldInfo) -> list[Any]:
    """Bounds of a field, also those of ``Count`` inside ``Count | None``."""
    found = list(field.metadata)
    for part in get_args(field.annotation):
        for inner in getattr(part, "__metadata__", ()):
            found += inner.metadata if isinstance(inner, FieldInfo) else [inner]
    return found


def with_settings(command: Callable[..., None], names: Iterable[str]) -> Callable[..., None]:
    """Return a command that takes settings as options beside its own parameters.

    Options stand in the order of `Settings`, the command's own after them. Each is None where it was not given, so
    that a file's value holds.

    Args:
        command: Takes the settings as the keyword argument ``given``, by name, and further parameters of its own.
        names: Fields of `Settings`.
    """
    names = list(names)
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "given"]
    made = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(name))
        for name in Settings.model_fields
        if name in names
    ]

    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in names}
        # An option that may be repeated is an empty list where it was not given.
        kept = {name: value for name, value in given.items() if value is not None and value != []}
        command(given={n: tuple(v) if isinstance(v, list) else v for n, v in kept.items()}, **arguments)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    parameters = [
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.default is inspect.Parameter.empty),
        *made,
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.default is not inspect.Parameter.empty),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads options from it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _annotation(name: str) -> Any:
    field = Settings.model_fields[name]
    base = _base(field.annotation)
    extra = _extra(field)
    words = [str(field.description)]
    if extra["allowed"]:
        words.append(f"One of {', '.join(extra['allowed'])}.")
    if bounds := range_text(name):
        words.append(f"{bounds}.")
    words[0] += "" if words[0].endswith(".") else "."
    help_text = f"{' '.join(words)} \\[default: {default_text(name)}]"  # a bare [ would be markup
    flag = _flag(name)
    declared = [f"--{flag}/--no-{flag}"] if base is bool else [f"--{flag}"]
    panel = str(extra["panel"])
    option = typer.Option(*declared, help=help_text, show_default=False, rich_help_panel=panel.capitalize())
    return Annotated[(list[str] if base is tuple else base) | None, option]


def _base(annotation: Any) -> type:
    """Return the plain type that an option of a field has; bounds are checked by `Settings`."""
    if get_origin(annotation) is tuple:
        return tuple
    if any(get_origin(part) is tuple for part in get_args(annotation)):
        return str  # a number or several, which the setting's own reader distinguishes
    kinds = [kind for kind in _leaves(annotation) if kind is not type(None)]
    return kinds[0]


def _leaves(annotation: Any) -> list[type]:
    if isinstance(annotation, type):
        return [annotation]
    if isinstance(annotation, str):  # a value of a Literal
        return [str]
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    return [leaf for argument in arguments for leaf in _leaves(argument)]


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    if not isinstance(extra, dict) or field.default is PydanticUndefined:
        raise TypeError("Expected a field of Settings made by _setting, with a default and a panel")
    return dict(extra)


def _flag(name: str) -> str:
    return name.replace("_", "-")


class Application(typer.Typer):
    """A typer application whose help shows a default for each option, also where it is None or a flag is off."""

    def command(self, *names: Any, **options: Any) -> Callable[[Any], Any]:
        """Register a command; arguments as `typer.Typer.command` takes them."""
        register = super().command(*names, **options)

        def add(command: Any) -> Any:
            # Evaluated once and kept: typer would make other options of annotations that are still text.
            command.__signature__ = signature = inspect.signature(command, eval_str=True)
            command.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
            for parameter in signature.parameters.values():
                for option in getattr(parameter.annotation, "__metadata__", ()):
                    if isinstance(option, OptionInfo):
                        option.help = _with_default(option, parameter)
            return register(command)

        return add


def _with_default(option: OptionInfo, parameter: inspect.Parameter) -> str:
    """Return an option's help with its default, in brackets that are no markup."""
    text = re.sub(r"(?<!\\)\[default:", r"\\[default:", option.help or "")
    if "[default:" in text or parameter.default is inspect.Parameter.empty:
        return text
    if parameter.default is None:
        return rf"{text} \[default: none]"
    if parameter.default is False and not any("/" in name for name in option.param_decls or ()):
        return rf"{text} \[default: no-{_flag(parameter.name)}]"
    return text  # typer shows it
