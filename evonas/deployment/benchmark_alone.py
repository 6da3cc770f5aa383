"""Measures the models of this folder on this device; needs onnxruntime and numpy alone.

    python3 benchmark.py

Every execution provider that is installed is measured; benchmark.json, written beside this file, holds what was found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.runtime.timing_alone import (
    PLAIN,
    describe_host,
    drift_words,
    installed_providers,
    open_model,
    random_inputs,
    show_progress,
    time_in_turns,
)


def benchmark_provider(
    files: dict[str, Path], provider: str, threads: int, batch: int, repeats: int, seconds: float
) -> dict[str, Any]:
    """Return times of models by one execution provider, and how far their outputs are from the processor's."""
    sessions, feeds, away = [], [], []
    try:
        for path in files.values():
            session = open_model(path, provider, threads)
            if provider not in session.get_providers():
                return {"failed": "onnxruntime did not load it"}
            texts = session.get_modelmeta().custom_metadata_map
            side = json.loads(texts["preprocess"])["size"][0] if "preprocess" in texts else 224
            feed = random_inputs(session, batch, side)
            first = session.run(None, feed)[0]
            if not np.isfinite(first).all():
                return {"failed": f"outputs of {path.name} are not finite"}
            plain = first if provider == PLAIN else open_model(path, PLAIN, threads).run(None, feed)[0]
            away.append(float(np.abs(first.astype(np.float64) - plain).max()))
            sessions.append(session)
            feeds.append(feed)
        found = time_in_turns(sessions, feeds, repeats=repeats, seconds=seconds, progress=show_progress)
    except Exception as error:  # onnxruntime's own have no common root
        return {"failed": " ".join(str(error).split())[:300] or type(error).__name__}
    models = {
        name: {**times, "bytes": path.stat().st_size, "largest_difference": apart}
        for (name, path), times, apart in zip(files.items(), found.times, away)  # noqa: B905  # Python 3.8
    }
    device = describe_host(provider, threads, batch)
    return {"device": device, "drift": found.drift, "seconds": found.seconds, "models": models}


def main(arguments: Sequence[str] = ()) -> int:
    """Print and write the times of all models here; return the exit code: 1 where no provider could run them."""
    parser = argparse.ArgumentParser(description="Measure the models of this folder on this device.")
    parser.add_argument("--provider", action="append", help="execution provider; all that are installed unless given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1, help="images per call")
    parser.add_argument("--repeats", type=int, default=200, help="timed calls of each model")
    parser.add_argument("--seconds", type=float, default=20.0, help="begin no further turn after that time")
    given = parser.parse_args(arguments)
    folder = Path(__file__).resolve().parent
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.onnx"))}
    if not files:
        print(f"Error: expected model.onnx beside {Path(__file__).name}, found none", file=sys.stderr)
        return 2
    results: dict[str, Any] = {"format": 1, "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "providers": {}}
    for provider in given.provider or installed_providers():
        found = benchmark_provider(files, provider, given.threads, given.batch, given.repeats, given.seconds)
        results["providers"][provider] = found
        show_progress("")
        if "failed" in found:
            print(f"{provider}: failed: {found['failed']}")
            continue
        device, speed = found["device"], drift_words(found["drift"])
        print(f"{provider} on {device['cpu']}, threads {given.threads}, batch {given.batch}; {speed}")
        for name, times in found["models"].items():
            print(
                f"  {name}: median {times['median_ms']:.4g} ms, MAD {times['mad_ms']:.2g} ms over "
                f"{times['repeats']} calls, {times['bytes']:,} bytes"
            )
    draft = folder / "benchmark.json.new"
    draft.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(str(draft), str(folder / "benchmark.json"))
    return 1 if all("failed" in one for one in results["providers"].values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
