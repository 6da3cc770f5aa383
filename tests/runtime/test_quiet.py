from __future__ import annotations

import logging
import sys
import warnings

import pytest
import torch

from evonas.runtime.quiet import quiet

NAME = "torch.fx.experimental.symbolic_shapes"


@quiet()
def export_badly() -> None:
    warnings.warn("Constant folding - only for opset 9", UserWarning, stacklevel=1)
    warnings.warn("something else", UserWarning, stacklevel=1)
    print("a partial graph", file=sys.stderr)
    print("of others")


@quiet()
def fail() -> None:
    assert logging.getLogger(NAME).level == logging.ERROR
    raise RuntimeError


def test_exporters_are_silent_and_others_speak(capsys):
    with pytest.warns(UserWarning, match="something else") as caught:
        export_badly()
    assert len(caught) == 1
    assert capsys.readouterr() == ("of others\n", "")


def test_everything_is_as_before_also_after_an_error():
    logger = logging.getLogger(NAME)
    before = logger.level, sys.stderr, getattr(torch._C, "_jit_onnx_log", None)
    with pytest.raises(RuntimeError):
        fail()
    assert (logger.level, sys.stderr, getattr(torch._C, "_jit_onnx_log", None)) == before
