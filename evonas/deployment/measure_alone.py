"""Measures the models of a kit on this device; needs onnxruntime and numpy alone.

    python3 measure.py

It takes a minute or two for each execution provider that is installed. Run nothing else meanwhile. What it writes,
results.json, goes back to where the kit came from:  evonas latency build --measurements results.json --out TABLE.json
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

from evonas.runtime.timing_alone import (
    describe_host,
    drift_words,
    installed_providers,
    open_model,
    random_inputs,
    show_progress,
    time_in_turns,
)

RESULTS_FORMAT = 1


def measure_provider(folder: Path, kit: dict[str, Any], provider: str) -> dict[str, Any]:
    """Return the times of all models of a kit by one execution provider, or why it failed."""
    sessions, feeds, names = [], [], list(kit["models"])
    try:
        for number, name in enumerate(names):
            show_progress(f"opening model {number + 1} of {len(names)}")
            sessions.append(open_model(folder / kit["models"][name], provider, kit["threads"]))
            feeds.append(random_inputs(sessions[-1], kit["batch"]))
        if provider not in sessions[0].get_providers():
            return {"failed": "onnxruntime did not load it"}
        found = time_in_turns(sessions, feeds, repeats=kit["repeats"], seconds=kit["seconds"], progress=show_progress)
    except Exception as error:  # onnxruntime's own have no common root
        return {"failed": " ".join(str(error).split())[:300] or type(error).__name__}
    return {
        "device": describe_host(provider, kit["threads"], kit["batch"]),
        "drift": found.drift,
        "seconds": found.seconds,
        "times": dict(zip(names, found.times)),  # noqa: B905  # Python 3.8
    }


def main(arguments: Sequence[str] = ()) -> int:
    """Measure with all providers; return the exit code: 1 where the processor's failed."""
    parser = argparse.ArgumentParser(description="Measure the models of this kit on this device.")
    parser.add_argument("--provider", action="append", help="execution provider; all that are installed unless given")
    parser.add_argument("--seconds", type=float, help="begin no further turn after that time, by provider")
    given = parser.parse_args(arguments)
    folder = Path(__file__).resolve().parent
    kit = json.loads((folder / "kit.json").read_text(encoding="utf-8"))
    if given.seconds is not None:
        kit["seconds"] = given.seconds
    providers = given.provider or installed_providers()
    results: dict[str, Any] = {"format": RESULTS_FORMAT, "kit": kit["identity"], "providers": {}}
    print(f"Measuring {len(kit['models'])} models of {kit['space']} by {', '.join(providers)}")
    for provider in providers:
        found = results["providers"][provider] = measure_provider(folder, kit, provider)
        show_progress("")
        if "failed" in found:
            print(f"{provider}: failed: {found['failed']}")
        else:
            whole = sorted(times["median_ms"] for name, times in found["times"].items() if name.startswith("network "))
            print(
                f"{provider}: whole networks take {whole[len(whole) // 2]:.3g} ms, {whole[0]:.3g} to {whole[-1]:.3g} "
                f"ms, in {found['seconds']:.0f} s; {drift_words(found['drift'])}"
            )
        results["finished"] = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        draft = folder / "results.json.new"
        draft.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(str(draft), str(folder / "results.json"))
    print(f"Wrote {folder / 'results.json'}")
    return 1 if "failed" in results["providers"][providers[0]] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
