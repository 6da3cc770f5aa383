from __future__ import annotations

import math

import pytest

from evonas.report.origins import meaning, number, origin, trainable


@pytest.mark.parametrize(
    ("value", "text", "padded"),
    [
        (0.95, "0.95", "0.9500"),
        (5.5e6, "5.5 M", "5.500 M"),
        (-2e9, "-2 G", "-2.000 G"),
        (4096, "4,096", "4,096"),
        (0, "0", "0.000"),
        (math.nan, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_numbers_are_read_by_people(value, text, padded):
    assert number(value) == text
    assert number(value, pad=True) == padded


def test_no_accuracy_stands_without_what_estimated_it():
    assert "shared weights" in origin("acc", {})
    assert origin("acc", {"estimator": "train:5"}).startswith("what 5 epochs of training give")
    assert "that 24 candidates, trained alone" in origin("acc", {"anchors": 24})
    fewer = {"anchors": {"number": 9, "failed": 1}}
    assert "that 8 candidates, trained alone" in origin("acc", {"anchors": 24}, manifest=fewer)
    none = {"anchors": {"number": 0, "failed": 0}}
    assert origin("acc", {"anchors": 24}, manifest=none) == origin("acc", {})
    assert origin("acc", {"table": ["file.csv"]}) == "from a table"
    assert origin("swap", {}) == "training-free score"
    assert "multiply-add" in origin("flops", {})
    assert "not select" in meaning("acc_report")
    assert meaning("unheard of") == ""


def test_another_tasks_measure_is_called_by_its_own_name():
    words = "root mean squared error of a regression, in the target's unit"
    assert origin("rmse", {}) == f"{words}, with shared weights"
    assert origin("rmse", {"estimator": "train:5"}) == f"{words}, after 5 epochs of training from fresh weights"
    assert origin("memory", {}) == "peak bytes of one inference (min)"
    assert origin("energy", {}) == "of a package that is not installed"
    assert meaning("rmse_trained") == "test rmse after training to the end"
    assert meaning("acc_trained") == "test accuracy after training to the end"


def test_what_training_improves_is_accuracy_or_a_measure():
    assert trainable(["flops", "rmse"], {}) == "rmse"
    assert trainable(["acc", "flops"], {}) == "acc"
    assert trainable(["acc", "flops"], {"table": ["t.csv"]}) is None
    assert trainable(["flops", "params"], {}) is None
