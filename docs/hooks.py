"""Hooks of the site's build: the command reference and one API page per room, generated from the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PACKAGE = Path(__file__).resolve().parents[1] / "evonas"
COMMANDS = "reference/commands.md"
DOOR = "reference/api/evonas.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the generated pages to the navigation."""
    rooms = [{room: f"reference/api/{room}.md"} for room in _rooms()]
    config.nav = [*(config.nav or []), {"Commands": COMMANDS}, {"API by room": [{"evonas": DOOR}, *rooms]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    pages = {COMMANDS: command_reference(), DOOR: "# evonas\n\n::: evonas\n    options: {members: false}\n" + _door()}
    for room in _rooms():
        pages[f"reference/api/{room}.md"] = _room(room)
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def command_reference() -> str:
    """Return every command with its arguments and options, as the command line itself declares them."""
    from evonas.cli import app

    root = typer.main.get_command(app)
    lines = ["# Commands", "", "Made from the command line itself when this site is built.", ""]
    for name, command in _commands("evonas", root):
        lines += [f"## {name}", "", _prose(command.help), ""]
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name != "argument" and not getattr(p, "hidden", False)]
        words = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
        lines += ["```text", " ".join([name, *words, "[OPTIONS]"]), "```", ""]
        if arguments:
            lines += ["| argument | what |", "|---|---|"]
            lines += [f"| `{p.name.upper()}` | {_cell(getattr(p, 'help', None))} |" for p in arguments] + [""]
        panels: dict[str, list[Any]] = {}
        for option in options:
            panels.setdefault(getattr(option, "rich_help_panel", None) or "Options", []).append(option)
        for panel, members in panels.items():
            lines += [f"**{panel}**", "", "| option | what | default |", "|---|---|---|"]
            lines += [f"| {_flags(p)} | {_cell(_without_default(p.help))} | {_default(p)} |" for p in members] + [""]
    return "\n".join(lines) + "\n"


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for sub, child in command.commands.items():
        yield from _commands(f"{name} {sub}", child)


def _flags(option: Any) -> str:
    return ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])


_WRITTEN = re.compile(r"\s*\\?\[default: (.*?)\]\s*$")
"""A default that stands in the help's text, where the option's own is that of `Settings`."""


def _without_default(text: str | None) -> str:
    return _WRITTEN.sub("", text or "")


def _default(option: Any) -> str:
    written = _WRITTEN.search(option.help or "")
    if written:
        return _cell(written[1])
    value = option.default
    empty = value is None or value == "" or value == () or value == [] or value is False or callable(value)
    if empty or type(value).__name__ == "Sentinel":  # click's mark of an option without a default
        return ""
    return f"`{', '.join(map(str, value)) if isinstance(value, list | tuple) else value}`"


def _prose(text: str | None) -> str:
    return re.sub(r"\n{3,}", "\n\n", (text or "").strip())


def _cell(text: str | None) -> str:
    """Return help as a table's cell: one line, no markup of rich, no cell or tag within."""
    line = " ".join((text or "").replace("\\[", "[").split())
    return line.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("*", "\\*").replace("_", "\\_")


def _rooms() -> list[str]:
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def _door() -> str:
    """Return entries for the public names, each where it is defined."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    homes = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and "_HOME" in ast.unparse(node)
    )
    names = [f"| `evonas.{name}` | `{home}` |" for name, home in sorted(homes.items()) if name != "__version__"]
    return "\n".join(["", "| name | defined in |", "|---|---|", *names, ""])


def _room(room: str) -> str:
    """Return the page of a room: its docstring, then its modules."""
    folder = PACKAGE / room
    lines = [
        f"# evonas.{room}",
        "",
        f"::: evonas.{room}",
        "    options: {members: false, show_root_heading: false}",
        "",
    ]
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if path == folder / "__init__.py" or path.name == "__main__.py":
            continue
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        members = "    options: {members: false}" if parts[-1] == "__init__" else ""
        lines += [f"::: {name}", members, ""]
    return "\n".join(lines)
