"""Files of spaces: malformed ones are one-line errors that name file, key, what was expected and what came."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evonas.errors import SpaceError
from evonas.networks import build
from evonas.spaces import load_space, shipped

SHIPPED = sorted(shipped())
TEXTS = {name: shipped()[name].read_text() for name in SHIPPED}


def test_unknown_space_names_the_nearest():
    with pytest.raises(SpaceError, match=r"Unknown space 'dart'.*Did you mean 'darts'"):
        load_space("dart")


def test_content_holds_no_defaults_so_that_fields_of_later_versions_leave_fingerprints_alone():
    content = load_space("darts").content
    assert "modules" not in content["cell"]
    assert content["cell"]["chain"] == "previous"
    assert "source" not in content
    assert content != load_space("darts_open").content


@pytest.mark.parametrize("name", ["missing.toml", "null\0.toml", "."])
def test_unreadable_files(name, tmp_path):
    path = tmp_path / name
    if name == ".":
        path = tmp_path / "folder.toml"
        path.mkdir()
    with pytest.raises(SpaceError, match="Cannot read the space"):
        load_space(str(path))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_copy_is_the_same_space(name, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXTS[name])
    copy, space = load_space(path), load_space(name)
    assert (copy.size, copy.choices) == (space.size, space.choices)
    assert copy.definition == space.definition


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("darts", 'name = "darts"', "name = 3", "name: expected a text, got 3"),
        ("darts", 'family = "cell"', 'family = "tree"', "family: expected 'cell' or 'stage', got 'tree'"),
        ("darts", "nodes = 4", "nodes = 40", "cell.nodes: expected at most 8, got 40"),
        ("darts", "nodes = 4", 'nodes = "4"', "got '4'"),
        ("darts", "kept = 2", "kept = 3", "it cannot keep 3 different ones"),
        ("darts", "kernel = 5, dilation", "kernel = 4, dilation", "expected an odd number, got 4"),
        ("darts", "[skeletons.small]", "[skeletons.tiny]", "missing ['small']"),
        ("darts", "channels = 36", "width = 1.5", "skeletons.cifar.width: cell spaces have none"),
        ("darts", 'kinds = ["normal", "reduce"]', 'kinds = ["class", "reduce"]', "got 'class'"),
        ("darts", 'form = "genotype"', 'form = "digits"', "is written as 'genotype', got 'digits'"),
        ("lhd", "skip_connect = {", 'none = { kind = "none" }\nskip_connect = {', "it has no 'none'"),
        ("mobilenet_v3", "depth = [2, 3, 4]", "depth = [2, 3]", "its largest is the stage's 4 blocks, got [2, 3]"),
        ("mobilenet_v3", "kernel = [3, 5, 7]", "kernel = [3, 3, 7]", "stands twice in [3, 3, 7]"),
        ("mobilenet_v3", "strides = [1, 1, 1, 2, 2, 1, 2]", "strides = [1, 1]", "expected 7 (stem and stages), got 2"),
        ("nasbench_macro", 'code = "1"', 'code = "0"', "needs a 'code' of its own for each"),
        ("fbnet", '"skip"]', '"jump"]', "no [operations.jump] in this file"),
        ("fbnet", "[head]", "[heat]", "heat: no such key. Did you mean 'head'?"),
    ],
)
def test_messages(name, old, new, message, tmp_path):
    assert old in TEXTS[name]
    path = tmp_path / "mine.toml"
    path.write_text(TEXTS[name].replace(old, new, 1))
    with pytest.raises(SpaceError) as caught:
        load_space(path)
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def use(path) -> None:
    """Read a file and, where it is a space, do with it what a search does; errors are the caller's to judge."""
    space = load_space(path)
    assert space.size >= 1
    for genome in space.sample(3, np.random.default_rng(0)):
        canonical = space.canonical(space.decode(genome))
        assert space.canonical(space.parse(str(canonical))) == canonical
        skeleton = space.skeleton("small")
        if sum(stage.blocks for stage in getattr(space.definition, "stages", ())) < 40 and skeleton.cells < 20:
            with torch.device("meta"):
                build(space, skeleton, canonical)


def survives(text: str, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    message = ""
    try:
        use(path)
    except SpaceError as error:
        message = str(error)
        assert "mutated.toml" in message
    assert "\n" not in message


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(name=st.sampled_from(SHIPPED), data=st.data())
def test_mutated_texts(name, data, tmp_path_factory):
    """Lines dropped, doubled, moved; characters replaced."""
    lines = TEXTS[name].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines.insert(data.draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case _:
                start = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:start] + data.draw(st.text(max_size=3)) + lines[at][start + 1 :]
    survives("\n".join(lines), tmp_path_factory)


def leaves(table, prefix=()):
    for key, value in table.items() if isinstance(table, dict) else enumerate(table):
        if isinstance(value, dict | list):
            yield from leaves(value, (*prefix, key))
        yield (*prefix, key)


def written(value) -> str:
    """Return a value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value) + "]"
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value), repr(value))
    return json.dumps(value)


values = st.one_of(
    st.integers(-3, 20),
    st.sampled_from([2**31, 10**18, 0.5, -1.0, float("nan"), float("inf"), True, "", "normal", "none", "k3e3", "__"]),
    st.sampled_from(["distinct", "open", "joint", "dense", "all", "last", "learned", "previous", "streams", "stages"]),
    st.sampled_from(["genotype", "nasbench201", "discretized", "digits", "lists", "blocks", "identity", "skip"]),
    st.lists(st.integers(-1, 9), max_size=5),
    st.lists(st.sampled_from(["normal", "reduce", "skip", "k3e3", "x"]), max_size=3),
    st.just({}),
)


@quick
@given(name=st.sampled_from(SHIPPED), data=st.data())
def test_mutated_values(name, data, tmp_path_factory):
    """A value replaced by another, of the same type or not, or left out."""
    table = tomllib.loads(TEXTS[name])
    for _ in range(data.draw(st.integers(1, 2))):
        *route, last = data.draw(st.sampled_from(list(leaves(table))))
        inner = table
        for key in route:
            inner = inner[key]
        if data.draw(st.booleans()):
            inner[last] = data.draw(values)
        else:
            del inner[last]
    survives("\n".join(f"{json.dumps(k)} = {written(v)}" for k, v in table.items()), tmp_path_factory)


def test_a_byte_order_mark_is_no_part_of_a_space(tmp_path):
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + shipped()["darts"].read_bytes())
    assert load_space(path).size == load_space("darts").size
