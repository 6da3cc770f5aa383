from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.errors import DataError, EvonasError, SettingsError, SpaceError
from evonas.spaces import load_space
from evonas.tables.architectures import find_architectures
from evonas.tables.csv_file import read_csv
from evonas.tables.direction import column_direction
from evonas.tables.load import load_table
from evonas.tables.table import Table


@dataclass(frozen=True)
class Code:
    digits: str

    def __str__(self) -> str:
        return self.digits


class Codes:
    """Three digits of 0, 1, 2, or once-for-all lists; the order of the digits does not matter."""

    name = "codes"

    def parse(self, text: str) -> Code:
        if text.startswith("{"):
            lists = json.loads(text)
            text = "".join(str(lists[name][0] % 3) for name in ("ks", "e", "d"))
        text = text.strip().removeprefix("code:")
        if len(text) != 3 or set(text) - set("012"):
            raise SpaceError(f"expected three digits, got {text!r}")
        return Code(text)

    def canonical(self, code: Code) -> Code:
        return Code("".join(sorted(code.digits)))


@pytest.fixture
def space() -> Codes:
    return Codes()


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


# ------------------------------------------------------------------------------------------------- one file


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "gzip-by-content.gz"])
def test_reads_plain_and_gzip(space, write, name):
    table = load_table(write(name, "arch,acc,note\n000,1.5,a\n012,,b\n"), space)
    assert len(table) == 2
    assert list(table.columns) == ["acc"]
    assert table["acc"].dtype == np.float64
    assert table["acc"][0] == 1.5
    assert np.isnan(table["acc"][1])
    assert table.labels == {"note": ("a", "b")}
    assert [str(one) for one in table.architectures] == ["000", "012"]
    assert "acc" in table
    assert "note" not in table


def test_gzip_is_told_by_content_not_by_name(space, tmp_path):
    path = tmp_path / "plain-name.csv"
    path.write_bytes(gzip.compress(b"arch,acc\n000,1\n"))
    assert load_table(path, space)["acc"].tolist() == [1.0]


def test_architecture_is_text_and_keeps_leading_zeros(space, write):
    table = load_table(write("t.csv", "arch,acc\n001,1\n010,2\n"), space)
    assert table.keys == ("001", "010")
    assert "arch" not in table


def test_first_column_that_parses_wins(space, write):
    header = "nb201_arch,genotype,arch,architecture,acc\n"
    assert load_table(write("a.csv", header + "000,001,002,010,1\n"), space).keys == ("010",)
    assert load_table(write("b.csv", header + "000,001,002,x,1\n"), space).keys == ("002",)
    assert load_table(write("c.csv", header + "000,001,x,x,1\n"), space).keys == ("001",)
    table = load_table(write("d.csv", header + "000,x,x,x,1\n"), space)
    assert table.keys == ("000",)
    assert set(table.labels) == {"genotype", "arch", "architecture"}


def test_once_for_all_lists_are_handed_over_as_json(space, write):
    table = load_table(write("t.csv", 'ks,e,d,acc\n"3 5",4 6,2 4,70\n7 7,"[3, 4]",3 3,71\n'), space)
    assert table.texts == (
        '{"ks": [3, 5], "e": [4, 6], "d": [2, 4]}',
        '{"ks": [7, 7], "e": [3, 4], "d": [3, 3]}',
    )
    assert list(table.columns) == ["acc"]


def test_lists_that_are_no_numbers_are_refused_by_the_space(space, write):
    with pytest.raises(DataError, match="'ks, e, d': expected three digits, got '3 x / 4 / 2'"):
        load_table(write("t.csv", "ks,e,d,acc\n3 x,4,2,70\n"), space)


def test_find_architectures_names_columns(space):
    assert find_architectures({"arch": ["000"], "acc": ["1"]}, space) == (("arch",), ["000"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got 0 lines"),
        ("arch,acc\n", "got 1 lines"),
        ("arch,acc\n000,1\n001\n", "line 3: expected 2 cells, got 1"),
        ("arch,acc,acc\n000,1,1\n", "'acc' stands more than once"),
        (
            "name,acc\n000,1\n",
            "No architecture in .* expected one of the columns architecture, arch, genotype, ",
        ),
        ("arch,acc\n999,1\n", "'arch': expected three digits"),
        ("arch,acc\n000,1\n001,1\n000,2\n", "Rows 1 and 3 .* hold one architecture"),
    ],
)
def test_malformed_files_are_one_line(space, write, text, message):
    with pytest.raises(DataError, match=message) as caught:
        load_table(write("t.csv", text), space)
    assert "\n" not in str(caught.value)


def test_missing_and_unreadable_files(space, tmp_path):
    with pytest.raises(DataError, match=r"No table at .*absent\.csv"):
        load_table(tmp_path / "absent.csv", space)
    with pytest.raises(DataError, match="Expected a CSV file"):
        load_table(tmp_path, space)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"arch,acc\n000,1\n")[:-9])
    with pytest.raises(DataError, match="Expected a CSV file"):
        load_table(broken, space)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        load_table(broken, space)
    with pytest.raises(SettingsError, match="at least one table"):
        load_table([], space)


def test_unknown_column_suggests_the_nearest(space, write):
    table = load_table(write("t.csv", "arch,accuracy,note\n000,1,x\n"), space)
    with pytest.raises(SettingsError, match=r"No column 'acuracy' .* Did you mean 'accuracy'"):
        table["acuracy"]
    with pytest.raises(SettingsError, match=r"Expected numbers in column 'note' of t.csv, got 'x' in row 1"):
        table["note"]


def test_identifiers_with_underscores_are_text(space, write):
    assert load_table(write("t.csv", "arch,id,x\n000,1_2,1\n"), space).labels["id"] == ("1_2",)


def test_a_row_that_does_not_parse_is_named_when_asked_for(space, write):
    table = load_table(write("t.csv", "arch,acc\n000,1\n9,2\n002,3\n010,4\n"), space)
    with pytest.raises(DataError, match=r"Row 2 of t.csv is no architecture of codes: expected three digits"):
        _ = table.architectures


def test_columns_are_read_only(space, write):
    table = load_table(write("t.csv", "arch,acc\n000,1\n"), space)
    with pytest.raises(ValueError, match="read-only"):
        table["acc"][0] = 2


def test_without_a_space_only_numbers(write):
    table = load_table(write("t.csv", "arch,acc\n000,1\n"))
    assert table["acc"].tolist() == [1.0]
    with pytest.raises(DataError, match="has no architectures"):
        _ = table.architectures
    with pytest.raises(DataError, match="has no architectures"):
        table.index("000")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=True, allow_infinity=True), st.text(max_size=8)),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_and_texts_survive_the_file(tmp_path_factory, rows):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["index", "value", "text"])
    writer.writerows([i, "" if value != value else repr(value), text] for i, (value, text) in enumerate(rows))
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8", "surrogatepass"))
    try:
        columns = read_csv(path)
    except DataError:  # what no CSV can hold: lone surrogates
        assert any("\ud800" <= char <= "\udfff" for _, text in rows for char in text)
        return
    assert columns["text"] == [text for _, text in rows]
    np.testing.assert_array_equal(load_table(path)["value"], [value for value, _ in rows])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_one_clear_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes(content)
    try:
        outcome = repr(load_table(path, Codes()))
    except EvonasError as error:
        outcome = str(error)
    assert "\n" not in outcome


# ------------------------------------------------------------------------------------------------ look-ups


def test_index_as_written_then_by_canonical_form(space, write):
    table = load_table(write("t.csv", "arch,acc\n120,1\n210,2\n001,3\n"), space)
    assert table.index(Code("210")) == 1
    assert table.index("code:120") == 0
    assert table.index(Code("100")) == 2  # not there as written; "001" alone has its canonical form
    with pytest.raises(DataError, match=r"2 rows \(the first two: 1, 2\) that equal 021 in canonical form"):
        table.index(Code("021"))
    with pytest.raises(DataError, match="no row for the architecture 222"):
        table.index(Code("222"))
    with pytest.raises(SpaceError):
        table.index("junk")


def test_two_texts_of_one_architecture_are_duplicates(space, write):
    table = load_table(write("t.csv", "arch,acc\n120,1\ncode:120,2\n"), space)
    with pytest.raises(DataError, match=r"Rows 1 and 2 of t.csv hold one architecture"):
        table.index(Code("120"))


def test_select_keeps_order(space, write):
    table = load_table(write("t.csv", "arch,acc,note\n000,1,a\n001,2,b\n002,3,c\n"), space).select([2, 0])
    assert table["acc"].tolist() == [3.0, 1.0]
    assert table.keys == ("002", "000")
    assert table.labels["note"] == ("c", "a")


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError, match="columns of one length"):
        Table({"a": np.zeros(2), "b": np.zeros(3)})


# --------------------------------------------------------------------------------------------------- joins


def test_joins_on_the_architecture_as_written(space, write):
    first = write("a.csv", "arch,acc\n000,1\n012,2\n001,3\n")
    second = write("b.csv", "genotype,ms\ncode:001,30\n021,20\n000,10\n")
    table = load_table([first, second], space)
    assert table.keys == ("000", "001")  # 012 and 021 are equal only in canonical form
    assert table["acc"].tolist() == [1.0, 3.0]
    assert table["ms"].tolist() == [10.0, 30.0]
    assert table.source == "a.csv + b.csv"


@pytest.mark.parametrize("reverse", [False, True])
def test_joins_on_index_where_one_has_no_architecture(space, write, reverse):
    paths = [
        write("a.csv", "index,arch,acc\n7,000,1\n8,001,2\n"),
        write("b.csv", "index,ms\n8,20\n7,10\n9,30\n"),
    ]
    table = load_table(paths[::-1] if reverse else paths, space)
    place = table.index("001")
    assert (table["acc"][place], table["ms"][place]) == (2.0, 20.0)
    assert len(table) == 2


def test_three_tables(space, write):
    table = load_table(
        [
            write("a.csv", "index,ms\n0,1\n1,2\n"),
            write("b.csv", "index,mj\n0,3\n1,4\n"),
            write("c.csv", "index,arch,acc\n1,000,5\n"),
        ],
        space,
    )
    assert table.keys == ("000",)
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "index": [1.0],
        "ms": [2.0],
        "mj": [4.0],
        "acc": [5.0],
    }


def test_columns_of_the_same_name_must_agree(space, write):
    first = write("a.csv", "arch,acc,index\n000,1,0\n001,,1\n")
    same = write("b.csv", "arch,acc,x,index\n000,1,5,9\n001,,6,8\n")
    other = write("c.csv", "arch,acc\n000,2\n001,\n")
    table = load_table([first, same], space)
    assert table["x"].tolist() == [5.0, 6.0]
    assert table["index"].tolist() == [0.0, 1.0]
    with pytest.raises(DataError, match=r"Column 'acc' differs between a.csv and c.csv"):
        load_table([first, other], space)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("arch,ms\n222,1\n", "share no architecture"),
        ("name,ms\nx,1\n", "No architecture in b.csv"),
        ("index,ms\n5,1\n", "Cannot join a.csv with b.csv"),
    ],
)
def test_joins_on_nothing_are_refused(space, write, other, message):
    with pytest.raises(DataError, match=message):
        load_table([write("a.csv", "arch,acc\n000,1\n"), write("b.csv", other)], space)


def test_repeated_index_is_refused(space, write):
    paths = [write("a.csv", "index,arch,acc\n0,000,1\n1,001,1\n"), write("b.csv", "index,ms\n0,1\n0,2\n")]
    with pytest.raises(DataError, match=r"Rows 1 and 2 of b.csv hold one index"):
        load_table(paths, space)


# ----------------------------------------------------------------------------------------------- directions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c10_test_200:max", ("c10_test_200", "max")),
        ("acc:min", ("acc", "min")),
        ("acc", ("acc", "max")),
        ("c10_mean_acc", ("c10_mean_acc", "max")),
        ("c10_test_acc_1", ("c10_test_acc_1", "max")),
        ("fgsm_Linf_acc1_0", ("fgsm_Linf_acc1_0", "max")),
        ("imagenet_top1", ("imagenet_top1", "max")),
        ("val_accuracy", ("val_accuracy", "max")),
        ("flops", ("flops", "min")),
        ("macs", ("macs", "min")),
        ("c10_params_M", ("c10_params_M", "min")),
        ("1080ti_256_ms", ("1080ti_256_ms", "min")),
        ("latency", ("latency", "min")),
        ("c10_train_time_12_s", ("c10_train_time_12_s", "min")),
        ("top1_error", ("top1_error", "min")),
    ],
)
def test_directions(text, expected):
    assert column_direction(text) == expected


@pytest.mark.parametrize("text", ["c10_test_200", "isomorph_id", "c10_std", "acc_std", "acc_per_ms", ""])
def test_unknown_directions_must_be_said(text):
    with pytest.raises(SettingsError, match="better high or low"):
        column_direction(text)


def test_a_name_may_hold_colons_and_slashes():
    assert column_direction("data/top1:50") == ("data/top1:50", "max")
    assert column_direction("a/b:c:min") == ("a/b:c", "min")
    assert column_direction("test_acc:200:min") == ("test_acc:200", "min")
    with pytest.raises(SettingsError, match="better high or low"):
        column_direction(":max")


# ---------------------------------------------------------------------------------------------- real tables


def test_nasbench201_tables_join_and_hold_the_known_optimum(truth):
    space = load_space("nasbench201")
    names = ("nasbench201", "nasbench201_latency", "nasbench201_robustness")
    table = load_table([truth / f"{name}.csv.gz" for name in names], space)
    assert len(table) == space.size == 15_625
    assert len(set(table.keys)) == 15_625
    assert round(table["c10_test_200"].max(), 2) == 94.37
    best = int(table["c10_test_200"].argmax())
    assert table.index(table.architectures[best]) == best
    assert not any(np.isnan(values).any() for values in table.columns.values())


def test_zero_cost_table_is_read_by_the_column_that_parses(truth):
    table = load_table(truth / "zero_cost_nasbench201.csv.gz", load_space("nasbench201"))
    assert len(table) == 1104
    # NASLib's numbers of operations, or the benchmark's own string: both are the same architectures
    (other,) = {"arch", "nb201_arch"} & set(table.labels)
    assert tuple(map(str, map(table.space.parse, table.labels[other]))) == table.keys
    assert np.isnan(table["nwot"]).sum() == 379
    assert np.isnan(table["tnb101_arch"]).all()


@pytest.mark.parametrize(
    ("file", "space", "rows", "column", "best"),
    [
        ("nasbench_macro", "nasbench_macro", 6561, "c10_mean_acc", 93.13),
        ("darts500_cifar10", "darts_open", 500, "c10_valid_acc_200ep", None),
        ("ofa_mbv3_imagenet", "mobilenet_v3", 1111, "imagenet_top1", None),
    ],
)
def test_other_tables(truth, file, space, rows, column, best):
    table = load_table(truth / f"{file}.csv.gz", load_space(space))
    assert len(table) == len(set(table.keys)) == rows
    assert best is None or round(float(table[column].max()), 2) == best
    assert [table.index(table.architectures[row]) for row in (0, rows - 1)] == [0, rows - 1]


TEN = ["arch,top1,Params", *(f"{i // 9}{i // 3 % 3}{i % 3},{90 + i / 8},{i}" for i in range(10))]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_separators_are_found(space, write, separator):
    table = load_table(write("t.csv", "\n".join(TEN)), space)
    other = load_table(write("o.csv", "\n".join(TEN).replace(",", separator)), space)
    assert list(other.columns) == list(table.columns) == ["top1", "Params"]
    assert other.keys == table.keys
    assert (other["top1"] == table["top1"]).all()


def test_a_decimal_comma_is_a_point_where_cells_are_separated_otherwise(space, write):
    rows = [line.replace(",", ";").replace(".", ",") for line in TEN]
    table = load_table(write("t.csv", "\n".join(["sep=;", *rows])), space)
    assert table["top1"].tolist() == [90 + i / 8 for i in range(10)]


def test_excels_wide_characters_are_read(space, tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes("\n".join(TEN).replace(",", "\t").encode("utf-16"))
    assert load_table(path, space)["Params"].tolist() == list(range(10))


@pytest.mark.parametrize("name", ["arch_str", "Genotype", "ARCH", "Architecture", "sub-network"])
def test_the_column_of_architectures_is_found_whatever_its_case(space, write, name):
    table = load_table(write("t.csv", "\n".join(TEN).replace("arch", name).replace("\n", "\ncode:")), space)
    assert len(table.keys) == 10
    assert list(table.columns) == ["top1", "Params"]


@pytest.mark.parametrize("cell", ["N/A", "n/a", "NA", "nan", "None", "null", "-", " ", "#N/A", "missing"])
def test_cells_that_say_a_value_is_missing(space, write, cell):
    table = load_table(write("t.csv", "\n".join([*TEN[:3], f"012,{cell},7", *TEN[4:5]])), space)
    assert np.isnan(table["top1"]).tolist() == [False, False, True, False]


def test_a_bad_cell_is_named_by_row_and_column(space, write):
    table = load_table(write("t.csv", "\n".join([*TEN[:3], "012,94.x,7"])), space)
    with pytest.raises(SettingsError, match=r"column 'top1' of t.csv, got '94.x' in row 3"):
        table["top1"]
