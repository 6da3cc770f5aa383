"""The model card: what a deployed model is, how it came about, its figures and what measured them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evonas.deployment.card_code import photo_code, preprocessing_words
from evonas.deployment.trust.words import trust_markdown
from evonas.tasks import ClassReport


def render(card: dict[str, Any]) -> str:
    """Return a card as Markdown.

    Args:
        card: Content of ``card.json``.
    """
    model, data, architecture = card["model"], card["data"], card["architecture"]
    settings = card["preprocessing"]
    channels, (height, width) = settings["channels"], settings["size"]
    output = model["output"]["name"]
    kind, one = ("classes", "one logit per class") if output == "logits" else ("targets", "one value per target")
    head = "target" if kind == "targets" and len(data["classes"]) == 1 else kind
    lines = [
        f"# {model['task'].capitalize()}: {data['name']}, {len(data['classes'])} {head}",
        "",
        f"`model.onnx` ({model['precision']}, opset {model['opset']}, {model['batch']} batch) reads images of "
        f"{channels} x {height} x {width} (channels, height, width) and gives {one}. It was found by "
        f"evonas in the search space `{architecture['space']}`.",
        "",
        "## Run it",
        "",
        "In this folder, with `pip install onnxruntime numpy pillow`:",
        "",
        "```python",
        photo_code(settings, output).rstrip(),
        "```",
        "",
        f"Input `images`: {settings['type']}, {_layout(settings)}. Output `{output}`: float32, (batch, {kind})"
        f"{'' if output == 'logits' else ', in the units of the targets'}. "
        f"{kind.capitalize()}, in order, stand in the file's metadata.",
        "",
        "`python predict.py photo.jpg folder/` does the same for many photos, files of more than 8 bits among them "
        "(`--top`, `--csv`), as `evonas predict` does. `python benchmark.py` measures the model on another device.",
        "",
        "## What a photo becomes",
        "",
        *preprocessing_words(settings),
        "",
        "The same as data stands in `preprocess.json` and in the file's metadata.",
        "",
        "## Figures",
        "",
        "| figure | value | measured by |",
        "|---|---:|---|",
        *(f"| {f['name']} | {_value(f)} | {f['by']} |" for f in card["figures"]),
        "",
        *_ensemble(card),
        *(trust_markdown(card["trust"]) if "trust" in card else ()),
        *_classes(card),
        *_variants(card),
        *_target(card),
        "## Where the weights come from",
        "",
        card["weights"]["words"],
        "",
        "## Data",
        "",
        f"`{data['name']}`: {data['images']['training']:,} training images ({data['images']['validation']:,} of them "
        f"the search's validation part) and {data['images']['test']:,} test images, {channels} x {height} x {width} "
        f"as the network reads them. Fingerprint `{data['fingerprint'][:16]}`.",
        f"{kind.capitalize()}: {_some(data['classes'])}.",
        "",
        "## Architecture",
        "",
        "```",
        architecture["text"],
        "```",
        "",
        "`weights.safetensors` is the plain torch state dict; `evonas.deployment.load_model` rebuilds the network from "
        "it, `network.toml` and `space.toml`.",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        "Made with " + ", ".join(f"{name} {version}" for name, version in card["versions"].items()) + ".",
        "",
    ]
    return "\n".join(lines)


def _ensemble(card: dict[str, Any]) -> list[str]:
    """Return the section on an ensemble's members and what it is compared with, nothing of a single network."""
    if "ensemble" not in card:
        return []
    ensemble = card["ensemble"]
    members = [
        (m["name"], *(f"{m['costs'][name]:,.4g}" for name in ensemble["costs"]), f"{m['nll']:.4f}")
        for m in ensemble["members"]
    ]
    rows = [
        (row["name"], f"{row['cost']:,.4g}", *(_figure(row[key]) for key in ensemble["measures"]))
        for row in ensemble["compared"]
    ]
    return [
        "## Members",
        "",
        f"{ensemble['words']}",
        "",
        *_table(("member", *ensemble["costs"], "nll where chosen"), members),
        "",
        f"On {ensemble['judged_on']}:",
        "",
        *_table(("", ensemble["costs"][0], *ensemble["measures"]), rows),
        "",
    ]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _classes(card: dict[str, Any]) -> list[str]:
    """Return the section on each class, nothing of another task."""
    if "classes" not in card:
        return []
    report = ClassReport.from_content(card["classes"])
    lines = [
        "## Class by class",
        "",
        f"Of `model.onnx` on the test images, beside an answer that is always `{report.constant}`.",
        "",
        *_table(("measure", "model", "constant answer"), report.measure_rows()),
        "",
        *_table(("class", "recall", "precision", "images"), report.class_rows()),
        "",
    ]
    if len(report.classes) > len(report.class_rows()):
        lines += [f"These are the {len(report.class_rows())} classes of least recall; card.json has all.", ""]
    if rows := report.confusion_rows():
        lines += ["Rows are true classes, columns are answers:", "", *_table(("", *report.classes), rows), ""]
    return lines


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table whose first column is text."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (heading, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|---|{'---:|' * (len(heading) - 1)}", *lines[1:]]


def _value(figure: dict[str, Any]) -> str:
    value = figure["value"]
    if figure["unit"] == "fraction of images":
        return f"{100 * value:.2f} %"
    text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return f"{text} {figure['unit']}".strip()


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:20])
    return shown + (f" and {len(names) - 20} more (all in card.json)" if len(names) > 20 else "")


def _variants(card: dict[str, Any]) -> list[str]:
    """Return the table of all forms that were tried, as lines; none where float32 alone was asked for."""
    tried = card["variants"]
    if tried is None:
        return []
    return [
        "## Forms that were tried",
        "",
        f"Ranges were measured on {tried['calibrated_on']} validation images, all else on {tried['judged_on']} others; "
        "variants of one structure share a latency. Distance: root mean square difference of the outputs from "
        f"float32's, in standard deviations of these. Chosen: {tried['chosen']}.",
        "",
        f"| form | {tried['measure']} | distance | bytes | ms | written |",
        "|---|---:|---:|---:|---:|---|",
        *(
            f"| {row['name']} | {row['score']:.4f} | {row['distance']:.2g} | {row['size']:,} | "
            f"{row['latency_ms']:.3g} | {'yes' if row['kept'] else ''} |"
            for row in tried["rows"]
        ),
        "",
        *(f"{note}.\n" for note in tried["notes"]),
    ]


def _layout(settings: dict[str, Any]) -> str:
    """Return axes and range of the input."""
    if settings["inside"]:
        return "(batch, height, width, channels), any height and width"
    return "(batch, channels, height, width), values in [0, 1]; normalization happens inside"


def _target(card: dict[str, Any]) -> list[str]:
    """Return what the card says of the target, as lines."""
    target = card["target"]
    return [
        f"## Target: {target['name']}",
        "",
        f"{target['batch'].capitalize()} batch. Operations: {', '.join(target['operators'])}.",
        "",
        *(f"- {line}" for line in target["checks"]),
        "",
    ]
