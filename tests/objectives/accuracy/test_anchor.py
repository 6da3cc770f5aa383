from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evonas.errors import EvaluationError, SettingsError
from evonas.networks import build
from evonas.objectives import Context
from evonas.objectives.accuracy.anchor import AnchorEvaluator, anchor_name, read_anchor_name
from evonas.objectives.accuracy.distillation import read_distillation
from evonas.objectives.result import Result
from evonas.runtime import export
from evonas.spaces import Architecture, as_candidates

Draw = Callable[..., list[Architecture]]


@pytest.fixture(scope="module")
def context(digits, tiny) -> Context:
    """Digits, a tiny space, and a ladder of three levels."""
    skeleton = tiny.skeleton.replace(resolution=digits.resolution, in_channels=1, classes=len(digits.classes))
    return replace(tiny, data=digits, skeleton=skeleton, options={"ladder": [1, 2, 3]})


def asked(context: Context, **options: object) -> Context:
    return replace(context, options={**context.options, **options})


def values(context: Context, epochs: int, forms: list[Architecture]) -> list[Result]:
    rows = AnchorEvaluator(context, epochs).evaluate(as_candidates(forms))
    return [row[anchor_name(epochs)] for row in rows]


@pytest.fixture(scope="module")
def alone(context, draw) -> tuple[Architecture, list[float | None]]:
    """An architecture, and what it gives at each level, each trained without a break."""
    (form,) = draw(context.space, 1)
    return form, [values(context, epochs, [form])[0].value for epochs in (1, 2, 3)]


def test_a_training_climbs_a_ladder_as_if_it_had_not_paused(context, alone, draw, tmp_path: Path) -> None:
    form, expected = alone
    climbing = asked(context, anchor_folder=str(tmp_path))
    other = draw(context.space, 2, seed=5)
    for level, epochs in enumerate((1, 2, 3)):
        assert values(climbing, epochs, [*other, form])[-1].value == expected[level]
    assert values(climbing, 1, [form])[0].value == expected[0]  # its checkpoint stands higher by now
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_an_anchor_keeps_its_weights(context, alone, tmp_path: Path) -> None:
    form, _ = alone
    evaluator = AnchorEvaluator(asked(context, anchor_folder=str(tmp_path)), 1)
    with pytest.raises(EvaluationError, match="Expected a checkpoint of the anchor"):
        evaluator.network(form)
    evaluator.evaluate(as_candidates([form]))
    first = evaluator.network(form)
    fresh = build(context.space, context.skeleton, form)
    assert first.state_dict().keys() == fresh.state_dict().keys()
    assert all(torch.isfinite(value).all() for value in first.state_dict().values())
    with pytest.raises(EvaluationError, match=r"^Expected a checkpoint of the anchor .*, found none$"):
        AnchorEvaluator(context, 1).network(form)


def test_a_training_that_diverges_is_a_failure_with_its_cause(context, alone, monkeypatch) -> None:
    form, _ = alone
    evaluator = AnchorEvaluator(context, 1)
    evaluator._recipe = evaluator._recipe.model_copy(update={"lr": 1e30, "clip": 0.0})
    (row,) = evaluator.evaluate(as_candidates([form]))
    assert row["anchor@1"].value is None
    assert "Training diverged" in str(row["anchor@1"].cause)


def test_fingerprints_tell_trainings_apart(context, tmp_path: Path) -> None:
    contexts = [
        context,
        replace(context, seed=1),
        replace(context, skeleton=context.skeleton.replace(channels=3)),
        asked(context, ladder=[1, 2]),
        asked(context, distillation="logits"),
        asked(context, distillation="nst"),
        asked(context, distillation="logits:0.25"),
    ]
    prints = {AnchorEvaluator(one, 1).fingerprint for one in contexts}
    prints.add(AnchorEvaluator(context, 2).fingerprint)
    assert len(prints) == 8
    same = [asked(context, distillation="logits:0"), asked(context, anchor_folder=str(tmp_path), teacher="largest")]
    assert {AnchorEvaluator(one, 1).fingerprint for one in same} == {AnchorEvaluator(context, 1).fingerprint}


@pytest.mark.parametrize("distillation", ["logits:0.7", "nst"])
def test_a_teacher_changes_trainings_and_is_trained_once(context, alone, tmp_path: Path, distillation: str) -> None:
    form, _ = alone
    taught = asked(context, distillation=distillation, anchor_folder=str(tmp_path))
    evaluator = AnchorEvaluator(taught, 1)
    evaluator.prepare()
    assert (tmp_path / "teacher.safetensors").is_file()
    before = (tmp_path / "teacher.safetensors").read_bytes()
    (first,) = values(taught, 1, [form])
    assert first.value is not None
    own = AnchorEvaluator(taught, 1).network(form).state_dict()
    without = AnchorEvaluator(asked(context, anchor_folder=str(tmp_path)), 1)
    without.evaluate(as_candidates([form]))
    assert any(not torch.equal(own[name], value) for name, value in without.network(form).state_dict().items())
    assert (tmp_path / "teacher.safetensors").read_bytes() == before
    assert values(asked(context, distillation=distillation), 1, [form])[0].value == first.value  # without checkpoints


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_given_model_teaches_and_one_of_other_classes_is_refused(context, alone, tmp_path: Path) -> None:
    form, _ = alone
    images = torch.zeros(2, 1, context.skeleton.resolution, context.skeleton.resolution)
    for classes in (10, 4):
        teacher = build(context.space, context.skeleton.replace(classes=classes), form).eval()
        export(teacher, images, tmp_path / f"{classes}.onnx", exporter="quick")
    taught = asked(context, distillation="logits", teacher=str(tmp_path / "10.onnx"))
    assert values(taught, 1, [form])[0].value is not None
    wrong = AnchorEvaluator(asked(context, distillation="logits", teacher=str(tmp_path / "4.onnx")), 1)
    with pytest.raises(SettingsError, match=r"^Expected a teacher of 10 classes or outputs.* got one of 4 in "):
        wrong.prepare()
    with pytest.raises(SettingsError, match=r"ONNX file, got .* which is no file"):
        AnchorEvaluator(asked(context, distillation="logits", teacher=str(tmp_path / "none.onnx")), 1)


def test_what_makes_no_sense_is_refused(context) -> None:
    with pytest.raises(SettingsError, match="Anchors need data"):
        AnchorEvaluator(replace(context, data=None), 1)
    with pytest.raises(SettingsError, match="Expected a level of 1, 2, 3 epochs, got 4"):
        AnchorEvaluator(context, 4)
    for text in ("kd", "logits:2", "nst:x", "logits:nan"):
        with pytest.raises(SettingsError, match="Expected a distillation none, logits or nst"):
            read_distillation(text)


def test_names_of_levels() -> None:
    assert read_anchor_name(anchor_name(12)) == 12
    assert [read_anchor_name(name) for name in ("anchor@0", "anchor@", "acc", "anchor@1.5")] == [None] * 4
