from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn import metrics

from evonas.tasks import Classification, ClassReport, Regression
from evonas.tasks.class_report import report_classes

TARGETS = np.array([0] * 6 + [1] * 3 + [2] * 3)
ANSWERS = np.array([0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0])


@pytest.fixture
def report() -> ClassReport:
    return report_classes(TARGETS, ANSWERS, np.eye(3)[ANSWERS], ("cat", "dog", "ant"))


def test_figures_of_classes_are_those_of_scikit_learn(report) -> None:
    precision, recall, _, support = metrics.precision_recall_fscore_support(TARGETS, ANSWERS, zero_division=0)
    assert report.confusion.tolist() == metrics.confusion_matrix(TARGETS, ANSWERS).tolist()
    assert report.precision == pytest.approx(precision)
    assert report.recall == pytest.approx(recall)
    assert report.support.tolist() == support.tolist()
    assert report.measures["accuracy"] == pytest.approx(7 / 12)


def test_a_constant_answer_stands_beside_and_a_class_never_answered_is_named(report) -> None:
    assert report.constant == "cat"
    assert report.constant_measures["accuracy"] == 0.5
    assert report.constant_measures["balanced_accuracy"] == pytest.approx(1 / 3)
    assert report.never == ["dog"]
    assert report.confused() == ["dog as cat 3", "cat as ant 1", "ant as cat 1"]


def test_measures_are_found_by_the_names_of_objectives(report) -> None:
    assert report.value("recall:ant") == pytest.approx(2 / 3)
    assert report.value("macro_f1") == report.measures["macro_f1"]
    assert report.value("flops") is None


def test_it_comes_back_from_json(report) -> None:
    again = ClassReport.from_content(json.loads(json.dumps(report.to_content())))
    assert again.confusion.tolist() == report.confusion.tolist()
    assert again.class_rows() == report.class_rows()
    assert again.measure_rows() == report.measure_rows()


def test_of_many_classes_those_found_least_are_shown() -> None:
    targets = np.arange(30)
    answers = np.where(targets < 5, 29, targets)
    many = report_classes(targets, answers, np.eye(30)[answers], [f"c{k}" for k in range(30)])
    assert [name for name, *_ in many.class_rows()[:5]] == [f"c{k}" for k in range(5)]
    assert len(many.class_rows()) == 20
    assert many.confusion_rows() == []


def test_tasks_report_classes_where_they_have_names() -> None:
    outputs, targets = torch.eye(3)[ANSWERS], torch.from_numpy(TARGETS)
    assert Classification(3).report(outputs, targets) is None
    assert Regression().report(outputs[:, :1], targets[:, None].float()) is None
    found = Classification(3, names=("cat", "dog", "ant")).report(outputs, targets)
    assert ClassReport.from_content(found).recall == pytest.approx([5 / 6, 0, 2 / 3])
