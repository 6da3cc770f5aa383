from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics

from evonas.tasks import Classification, named_measure
from evonas.tasks.class_scores import class_scores
from evonas.tasks.measure import recall_name

CLASSES = ("cat", "red fox", "dog")


def drawn(n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, classes))
    return rng.integers(0, classes, n), np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_scores_are_those_of_scikit_learn() -> None:
    targets, probabilities = drawn(60, 3)
    answers = probabilities.argmax(1)
    found = class_scores(targets, answers, probabilities, CLASSES)
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(targets, answers))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(targets, answers, average="macro"))
    assert found["cohen_kappa"] == pytest.approx(metrics.cohen_kappa_score(targets, answers))
    assert found["auroc"] == pytest.approx(metrics.roc_auc_score(targets, probabilities, multi_class="ovr"))
    recalls = metrics.recall_score(targets, answers, average=None)
    assert [found[recall_name(name)] for name in CLASSES] == pytest.approx(recalls.tolist())


def test_two_classes_have_the_area_of_the_second() -> None:
    targets, probabilities = drawn(40, 2)
    found = class_scores(targets, probabilities.argmax(1), probabilities, ("a", "b"))
    assert found["auroc"] == pytest.approx(metrics.roc_auc_score(targets, probabilities[:, 1]))


def test_a_constant_answer_is_worth_what_chance_is() -> None:
    targets, constant = np.array([0] * 8 + [1] * 2), np.zeros(10, np.int64)
    found = class_scores(targets, constant, np.tile([1.0, 0.0], (10, 1)), ("often", "rare"))
    assert found == {
        "balanced_accuracy": 0.5,
        "macro_f1": pytest.approx((2 * 8 / 18) / 2),
        "cohen_kappa": 0.0,
        "auroc": 0.5,
        "recall:often": 1.0,
        "recall:rare": 0.0,
    }


def test_one_class_alone_and_classes_without_images_have_finite_scores() -> None:
    targets = np.zeros(4, np.int64)
    found = class_scores(targets, targets, np.tile([1.0, 0.0, 0.0], (4, 1)), CLASSES)
    assert (found["balanced_accuracy"], found["cohen_kappa"], found["auroc"]) == (1.0, 0.0, 0.5)
    assert found["recall:dog"] == 0.0


def test_a_task_measures_batches_as_it_measures_the_whole() -> None:
    task = Classification(3, names=CLASSES)
    outputs, targets = torch.randn(12, 3, generator=torch.Generator().manual_seed(1)), torch.arange(12) % 3
    whole = task.score(task.measure(outputs, targets))
    halves = [task.measure(outputs[part], targets[part]) for part in (slice(0, 5), slice(5, 12))]
    assert task.score({name: torch.cat([half[name] for half in halves]) for name in halves[0]}) == whole
    plain = Classification(3)
    assert plain.score(plain.measure(outputs, targets)).items() <= whole.items()


def test_the_recall_of_a_class_is_a_measure_by_its_name() -> None:
    task = Classification(3, names=CLASSES)
    assert recall_name("red fox") == "recall:red_fox"
    assert task.named("recall:red_fox").direction == "max"
    assert task.named("recall:bird") is None
    assert task.named("macro_f1").name == "macro_f1"
    assert Classification(3).named("macro_f1") is None
    assert named_measure("recall:any").name == "recall:any"
    assert named_measure("recall:") is None


def test_weights_of_classes_weigh_the_loss() -> None:
    outputs, targets = torch.randn(6, 2, generator=torch.Generator().manual_seed(2)), torch.tensor([0, 0, 0, 0, 0, 1])
    own = -outputs.log_softmax(-1)[torch.arange(6), targets]
    weighted = Classification(2, names=("a", "b"), weights=(0.6, 3.0)).alone()
    expected = (0.6 * own[:5].sum() + 3.0 * own[5]) / 6.0
    torch.testing.assert_close(weighted.loss(outputs, targets), expected)
