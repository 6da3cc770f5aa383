from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from evonas.tasks import Classification, distillation


def logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_accuracy_counts() -> None:
    assert Classification().metric(torch.eye(4), torch.tensor([0, 1, 2, 0])) == 0.75


def test_label_smoothing_in_closed_form() -> None:
    outputs, labels = logits(5, 4), torch.tensor([0, 3, 1, 1, 2])
    log = outputs.log_softmax(-1)
    own = -log[torch.arange(5), labels].mean()
    expected = 0.8 * own + 0.2 * -log.mean()
    assert float(Classification(smoothing=0.2).loss(outputs, labels)) == pytest.approx(float(expected))
    assert float(Classification().loss(outputs, labels)) == pytest.approx(float(own))
    assert float(Classification().loss(torch.zeros(2, 8), torch.tensor([0, 1]))) == pytest.approx(math.log(8))


def test_a_teacher_equal_to_its_student_teaches_nothing() -> None:
    outputs = logits(6, 5).requires_grad_()
    loss = distillation(outputs, outputs.detach().clone())
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert outputs.grad.abs().max() < 1e-12


def test_distillation_has_the_gradient_of_soft_cross_entropy() -> None:
    outputs, teacher = logits(6, 5).requires_grad_(), logits(11, 5)[5:].requires_grad_()
    distillation(outputs, teacher).backward()
    expected = (outputs.softmax(-1) - teacher.softmax(-1)).detach() / 6
    torch.testing.assert_close(outputs.grad, expected)
    assert teacher.grad is None
