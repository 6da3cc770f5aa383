"""Content of a model card: figures, origins and limits of a deployed member."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from evonas.deployment.check import Figures
from evonas.deployment.deployment import MODEL, Deployment
from evonas.networks import Network
from evonas.objectives import Context, make_evaluator
from evonas.objectives.accuracy.estimators import anchors_that_taught, describe_estimator
from evonas.pareto.front import Member
from evonas.runs.run import Run
from evonas.runs.selection import Selection
from evonas.spaces import Candidate
from evonas.tasks import make_task
from evonas.version import __version__

FORMAT = 1
SHARE = "fraction of images"
"""Unit of accuracies: 0 to 1 in ``card.json``, percent in the card."""
_VERSIONS = ("torch", "onnx", "onnxruntime")


def card_content(
    deployment: Deployment, *, run: Run, choice: Selection, network: Network, context: Context
) -> dict[str, Any]:
    """Return the content of ``card.json``.

    Args:
        deployment: What was deployed.
        run: Where it was found.
        choice: Which member.
        network: The torch network.
        context: Data and what costs are counted with.
    """
    data = context.data
    assert data is not None
    skeleton, task = network.skeleton, make_task(data)
    side = [data.in_channels, *skeleton.sides]
    output = "logits" if deployment.classifies else "values"
    batch = "batch" if deployment.dynamic_batch else 1
    settings = deployment.preprocessing
    shape = [batch, "height", "width", data.in_channels] if settings["inside"] else [batch, *side]
    return {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(),
        "model": {
            "file": MODEL,
            "task": task.title,
            "precision": deployment.precision,
            "opset": deployment.opset,
            "threads": deployment.figures.threads,
            "batch": "dynamic" if deployment.dynamic_batch else "fixed",
            "input": {"name": "images", "type": settings["type"], "shape": shape, "range": settings["range"]},
            "output": {"name": output, "type": "float32", "shape": [batch, task.deployed().head.outputs]},
            "normalization": {"inside": True, "mean": list(data.mean), "std": list(data.std)},
        },
        "preprocessing": settings,
        "architecture": {
            "space": network.space.name,
            "text": deployment.architecture,
            "skeleton": asdict(skeleton),
        },
        "weights": _weights(deployment),
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "classes": list(data.classes),
            "scale": data.scale,
            "resolution": data.resolution,
            "images": {
                "training": len(data.train) + len(data.search) + len(data.report),
                "validation": len(data.search) + len(data.report),
                "test": len(data.test),
            },
        },
        "figures": [*_cost(choice, context), *_figures(deployment), *_estimates(choice, deployment, run)],
        **({} if deployment.classes is None else {"classes": deployment.classes}),
        **({"trust": deployment.trust} if deployment.trust else {}),
        "variants": _variants(deployment),
        "target": deployment.target,
        "check": deployment.check,
        "search": {"run": run.path.name, "selection": deployment.selection, "settings": run.settings},
        "limits": _limits(deployment),
        "versions": {"evonas": __version__, **{name: version(name) for name in _VERSIONS}},
    }


def _weights(deployment: Deployment) -> dict[str, Any]:
    trained = deployment.trained
    if trained is None:
        words = f"Weights {deployment.weights}: training this architecture to the end gives better ones."
        return {"origin": "inherited", "words": words}
    record = trained.record
    on = "all training images, the validation part among them" if record["trained_on"] == "all" else "the training part"
    words = (
        f"Trained by the recipe `{record['recipe']['name']}` from {record['weights']} weights, seed {record['seed']}: "
        f"{record['recipe']['epochs']} epochs on {record['images']:,} images ({on}), {record['seconds']:.0f} s."
    )
    return {"origin": "trained", "words": words, "training": record}


def _cost(choice: Selection, context: Context) -> list[dict[str, Any]]:
    (cost,) = make_evaluator("flops", context).evaluate([Candidate(choice.architecture)])
    by = {
        "flops": ("FLOPs", "fvcore's rule on the torch network; a multiply-add is 1, norms and pooling are free"),
        "params": ("parameters", "the torch network, without what the graph never uses"),
    }
    return [
        {"name": name, "value": round(value), "unit": "", "by": what}
        for key, (name, what) in by.items()
        if (value := cost[key].value) is not None
    ]


def _figures(deployment: Deployment) -> list[dict[str, Any]]:
    figures, before = deployment.figures, deployment.float_figures
    images = f"{figures.images:,} test images"
    unit = SHARE if deployment.classifies else ""
    against = f"against torch in float64, {images}"
    rows: list[tuple[str, Any, str, str]] = [
        (f"test {deployment.measure} of model.onnx", figures.accuracy, unit, f"onnxruntime, {images}"),
        (f"test {deployment.measure} in torch", figures.torch_accuracy, unit, f"torch, float32, {images}"),
        (f"largest error of {deployment.output} in onnxruntime", figures.error, "", against),
        (f"largest error of {deployment.output} in torch, float32", figures.torch_error, "", against),
    ]
    if deployment.classifies:
        rows.append(("same class as torch", figures.agreement, SHARE, f"onnxruntime {against}"))
        rows.append(("ties among the others", figures.ties, "images", f"margin within both errors, {images}"))
    if before is not None:
        name = deployment.precision
        calibrated = f"onnxruntime, {images}; calibrated on {deployment.calibration} validation images"
        rows += [
            (f"test {deployment.measure} before {name}", before.accuracy, unit, f"onnxruntime, {images}"),
            (f"points of accuracy that {name} costs", deployment.drop, "points", calibrated)
            if deployment.classifies
            else (f"{deployment.measure} that {name} costs, of that before", deployment.drop, "%", calibrated),
        ]
    rows += _timed("", figures, deployment.measured_on)
    if before is not None:
        rows += _timed(f" before {deployment.precision}", before, deployment.measured_on)
    for file, other in deployment.others.items():
        rows.append((f"test {deployment.measure} of {file}", other.accuracy, unit, f"onnxruntime, {images}"))
        rows += _timed(f" of {file}", other, deployment.measured_on)
    if figures.peak_memory:
        alone = "a fresh process with onnxruntime alone, batch 1, 1 thread"
        rows += [
            ("peak memory", figures.peak_memory, "bytes", alone),
            ("peak memory above that of the libraries", figures.own_memory, "bytes", alone),
        ]
    return [dict(zip(("name", "value", "unit", "by"), row, strict=True)) for row in rows]


def _timed(suffix: str, figures: Figures, where: str) -> list[tuple[str, Any, str, str]]:
    latency = figures.latency
    return [
        (f"latency{suffix}, median", latency.median_ms, "ms", f"{latency.repeats} calls on {where}"),
        (f"latency{suffix}, MAD", latency.mad_ms, "ms", f"{latency.repeats} calls on {where}"),
        (f"size{suffix}", figures.size, "bytes", "the ONNX file, weights inside"),
    ]


def _estimates(choice: Selection, deployment: Deployment, run: Run) -> list[dict[str, Any]]:
    """Return what the search estimated of the member, apart from what was measured now."""
    rows: list[dict[str, Any]] = []
    unit = SHARE if deployment.classifies else ""
    if choice.member is None:
        return rows
    rows += _searched(choice.member, run)
    if not deployment.classifies:
        name, known = deployment.measure, {**choice.member.known, **choice.member.values}
        by = "the supernet's weights, on the part of the validation images that the search did not select on"
        rows += [
            {"name": key, "value": known[key], "unit": "", "by": by} for key in (f"{name}_report",) if key in known
        ]
    if "acc_report" in choice.member.known:
        by = "the supernet's weights, on the part of the validation images that the search did not select on"
        rows.append({"name": "acc_report", "value": choice.member.known["acc_report"], "unit": SHARE, "by": by})
    if deployment.trained is not None:
        by = deployment.trained.record["accuracy"]["by"]
        name = f"test {deployment.measure} when trained"
        rows.append({"name": name, "value": deployment.trained.accuracy, "unit": unit, "by": by})
    return rows


def _searched(member: Member, run: Run) -> list[dict[str, Any]]:
    """Return what the search went by, the interval of an accuracy, and how well it and each signal order anchors."""
    if "acc" not in member.values or run.settings.get("table"):
        return []
    held = {o["name"]: o["unit"] for o in run.manifest.get("objectives", ())}
    by = describe_estimator(
        str(run.settings.get("estimator", "supernet")), anchors_that_taught(run.settings, run.manifest)
    )
    unit = held.get("acc", "")
    rows = [{"name": "acc in the search" if unit else "score in the search", "value": member.values["acc"]}]
    if unit:
        rows += [
            {"name": f"{end} end of its 95 % interval", "value": member.known[name]}
            for end, name in (("lower", "acc_low"), ("upper", "acc_high"))
            if name in member.known
        ]
    found = [row | {"unit": unit, "by": by} for row in rows]
    for name, one in (run.manifest.get("acc_trust") or {}).get("agreement", {}).items():
        if one["tau"] is not None:
            where = f"{one['n']} trained anchors, 95 % interval {one['low']:.2f} to {one['high']:.2f}"
            found.append({"name": f"Kendall's tau of {name}", "value": one["tau"], "unit": "", "by": where})
    return found


def _limits(deployment: Deployment) -> list[str]:
    limits = [
        f"The test {deployment.measure} holds for images like the test part's; it says nothing of others.",
        "Latency and memory hold for the device named; measure them again on yours.",
    ]
    if deployment.skipped:
        limits.append(f"{deployment.skipped}.")
    if deployment.trained is None:
        limits.append("The weights were shared by all architectures in the search, not trained for this one.")
    if deployment.precision == "int8":
        limits.append(
            "Processors without 8-bit dot products may saturate sums of int8 products: check "
            f"{deployment.measure} on yours."
        )
    return limits


def _variants(deployment: Deployment) -> dict[str, Any] | None:
    """Return all forms that were tried; None where float32 alone was asked for."""
    tried = deployment.compression
    if tried is None:
        return None
    return {
        "measure": deployment.measure,
        "calibrated_on": tried.calibration,
        "judged_on": tried.compared,
        "chosen": tried.chosen.name,
        "rows": [variant.row() for variant in tried.variants],
        "notes": list(tried.notes),
    }
