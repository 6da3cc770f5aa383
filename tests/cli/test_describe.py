"""``evonas describe``."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from evonas.cli import app

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def call(*arguments: object):
    return CliRunner().invoke(app, ["describe", *map(str, arguments)])


def ok(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exception is None, result.output
    return result.stdout


def test_a_space_is_described():
    output = ok("nasbench201")
    for part in ("15,625", "nor_conv_3x3", "6 × 5 options", "small", "proxy"):
        assert part in output


def test_an_architecture_has_the_literatures_cost(tmp_path):
    output = ok("darts", DARTS_V2, "--skeleton", "cifar", "--out", tmp_path / "v2.svg")
    assert "528,359,040" in output
    assert "3,349,342" in output
    root = ET.parse(tmp_path / "v2.svg").getroot()
    labels = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert labels.count("max_pool_3x3") == 5
    assert labels.count("concat") == 2


def test_a_random_member_is_drawn_where_none_is_named(tmp_path):
    pytest.importorskip("matplotlib")
    first = ok("nasbench201", "--out", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "15,625" in first
    assert ok("nasbench201", "random", "--seed", 3) == ok("nasbench201", "random", "--seed", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dartz"], "Did you mean 'darts'"),
        (["darts", "nonsense"], "Not an architecture of space 'darts'"),
        (["darts", "--skeleton", "cifra"], "Did you mean 'cifar'"),
        (["darts", "--out", "a.pdf"], r"\.svg or \.png"),
        (["darts", "--out", "."], r"\.svg or \.png"),
    ],
)
def test_bad_input_is_told(arguments, message):
    result = call(*arguments)
    assert result.exception is not None
    with pytest.raises(Exception, match=message):
        raise result.exception


def test_an_onnx_model_is_described(tmp_path):
    import torch

    from evonas.runtime import export

    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
    path = export(module, torch.zeros(1, 3, 6, 6), tmp_path / "model.onnx", exporter="quick")
    output = ok(path)
    for part in (
        "conv",
        "relu",
        "3×6×6",
        f"FLOPs       {8 * 27 * 36:,}",
        f"Parameters  {8 * 28}",
        "bytes of activations",
    ):
        assert part in output
    assert "batch" not in output
    for arguments, message in (
        ((path, "random"), "Expected --resolution and --among at most"),
        ((path, "--resolution", "0"), "--resolution: expected a side"),
        (("darts", "--resolution", "32"), "Expected --resolution with an ONNX file"),
        (("darts", "--among", "darts"), "Expected --among with an ONNX file"),
        ((path, "--among", "nowhere"), "nowhere"),
        ((tmp_path / "none.onnx",), "cannot be read"),
    ):
        result = call(*arguments)
        assert message in str(result.exception)


def test_an_onnx_models_rank_is_predicted(tmp_path):
    import torch

    from evonas.networks import build
    from evonas.runtime import export
    from evonas.spaces import load_space

    space = load_space("nasbench_macro")
    skeleton = space.skeleton("small", in_channels=3, resolution=16, classes=4)
    ranks = []
    for text in ("00000000", "22222222"):
        network = build(space, skeleton, space.parse(text)).eval()
        path = export(network, torch.zeros(1, 3, 16, 16), tmp_path / f"{text}.onnx", exporter="quick")
        output = ok(path, "--among", "nasbench_macro")
        (line,) = [line for line in output.splitlines() if "random architectures of nasbench_macro" in line]
        assert "general without nasbench_macro" in line
        ranks.append(int(line.partition("above that of ")[2].partition("%")[0]))
    assert ranks[0] < 20
    assert ranks[1] > 80
