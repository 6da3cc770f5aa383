"""The report's page: HTML around the figures' data, everything from the run escaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shlex
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

from evonas.errors import EvonasError, require
from evonas.report import figures, sections
from evonas.report.architecture import draw_architecture
from evonas.report.cards import Card, cards, no_knee
from evonas.report.class_section import class_section
from evonas.report.contents import Contents
from evonas.report.drawing import stylesheet, to_svg
from evonas.report.first_screen import first_screen
from evonas.report.importance_section import importance_section
from evonas.report.markup import text
from evonas.report.members_table import members_table
from evonas.report.nonlinearity import draw_nonlinearity, nonlinearity_sentences
from evonas.report.trainings import read_trainings, training_curves, trainings_section
from evonas.report.trust_section import trust_section
from evonas.report.truths import truths
from evonas.spaces import load_space

DRAWINGS = 300
"""Drawings at most: beyond them an even part of the front has one."""


def make_page(contents: Contents) -> str:
    """Return a run's report: one HTML document that needs nothing else.

    It runs no script but the two it was written with (a content security policy holds their hashes) and loads
    nothing from anywhere.

    Args:
        contents: The run.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    library, library_hash = _library()
    script = _resource("page.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' '{library_hash}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    chosen = cards(contents.front, contents.manifest)
    data = _data(contents, chosen)
    trainings = read_trainings(contents)
    data["trainings"] = training_curves(trainings)
    name = contents.path.resolve().name
    refresh = "" if contents.ended else "<noscript><meta http-equiv='refresh' content='15'></noscript>"
    body = "".join(
        (
            sections.header(contents, name),
            "<main id='main'><p id='notice' class='card' role='status' hidden></p>",
            first_screen(contents, chosen),
            sections.explorer(),
            members_table(contents, chosen),
            sections.summary(contents),
            sections.charts(contents, data),
            importance_section(contents),
            sections.trust(contents, data),
            trainings_section(contents, trainings),
            trust_section(trainings),
            class_section(contents.classes),
            sections.record(contents),
            "</main>",
            sections.footer(contents),
        )
    )
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"{refresh}<meta name='color-scheme' content='light dark'><meta name='generator' content='evonas'>"
        f"<title>{text(name)} – evonas report</title><style>{_resource('page.css')}{stylesheet()}</style></head>"
        f"<body><a class='skip' href='#main'>Skip to the report</a>{body}"
        f"<script type='text/plain' id='data'>{_pack(_json(data).encode())}</script>"
        f"<script type='text/plain' id='library'>{library}</script>"
        f"<script>{script}</script></body></html>\n"
    )


# -------------------------------------------------------------------------------------------------- packing


@lru_cache(maxsize=1)
def _library() -> tuple[str, str]:
    """Return plotly.js packed, and its hash for the content security policy."""
    code: str = require("plotly.offline", "report").get_plotlyjs()
    return _pack(code.encode()), _hash(code)


@lru_cache(maxsize=4)
def _resource(name: str) -> str:
    return resources.files("evonas.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _pack(content: bytes) -> str:
    """Return bytes as base64 of gzip: small, and without a character that could end a script."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


# ----------------------------------------------------------------------------------------------------- data


def _data(contents: Contents, chosen: Sequence[Card]) -> dict[str, Any]:
    """Return all that the page's script draws."""
    points = figures.chart_points(contents)
    knee = 0
    if len(contents.front):
        knows = no_knee(contents.manifest) is None
        first = contents.front.select("knee" if knows else f"best:{contents.objectives[0].name}")
        knee = [member is first for member in contents.front].index(True)
    return {
        "objectives": len(contents.objectives),
        "columns": figures.columns(contents),
        "points": points,
        "front": [{"breaks": list(member.breaks)} for member in contents.front],
        "knee": knee,
        "cards": [{"name": card.name, "index": card.index} for card in chosen],
        "drawings": _drawings(contents, points["front"], {knee, *(card.index for card in chosen)}),
        "nonlinearity": _nonlinearity(contents, points["texts"]),
        "progress": figures.progress(contents),
        "truths": truths(contents),
        "supernet": figures.supernet(contents),
        "deploy": f"evonas deploy {shlex.quote(str(contents.path))}",
        "live": not contents.ended,
        "written": int(1000 * time.time()),
    }


def _drawings(contents: Contents, numbers: Sequence[int], always: Iterable[int]) -> dict[int, str]:
    """Return SVG of the front's members by number of point, all where they are not too many."""
    every: Sequence[int] = range(len(contents.front))
    if len(every) > DRAWINGS:
        step = -(-len(every) // DRAWINGS)
        every = sorted({*every[::step], *always})
    space, skeleton = (str(contents.settings.get(name, "")) for name in ("space", "skeleton"))
    drawn = {numbers[i]: _drawing(space, skeleton, contents.front[i].architecture) for i in every}
    return {number: svg for number, svg in drawn.items() if svg}


def _nonlinearity(contents: Contents, texts: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return words and drawings of the profiles that the run keeps, by number of point."""
    return {
        number: {
            "words": nonlinearity_sentences(contents.nonlinearity[text]),
            "drawing": to_svg(draw_nonlinearity(contents.nonlinearity[text]), alone=False),
        }
        for number, text in enumerate(texts)
        if text in contents.nonlinearity
    }


@lru_cache(maxsize=2048)
def _drawing(space: str, skeleton: str, text: str) -> str:
    """Return an architecture as SVG; "" where the space is gone or does not know it."""
    try:
        read = load_space(space)
        frame = read.skeleton(skeleton) if skeleton in read.skeletons else None
        return to_svg(draw_architecture(read, read.canonical(read.parse(text)), frame), alone=False)
    except EvonasError:
        return ""
