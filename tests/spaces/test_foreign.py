"""Architectures as other programs write them: what is read, what is refused, and that only our own form is written."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SpaceError
from evonas.spaces import load_space
from evonas.spaces.foreign_cell import COMPACT

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
NORMAL = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1)]
NORMAL += [("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)]
REDUCE = [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1)]
REDUCE += [("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)]
FIELDS: dict[str, Any] = {
    "normal": NORMAL,
    "normal_concat": [2, 3, 4, 5],
    "reduce": REDUCE,
    "reduce_concat": [2, 3, 4, 5],
}
PREFIX = "NetworkSelectorDatasetInfo:darts:"


def by_node(pairs: list[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    return [pairs[i : i + 2] for i in range(0, len(pairs), 2)]


def configuration() -> dict[str, str]:
    """Return DARTS_V2 as NAS-Bench-301 writes it: an edge's number counts the inputs of the nodes before it too."""
    starts = (0, 2, 5, 9)
    return {
        f"{PREFIX}edge_{kind}_{starts[node] + place}": operation
        for kind, pairs in (("normal", NORMAL), ("reduce", REDUCE))
        for node, two in enumerate(by_node(pairs))
        for operation, place in two
    }


def compact() -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple(tuple((place, COMPACT.index(operation)) for operation, place in pairs) for pairs in (NORMAL, REDUCE))


GENOTYPES = {
    "assigned": f"DARTS_V2 = {DARTS_V2}",
    "annotated": f"DARTS_V2: Genotype = {DARTS_V2}  # Liu et al.",
    "ranges": DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 6)"),
    "lists of ranges": DARTS_V2.replace("[2, 3, 4, 5]", "list(range(2, 6))"),
    "arrays": DARTS_V2.replace("[2, 3, 4, 5]", "np.array([2, 3, 4, 5])"),
    "several lines": DARTS_V2.replace("], ", "],\n    "),
    "in a log": f"09/14 03:12:45 PM genotype = {DARTS_V2}\n09/14 03:12:46 PM valid_acc 97.240000",
    "in a module": f"import genotypes\nARCH = genotypes.{DARTS_V2}\nPRIMITIVES = ['none']\nDARTS = ARCH\n",
    "positional": f"Genotype({NORMAL}, range(2, 6), {REDUCE}, range(2, 6))",
    "twice the same": f"A = {DARTS_V2}\nB = {DARTS_V2}",
    "quoted": json.dumps(DARTS_V2),
    "JSON": json.dumps(FIELDS),
    "JSON inside": json.dumps({"name": "DARTS_V2", "genotype": FIELDS, "top1": 97.24}),
    "JSON of a text": json.dumps({"genotype": DARTS_V2}),
    "dictionary": str(FIELDS),
    "by node": f"Genotype(normal={by_node(NORMAL)}, normal_concat=range(2, 6), reduce={by_node(REDUCE)}, "
    "reduce_concat=range(2, 6))",
    "by node in JSON": json.dumps(FIELDS | {"normal": by_node(NORMAL), "reduce": by_node(REDUCE)}),
    "place first": json.dumps(FIELDS | {"normal": [(b, a) for a, b in NORMAL]}),
    "NAS-Bench-301": json.dumps(configuration()),
    "NAS-Bench-301, dictionary": str(configuration()),
    "NAS-Bench-301, ConfigSpace": "Configuration(values={\n"
    + "".join(f"  '{name}': '{value}',\n" for name, value in configuration().items())
    + "})",
    "NAS-Bench-301, ConfigSpace of old": "Configuration:\n"
    + "".join(f"  {name}, Value: '{value}'\n" for name, value in configuration().items()),
    "NAS-Bench-301, no prefix": json.dumps({k.removeprefix(PREFIX): v for k, v in configuration().items()}),
    "NASLib, compact": str(compact()),
    "with a byte order mark": f"\ufeff{DARTS_V2}",
}


@pytest.mark.parametrize("text", GENOTYPES.values(), ids=GENOTYPES)
@pytest.mark.parametrize("name", ["darts", "darts_open"])
def test_a_genotype_is_read_as_others_write_it(name: str, text: str) -> None:
    space = load_space(name)
    # a configuration does not say in which order the edges of a node were written
    assert space.canonical(space.parse(text)) == space.canonical(space.parse(DARTS_V2))


def test_several_genotypes_are_named() -> None:
    other = DARTS_V2.replace("dil_conv_3x3", "dil_conv_5x5")
    with pytest.raises(SpaceError, match="expected one genotype, got 2: ONE, TWO; give one of them"):
        load_space("darts").parse(f"ONE = {DARTS_V2}\nTWO = {other}")


@pytest.mark.parametrize(
    "text",
    [
        DARTS_V2.replace("[2, 3, 4, 5]", "__import__('os').getpid()"),
        DARTS_V2.replace("'sep_conv_3x3'", "open('x')"),
        f"X = {DARTS_V2}".replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 9)"),
        f"X = {DARTS_V2}".replace("dil_conv_3x3", "dil_conv_9x9"),
        json.dumps({"normal": NORMAL}),
        json.dumps(FIELDS | {"normal": [NORMAL[:3], NORMAL[3:]]}),
        json.dumps(FIELDS | {"normal_sum": [2]}),
        json.dumps({key: value for key, value in configuration().items() if not key.endswith("normal_0")}),
        "Genotype(" * 5000,
        "[" * 50_000,
        "a." * 40_000 + "Genotype(",
    ],
)
def test_what_is_no_genotype_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match="darts"):
        load_space("darts").parse(text)


@given(st.integers(0, 2**32 - 1))
def test_learned_outputs_are_read_from_json_too(seed: int) -> None:
    space = load_space("lhd")
    architecture = space.decode(space.sample(1, np.random.default_rng(seed))[0])
    text = str(architecture)
    assert space.parse(f"FOUND = {text}") == architecture


def test_numbers_of_networks_are_the_published_ones(truth: Path) -> None:
    space = load_space("nasbench201")
    with gzip.open(truth / "nasbench201.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15_625
    assert all(str(space.parse(row["index"])) == row["arch"] for row in rows)


def test_the_numbers_that_the_publication_states() -> None:
    # exps/NAS-Bench-201/main.py asserts these three
    space = load_space("nasbench201")
    assert str(space.parse("9")) == "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    third = "|avg_pool_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    assert str(space.parse("index 123")) == third
    with pytest.raises(SpaceError, match="from 0 to 15624, got 15625"):
        space.parse("15625")


@pytest.mark.parametrize("text", ["012304", "01", "index 00042"])
def test_digits_with_a_zero_ahead_are_no_number_of_a_network(text: str) -> None:
    # Six of them are as likely NASLib's operations without separators.
    with pytest.raises(SpaceError):
        load_space("nasbench201").parse(text)


def test_naslibs_six_numbers_are_the_cells_of_its_table(truth: Path) -> None:
    space = load_space("nasbench201")
    with gzip.open(truth / "zero_cost_nasbench201.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["nb201_arch"] and row["space"] == "nasbench201"]
    assert len(rows) > 500
    for row in rows:
        assert str(space.parse(row["arch"])) == row["nb201_arch"]


def test_naslibs_numbers_follow_its_own_list_of_edges() -> None:
    space = load_space("nasbench201")
    string = "|avg_pool_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"
    for text in ("(4, 0, 3, 3, 4, 3)", "[4, 0, 3, 3, 4, 3]", "[4 0 3 3 4 3]", '"(4, 0, 3, 3, 4, 3)"'):
        assert str(space.parse(text)) == string
    with pytest.raises(SpaceError, match="5 operations from 0"):
        space.parse("(4, 0, 3, 5, 4, 3)")


@pytest.mark.parametrize(
    "text",
    [
        "Structure(4 nodes with |none~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|)",
        "(('none', 0),), (('skip_connect', 0), ('nor_conv_1x1', 1)), (('none', 0), ('none', 1), ('nor_conv_3x3', 2))",
        "[[['none', 0]], [['skip_connect', 0], ['nor_conv_1x1', 1]], [['none', 0], ['none', 1], ['nor_conv_3x3', 2]]]",
        "|Zero~0|+|Identity~0|ReLUConvBN1x1~1|+|Zero~0|Zero~1|ReLUConvBN3x3~2|",
        " |none~0| + |skip_connect~0|nor_conv_1x1~1| + |none~0|none~1|nor_conv_3x3~2| ",
    ],
)
def test_a_cell_of_nasbench201_is_read_as_others_write_it(text: str) -> None:
    string = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|"
    assert str(load_space("nasbench201").parse(text)) == string


KS, E, D = [3, 5, 7, 3] * 5, [3, 4, 6, 6] * 5, [2, 3, 4, 2, 3]
RUNS = [b < depth for depth in D for b in range(4)]
FULL = {"ks": KS, "e": E, "d": D}
RUNNING: dict[str, Any] = {
    "ks": [k for k, runs in zip(KS, RUNS, strict=True) if runs],
    "e": [e for e, runs in zip(E, RUNS, strict=True) if runs],
    "d": D,
}
PADDED: dict[str, Any] = {
    "ks": [k if runs else 0 for k, runs in zip(KS, RUNS, strict=True)],
    "e": [e if runs else 0 for e, runs in zip(E, RUNS, strict=True)],
    "d": D,
}
ONCE_FOR_ALL = {
    "as Python prints it": str(FULL),
    "ordered": f"OrderedDict([('wid', None), ('ks', {KS}), ('e', {E}), ('d', {D})])",
    "wid in JSON": json.dumps({"wid": None, **FULL}),
    "wid in Python": str({"wid": [0] * 5, **FULL}),
    "DyNAS-T": str({"wid": None, **FULL, "r": [224]}),
    "tuples": str({"ks": tuple(KS), "e": tuple(E), "d": tuple(D)}),
    "arrays": f"{{'ks': array({KS}), 'e': array({E}), 'd': array({D})}}",
    "NSGANetV2, those that run": json.dumps({**RUNNING, "r": 192}),
    "NSGANetV2, padded": json.dumps({**PADDED, "r": 192}),
    "floats": json.dumps({"ks": [float(k) for k in KS], "e": E, "d": D}),
    "by stage": json.dumps({"ks": [KS[i : i + 4] for i in range(0, 20, 4)], "e": E, "d": D}),
    "with results": json.dumps({"subnet": FULL, "top1": 76.1, "flops": 230}),
    "long names": json.dumps({"kernel_size": KS, "expand_ratio": E, "depth": D}),
}


@pytest.mark.parametrize("text", ONCE_FOR_ALL.values(), ids=ONCE_FOR_ALL)
def test_dictionaries_of_once_for_all_are_read(text: str) -> None:
    space = load_space("mobilenet_v3")
    expected = space.canonical(space.parse(json.dumps(FULL)))
    assert space.canonical(space.parse(text)) == expected


def test_one_number_is_for_all_and_none_is_the_largest() -> None:
    space = load_space("mobilenet_v3")
    largest = str(space.extremes()[1])
    for text in (
        "{'ks': 7, 'e': 6, 'd': 4}",
        '{"ks": null, "e": null, "d": null}',
        "{'ks': 7}",
        "{'wid': None, 'd': 4}",
    ):
        assert str(space.parse(text)) == largest
    some = json.loads(str(space.parse(str({"ks": [None] * 19 + [3], "e": 3, "d": [2, None, 2, 9, 2]}))))
    assert some == {"ks": [7] * 19 + [3], "e": [3] * 20, "d": [2, 4, 2, 4, 2]}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{'ks': [3, 3], 'e': 6, 'd': 4}", "expected 20 numbers in 'ks', got 2"),
        ("{'ks': [3, 3], 'e': 6, 'd': 2}", "expected 20 or 10, one for each block that runs, numbers in 'ks', got 2"),
        ("{'ks': 9, 'e': 6, 'd': 4}", "k9e6"),
        ("{'ks': 3.5, 'e': 6, 'd': 4}", "whole numbers in 'ks', got 3.5"),
        ("{'ks': True, 'e': 6, 'd': 4}", "whole numbers in 'ks', got True"),
        ("{'ks': 3, 'e': 6, 'd': [1, 2, 3, 4, 5]}", "depth"),
        ("{'top1': 76}", "expected a text such as"),
    ],
)
def test_what_no_setter_takes_is_refused(text: str, cause: str) -> None:
    with pytest.raises(SpaceError, match=cause):
        load_space("mobilenet_v3").parse(text)
