"""What a search problem makes of settings, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.pipeline.problem import SearchProblem


def test_a_rule_of_a_file_holds_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (file := tmp_path / "mine.toml").write_text('rule = "disturbance-immune"\n[options]\nrank = 3\n')
    settings = SearchProblem(make_settings(sharing="mine.toml")).settings
    assert settings.sharing == "disturbance-immune(rank=3)"
    file.unlink()
    assert SearchProblem(make_settings(**settings.content())).settings.sharing == settings.sharing


def test_a_skeleton_without_a_classifier_has_no_accuracy():
    with pytest.raises(SettingsError, match="The skeleton 'proxy' has no classifier: acc means nothing"):
        SearchProblem(make_settings(space="nasbench201", skeleton="proxy", train_limit=100))
    SearchProblem(make_settings(space="nasbench201", skeleton="proxy", objectives="swap,flops", train_limit=100))
