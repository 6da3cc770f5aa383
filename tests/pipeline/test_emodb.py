"""Speech as pictures: spectrograms that are no squares, unequal emotions, speakers that stand in one part alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas.config import make_settings
from evonas.data.source_readers import find_source
from evonas.pipeline.defaults import data_options
from evonas.pipeline.problem import SearchProblem

BANDS, FRAMES, RATE = 64, 96, 16_000
LOW, HIGH = 60.0, 8_000.0
"""Frequencies of the lowest and the highest band."""
DECIBELS = 80.0
"""Below the loudest cell that is black."""


def spectrogram(audio: np.ndarray) -> np.ndarray:
    """Return the mel spectrogram of a sound of any length, uint8, shape (BANDS, FRAMES), low frequencies below."""
    signal = pytest.importorskip("scipy.signal")
    hop = max(1, len(audio) // FRAMES)
    frequencies, _, power = signal.spectrogram(audio, RATE, nperseg=512, noverlap=512 - min(hop, 512), mode="psd")
    mel = np.linspace(*(2595 * np.log10(1 + np.array([LOW, HIGH]) / 700)), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    rise = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.maximum(0, np.minimum(rise, fall)) @ power
    columns = np.linspace(0, bands.shape[1] - 1, FRAMES).round().astype(int)
    loud = 10 * np.log10(np.maximum(bands[:, columns], 1e-12))
    share = np.clip((loud - loud.max()) / DECIBELS + 1, 0, 1)
    return np.rint(255 * share[::-1]).astype(np.uint8)


def write_emodb(truth: Path, folder: Path) -> Path:
    """Write the Berlin Database of Emotional Speech as a folder of PNG files, and its speakers beside it."""
    soundfile, parquet = pytest.importorskip("soundfile"), pytest.importorskip("pyarrow.parquet")
    file = truth / "emodb" / "train.parquet"
    if not file.is_file():
        pytest.skip(f"no {file}")
    rows = [("file", "speaker")]
    for number, one in enumerate(parquet.read_table(file).to_pylist()):
        audio, rate = soundfile.read(io.BytesIO(one["audio"]["bytes"]))
        assert rate == RATE
        picture = folder / "emodb" / one["emotion"] / f"{number:03}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(spectrogram(audio)).save(picture)
        rows.append((f"{one['emotion']}/{picture.name}", one["speaker"]))
    with (folder / "speakers.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder / "emodb"


@pytest.mark.slow
def test_speakers_stand_in_one_part_and_whole_spectrograms_are_read(truth, tmp_path):
    folder = write_emodb(truth, tmp_path)
    settings = make_settings(
        data=str(folder), space="nasbench201", group="speaker", fit="stretch", metric="balanced_accuracy",
        class_weights="balanced",
    )  # fmt: skip
    problem = SearchProblem(settings)
    data = problem.data
    assert (len(data.classes), data.resolution, data.in_channels) == (7, FRAMES, 1)
    assert sum(map(sum, data.inventory.counts.values())) == 535
    assert problem.settings.objectives == ("balanced_accuracy", "flops")
    assert any("--flip" in note for note in data.notes)
    source = find_source(str(folder), data_options(settings))
    everything = source.train.read(np.arange(len(source.train)), 1, FRAMES).numpy()
    speaker = {pixels.tobytes(): name for pixels, name in zip(everything, source.train.groups, strict=True)}
    parts = [
        {speaker[one.numpy().tobytes()] for one in data.part(name).images}
        for name in ("train", "search", "report", "test")
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 10
    weights = np.array(problem.task.weights)
    counts = np.bincount(data.train.labels, minlength=7)
    assert weights == pytest.approx(len(data.train) / (7 * counts))
