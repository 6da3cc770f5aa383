"""Robust objectives: names, and what they are of networks with shared weights and after a training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evonas.errors import SettingsError
from evonas.objectives import Context, check_objectives, known_objectives, make_evaluator
from evonas.objectives.robust.evaluator import unit_images
from evonas.objectives.robust.names import is_robust, read_robust
from evonas.pareto.objective import parse_constraint
from evonas.spaces import as_candidates


def test_names_are_known_and_listed():
    assert {"robust:fgsm", "robust:pgd", "robust:apgd", "robust:square"} <= set(known_objectives())
    check_objectives(["robust:fgsm", "robust:pgd@4/255x10", "robust:pgd@l2:0.5x3"])
    assert read_robust("robust:pgd@4/255x3").text == "PGD-3, each pixel by 4/255 at most"
    assert is_robust("robust:pgd@4/255")
    assert not is_robust("acc")
    assert parse_constraint("robust:pgd@4/255x3>=40%").bound == 0.4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("robust:pdg", "Unknown objective 'robust:pdg'.*Did you mean 'pgd'"),
        ("robust:", "Unknown objective 'robust:'"),
        ("robust:pgd@2", "epsilon of 0 to 1"),
    ],
)
def test_other_names_are_refused(name, said):
    with pytest.raises(SettingsError, match=said):
        check_objectives([name])


def test_robust_accuracy_of_a_path_is_between_none_and_clean(trained: Context, draw):
    candidates = as_candidates(draw(trained.space, 2))
    accuracy = make_evaluator("acc", replace(trained, options={"estimator": "supernet:accuracy"}))
    clean = [row["acc"].value for row in accuracy.evaluate(candidates)]
    values = {}
    for name in ("robust:pgd@0x1", "robust:fgsm@1/255", "robust:pgd@1/255x3", "robust:pgd@1x20"):
        evaluator = make_evaluator(name, trained)
        assert (evaluator.objectives[0].name, evaluator.objectives[0].direction) == (name, "max")
        rows = evaluator.evaluate(candidates)
        values[name] = [row[name].value for row in rows]
        assert evaluator.evaluate(candidates[1:])[0][name].value == values[name][1]  # whatever was read before
    assert values["robust:pgd@0x1"] == pytest.approx(clean)
    assert values["robust:pgd@1x20"] == [0.0, 0.0]
    for weaker, stronger in (("robust:pgd@0x1", "robust:fgsm@1/255"), ("robust:fgsm@1/255", "robust:pgd@1/255x3")):
        assert all(b <= a for a, b in zip(values[weaker], values[stronger], strict=True))


def test_settings_and_parts_tell_fingerprints_apart(trained: Context):
    made = [make_evaluator(name, trained) for name in ("robust:fgsm", "robust:pgd", "robust:pgd@4/255x10")]
    assert made[0].fingerprint != made[1].fingerprint == made[2].fingerprint
    assert make_evaluator("robust:pgd", replace(trained, seed=1)).fingerprint != made[1].fingerprint
    assert make_evaluator("robust:pgd", replace(trained, supernet_fingerprint="x")).fingerprint != made[1].fingerprint


def test_images_are_read_between_0_and_1(trained: Context):
    data = trained.data
    assert data is not None
    images, labels = unit_images(data.search, data, 10)
    assert len(images) == len(labels) == 10
    assert (float(images.min()), float(images.max())) == (0.0, 1.0)
    torch.testing.assert_close((images - data.mean[0]) / data.std[0], data.normalize(data.search.images[:10]))


@pytest.mark.slow
def test_it_is_read_after_a_short_training_too(trained: Context, draw):
    candidates = as_candidates(draw(trained.space, 1))
    context = replace(trained, options={"estimator": "train:1"})
    evaluator = make_evaluator("robust:fgsm@2/255", context)
    (row,) = evaluator.evaluate(candidates)
    accuracy = make_evaluator("acc", context).evaluate(candidates)[0]["acc"].value
    assert 0 <= row["robust:fgsm@2/255"].value <= accuracy
    shared = evaluator.shared_weights()
    assert shared is not None
    assert shared.fingerprint == make_evaluator("robust:fgsm@2/255", trained).fingerprint


def test_it_needs_classes_data_and_weights(tiny: Context, trained: Context):
    with pytest.raises(SettingsError, match="needs data and a trained supernet"):
        make_evaluator("robust:fgsm", tiny)
    train = replace(trained.data.train, labels=torch.rand(len(trained.data.train), 1))
    numbers = replace(trained.data, task="regression", train=train)
    with pytest.raises(SettingsError, match="is for classification"):
        make_evaluator("robust:fgsm", replace(trained, data=numbers))
