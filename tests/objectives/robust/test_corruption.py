"""Accuracy under common corruptions as an objective, and mean corruption errors."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from evonas.config import make_settings
from evonas.data.corruptions import KINDS, corrupt
from evonas.errors import EvaluationError, SettingsError
from evonas.objectives import Context, check_objectives, known_objectives, make_evaluator
from evonas.objectives.robust.corruption import (
    Corruption,
    corruption_errors,
    mean_corruption_error,
    read_corruption,
    with_kinds,
)
from evonas.objectives.robust.names import read_robust
from evonas.spaces import as_candidates


class Bright(nn.Module):
    """Whether an image's mean is above 0.5."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        mean = images.mean((1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], 1)


def halves(n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """Gray images a little below and above 0.5, in turn, and which is which."""
    labels = torch.arange(n) % 2
    return (0.44 + 0.12 * labels.float()).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous(), labels


def test_names_kinds_and_severities_are_read() -> None:
    """Groups and kinds joined by +, one severity or several; what a setting names holds where the name says none."""
    assert read_corruption("corruption").kinds == tuple(KINDS)
    assert read_corruption("corruption").passes == 15
    assert read_corruption("corruption@fog+noise/3").kinds[-1] == "fog"
    assert read_corruption("corruption@fog+noise/3").severities == (3,)
    assert read_corruption("corruption@all/2-4").severities == (2, 3, 4)
    assert with_kinds(read_corruption("corruption"), ["weather"]).kinds == ("snow", "frost", "fog", "brightness")
    assert read_robust("robust:corruption", ("noise", "fog")).passes == 4
    named = read_corruption("corruption@blur")
    assert with_kinds(named, ["weather"]) == named
    assert make_settings(corruptions="noise,fog").corruptions == ("noise", "fog")
    check_objectives(["robust:corruption", "robust:corruption@noise"])
    assert "robust:corruption" in known_objectives()


@pytest.mark.parametrize("text", ["corruption@", "corruption@noise/6", "corruption@noise/4-2", "corruption@noise,blur"])
def test_other_names_are_refused(text: str) -> None:
    """One line says what is expected."""
    with pytest.raises(SettingsError, match="Expected"):
        read_corruption(text)
    with pytest.raises(SettingsError, match=r"Unknown corruption 'nois'.*noise"):
        check_objectives(["robust:corruption@nois"])
    with pytest.raises(SettingsError, match="Unknown corruption 'rain'"):
        make_settings(corruptions=["rain"])


def test_a_shift_of_brightness_ruins_the_dark_half_alone() -> None:
    """Brightness at severity 5 adds 0.3: dark images look bright; contrast alone changes nothing of a mean."""
    images, labels = halves()
    survived = Corruption(("brightness",), (5,)).survivors(Bright(), images, labels)
    assert survived.tolist() == labels.float().tolist()
    both = Corruption(("brightness", "contrast"), (5,)).survivors(Bright(), images, labels)
    assert both.double().mean() == 0.75
    errors = corruption_errors(Bright(), images, labels, ["brightness", "contrast"])
    assert errors == {"brightness": (0.0, 0.5, 0.5, 0.5, 0.5), "contrast": (0.0,) * 5}


def test_severities_come_in_turn_and_copies_are_kept_by_content() -> None:
    """Image i has severity i modulo their number; other images of one shape get copies of their own."""
    images, labels = halves(10)
    seen = []

    class Watching(Bright):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images)
            return super().forward(images)

    Corruption(("brightness",), (1, 5)).survivors(Watching(), images, labels)
    assert torch.allclose(seen[0][::2], corrupt(images[::2], "brightness", 1), atol=1e-6)
    assert torch.allclose(seen[0][1::2], corrupt(images[1::2], "brightness", 5), atol=1e-6)
    Corruption(("brightness",), (1, 5)).survivors(Watching(), images / 2, labels)
    assert not torch.equal(seen[0], seen[1])


def test_mean_corruption_error_is_the_published_ratio() -> None:
    """Sums over severities, divided by the reference's, averaged over kinds; without one the plain mean."""
    ours, theirs = {"fog": (0.1, 0.3), "snow": (0.2, 0.2)}, {"fog": (0.4, 0.4), "snow": (0.2, 0.6)}
    assert mean_corruption_error(ours, theirs) == pytest.approx((0.4 / 0.8 + 0.4 / 0.8) / 2)
    assert mean_corruption_error(ours) == pytest.approx(0.2)
    assert mean_corruption_error(theirs, theirs) == 1
    with pytest.raises(SettingsError, match="errors under snow"):
        mean_corruption_error(ours, {"fog": (0.4, 0.4)})
    with pytest.raises(SettingsError, match="got none"):
        mean_corruption_error({})


def test_outputs_that_are_no_numbers_are_an_error() -> None:
    """NaN logits are no wrong answers."""
    images, labels = halves(4)
    with pytest.raises(EvaluationError, match="finite"):
        Corruption(("fog",)).survivors(lambda x: Bright()(x) * torch.nan, images, labels)


def test_a_path_is_read_under_kinds_that_a_setting_names(trained: Context, draw) -> None:
    """Two kinds give another value and fingerprint than all; the same twice; what 8 pixels hide is said."""
    said: list[str] = []

    class Saying(type(trained.progress)):
        def say(self, text: str) -> None:
            said.append(text)

    (candidate,) = as_candidates(draw(trained.space, 1))
    chosen = replace(trained, options={**trained.options, "corruptions": ("defocus_blur", "fog")}, progress=Saying())
    name = "robust:corruption"
    some, every = make_evaluator(name, chosen), make_evaluator(name, trained)
    assert some.fingerprint != every.fingerprint
    some.prepare()
    assert said == ["robust:corruption: Images of this size are left as they are by defocus_blur"]
    (first,), (again,) = some.evaluate([candidate]), some.evaluate([candidate])
    assert first[name].value == again[name].value
    assert 0 <= first[name].value <= 1
