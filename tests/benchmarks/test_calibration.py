"""Questions about calibration: answers that are known of made outputs, and the command on two tiny networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.benchmarks.calibration import bench_calibration
from evonas.benchmarks.calibration_networks import ReadNetwork
from evonas.benchmarks.calibration_study import QUESTIONS, StudiedData, calibration_measures, calibration_study
from evonas.config import make_settings
from evonas.spaces.named_genes import NamedGenes
from evonas.training import TrainingRecipe


def made(name: str, sharpness: np.ndarray, seed: int) -> StudiedData:
    """Networks of one accuracy whose logits are too large by a factor each: the larger, the worse calibrated."""
    rng = np.random.default_rng(seed)
    networks = []
    for factor in sharpness:
        outputs, labels = [], []
        for _ in range(2):
            logits = 1.5 * rng.standard_normal((400, 4))
            chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            labels.append((chances.cumsum(1) > rng.random((400, 1))).argmax(1))
            outputs.append(factor * logits)
        robust = {"corruption": 1 / factor}
        networks.append(ReadNetwork("a", outputs[0], labels[0], outputs[1], labels[1], robust, None))  # type: ignore[arg-type]
    return StudiedData(name, networks)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Answers on two data sets with the same over-confident networks, whose one choice is how much so."""
    sharpness = np.linspace(1.1, 3, 24)
    genomes = np.arange(24)[:, None] // 6
    genes = NamedGenes(["factor"], [("a", "b", "c", "d")], genomes)
    sets = [made("one", sharpness, 0), made("two", sharpness, 1)]
    assert np.allclose(sets[0].temperatures, sharpness, rtol=0.4)
    return calibration_study(sets, genes, {"flops": sharpness})


def answer(rows: list[dict[str, Any]], question: str, what: str, data: str = "one") -> float:
    """The one figure."""
    (found,) = (r["value"] for r in rows if (r["question"], r["what"], r["data"]) == (question, what, data))
    return float(found)


def test_known_answers(rows: list[dict[str, Any]]) -> None:
    """What is too sharp on one data set is on the other; scaling mends it; the choice that decides shows."""
    assert {row["question"] for row in rows} == set(QUESTIONS)
    assert answer(rows, "transfer", "ece", "one, two") > 0.5
    assert answer(rows, "robustness", "ece and corruption") > 0.7
    assert answer(rows, "measures", "ece and ks") > 0.9
    assert answer(rows, "temperature", "networks whose nll falls") == 1
    assert answer(rows, "temperature", "median ece after") < answer(rows, "temperature", "median ece before") / 2
    assert answer(rows, "bins", "5 and 15 bins before") > 0.9
    assert answer(rows, "bins", "median ece of 500 bins after") > answer(rows, "bins", "median ece of 5 bins after")
    assert answer(rows, "designs", "ece and few flops") > 0.7
    assert answer(rows, "designs", "spread of ece that choices predict") > 0.5
    assert answer(rows, "designs", "factor: least with a, most with d") == 1


def test_measures_of_a_perfect_classifier_are_zero() -> None:
    """All ten are none where the right class has all the probability."""
    labels = np.arange(12) % 3
    found = calibration_measures(np.eye(3)[labels], labels)
    assert len(found) == 10
    assert all(value == pytest.approx(0, abs=1e-3) for value in found.values())


@pytest.mark.slow
def test_networks_are_trained_once(tmp_path: Path) -> None:
    """A second call reads what the first trained and gives the same answers; ensembles stand beside their members."""
    settings = [make_settings(data="digits", space="nasbench201", train_limit=300)]
    recipe = TrainingRecipe(name="short", epochs=1, batch_size=64, lr=0.05, all_data=False)
    said = {"architectures": 3, "attacks": ["fgsm@2/255"], "ensembles": [2]}
    results = bench_calibration(settings, recipe, tmp_path, **said)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(files) == 6
    assert bench_calibration(settings, recipe, tmp_path, **said) == results
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    (ensemble,) = results["ensembles"]
    assert ensemble["members"] == 2
    assert 0 <= ensemble["fgsm@2/255"] <= ensemble["accuracy"] + 0.1
    assert results["networks"] == 3
