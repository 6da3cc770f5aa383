from __future__ import annotations

import json
import os

from evonas.report import gather, make_page
from evonas.report.trainings import read_trainings, training_curves, trainings_section
from evonas.runs.run import Run

HISTORY = [{"epoch": e, "loss": 2.0 / e, "metric": 0.1 * e, "lr": 0.05, "seconds": 1.0} for e in (1, 2, 3)]
FIGURES = [
    {"name": "test accuracy of model.onnx", "value": 0.8125, "unit": "", "by": ""},
    {"name": "latency, median", "value": 0.25, "unit": "ms", "by": ""},
    {"name": "size", "value": 2_500_000, "unit": "bytes", "by": ""},
]


def trained(path):
    with Run.open(path) as run:
        contents = gather(run)
    member = contents.front[0]
    for i, (name, files) in enumerate(
        {
            "a-quick": {"training.json": {"architecture": member.architecture, "history": HISTORY,
                                          "accuracy": {"value": 0.82, "objective": "acc"}},
                        "card.json": {"architecture": {"text": member.architecture}, "figures": FIGURES}},
            "b-stranger": {"training.json": {"architecture": "another", "history": [{"loss": float("nan")}]}},
            "c-damaged": {"training.json": None},
        }.items()
    ):  # fmt: skip
        folder = path / "models" / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_text("{" if content is None else json.dumps(content))
            os.utime(folder / file, (100 + i, 100 + i))
    return contents, member


def test_figures_stand_beside_the_estimate(make_run):
    contents, member = trained(make_run())
    trainings = read_trainings(contents)
    assert [one.folder for one in trainings] == ["b-stranger", "a-quick"]
    html = trainings_section(contents, trainings)
    row = html[html.index("a-quick") :]
    for part in (f"{member.values['acc']:.4g}", "82.00", "81.25", "0.25", "2.5"):
        assert f"<td>{part}</td>" in row
    assert "<td>0, id " in row
    assert trainings_section(contents, []) == ""


def test_curves_hold_what_is_finite(make_run):
    contents, _ = trained(make_run())
    (curve,) = training_curves(read_trainings(contents))
    assert curve["name"] == "a-quick"
    assert curve["epochs"] == [1, 2, 3]
    assert curve["loss"]["values"] == [2.0, 1.0, 2.0 / 3]
    assert (curve["objective"], curve["scale"], curve["axis"]) == ("acc", 100, "accuracy (%)")
    assert curve["metric"]["words"] == "accuracy in training"
    assert "held_out" not in curve
    html = make_page(contents)
    assert "id='training0'" in html
    assert "30.00" in html  # the metric of the last epoch, in percent
