from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.runtime.faults import explain


def chained(root: Exception) -> Exception:
    try:
        try:
            raise root
        except Exception as error:
            raise RuntimeError("Step 1/3\nNext steps: ...") from error
    except RuntimeError as error:
        return error


def test_root_cause_is_told_on_one_line_without_colors():
    error = chained(ValueError("\x1b[96m\n  bad kernel.\x1b[0m\nlong story"))
    assert explain(nn.ReLU(), error) == "ValueError: bad kernel"


def test_cause_without_words_is_its_class():
    assert explain(nn.ReLU(), chained(NotImplementedError())) == "NotImplementedError"


def test_long_causes_are_cut():
    assert len(explain(nn.ReLU(), ValueError("x" * 10_000))) == 240


def test_suppressed_context_is_left_alone():
    error = ValueError("outer")
    error.__context__ = KeyError("inner")
    assert explain(nn.ReLU(), error) == "KeyError: 'inner'"
    error.__suppress_context__ = True
    assert explain(nn.ReLU(), error) == "ValueError: outer"


def test_place_is_the_innermost_submodule():
    module = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Flatten(), nn.Linear(3, 2)))
    with pytest.raises(RuntimeError) as caught:
        module(torch.zeros(1, 4))
    assert explain(module, caught.value).endswith("(in '1.1', a Linear)")
