"""What smaller forms of a run's trained networks cost and save: one line for each training.

python tests/perf/compress_trained.py RUN [--quantize int8] [--max-drop 1] [--seeds 0,1,2] [--qat 4]

Each network of ``RUN/models`` is exported, its forms are chosen on validation images as `evonas deploy` chooses them,
and float32 and the chosen form are then compared on the test part and timed side by side.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from evonas.config import make_settings
from evonas.data import Dataset, load_data
from evonas.deployment.check import compare
from evonas.deployment.compression.compress import QUANTIZE, Comparison, compress, halves
from evonas.deployment.compression.qat import fine_tune
from evonas.deployment.model import load_model
from evonas.errors import ExportError
from evonas.networks import Network
from evonas.networks.unit_input import UnitInput
from evonas.pipeline.defaults import data_options
from evonas.runs.run import Run
from evonas.runs.training_record import RECORD
from evonas.runtime import describe, device_fingerprint, export, measure_models
from evonas.tasks import make_task


def comparison_of(data: Dataset) -> Comparison:
    """Return what chooses among forms: halves of the validation images."""
    images = torch.cat([data.search.images, data.report.images]).float() / data.scale
    labels = torch.cat([data.search.labels, data.report.labels])
    measured, judged = halves(len(images))
    return Comparison(
        images[measured].numpy(),
        images[judged].numpy(),
        lambda outputs: float((outputs.argmax(1) == labels[judged].numpy()).mean()),
        "accuracy",
        "max",
        lambda before, after: 100 * (before - after),
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--quantize", choices=QUANTIZE, default="int8")
    parser.add_argument("--max-drop", type=float, default=1.0)
    parser.add_argument("--seeds", default="")
    parser.add_argument("--qat", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with Run.open(given.run) as run:
        settings = make_settings(**run.settings)
    data = load_data(  # not by the run's context: its space may have a later form, the networks' own stands beside them
        settings.data or "digits", limit=settings.train_limit, validation=settings.validation, seed=settings.seed,
        options=data_options(settings),
    )  # fmt: skip
    task, comparison = make_task(data), comparison_of(data)
    print(describe(device_fingerprint()))
    print("| member | seed | form | float32 | chosen | points | bytes | chosen | ms | chosen | share of bytes, of ms |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    costs = []
    for record in sorted(given.run.glob(f"models/*/{RECORD}")):
        training = json.loads(record.read_text())
        if training["data"]["fingerprint"] != data.fingerprint:
            raise SystemExit(f"{record}: trained on other data than these")
        if given.seeds and str(training["seed"]) not in given.seeds.split(","):
            continue
        network = load_model(record.parent)
        assert isinstance(network, Network)
        module = UnitInput(network, data.mean, data.std, task.head.readout()).eval()
        side = data.resolution
        model = export(module, torch.zeros(2, data.in_channels, side, side))
        name = record.parent.name.partition("-")[0]
        try:
            tuned = None
            if given.qat:
                copy = UnitInput(fine_tune(network, data, given.qat), data.mean, data.std, task.head.readout()).eval()
                tuned = export(copy, torch.zeros(2, data.in_channels, side, side))
            chosen = compress(model, comparison, given.quantize, max_drop=given.max_drop, tuned=tuned).chosen
        except ExportError as error:
            print(f"| {name} | {training['seed']} | {error} |", flush=True)
            continue
        labels = data.test.labels.numpy()
        before, after = (
            float((compare(module, one, data.test, scale=data.scale).predictions == labels).mean())
            for one in (model, chosen.model)
        )
        single, small = measure_models([model, chosen.model], repeats=300)
        costs.append(100 * (before - after))
        print(
            f"| {name} | {training['seed']} | {chosen.name} | {before:.4f} | {after:.4f} | {costs[-1]:+.2f} | "
            f"{model.ByteSize():,} | {chosen.size:,} | {single.median_ms:.3f} | {small.median_ms:.3f} | "
            f"{chosen.size / model.ByteSize():.2f}, {small.median_ms / single.median_ms:.2f} |",
            flush=True,
        )
    if costs:
        print(
            f"points that it costs: mean {np.mean(costs):+.2f}, {min(costs):+.2f} to {max(costs):+.2f}; "
            f"{sum(cost <= 1 for cost in costs)} of {len(costs)} networks within 1"
        )


if __name__ == "__main__":
    main()
