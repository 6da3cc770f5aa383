"""Export of a torch module to one self-contained ONNX model."""

from __future__ import annotations

import inspect
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evonas.errors import ExportError, SettingsError, suggest
from evonas.files.whole import usual_mode
from evonas.runtime.checks import check_interface, check_model, set_metadata, strip
from evonas.runtime.faults import explain
from evonas.runtime.modes import device_of, evaluating
from evonas.runtime.quiet import quiet
from evonas.runtime.simplify import simplify

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

Exporter = Literal["dynamo", "quick"]
EXPORTERS: tuple[Exporter, ...] = ("dynamo", "quick")
OPSET = 18
"""Operator set of exports unless asked otherwise; the oldest that torch.export writes."""
OLDEST_OPSET = 11
"""The oldest that the TorchScript exporter is asked for: resizing and padding as they are written today."""


def export(
    module: nn.Module,
    example: Tensor | tuple[Tensor, ...],
    path: str | os.PathLike[str] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] = ("logits",),
    dynamic_batch: bool = True,
    opset: int = OPSET,
    metadata: Mapping[str, str] | None = None,
    exporter: Exporter = "dynamo",
) -> onnx.ModelProto | Path:
    """Export a module, in evaluation mode, to one ONNX model with its weights inside.

    The module is left in the mode it was in. The model holds no paths or stack traces of the machine that
    made it.

    Args:
        module: Any module whose forward takes tensors; it may live on any device.
        example: Input, or tuple of inputs, batch first; only shapes and types matter.
        path: File to write whole; its folder must exist. None returns the model instead.
        input_names: One name per input; ``images`` for one input, ``input_0`` and so on for several, unless
            given.
        output_names: One name per output.
        dynamic_batch: Let the first dimension of every input vary together; else it is the example's.
        opset: ONNX operator set, 11 or more; below 18 the TorchScript exporter writes it, since torch.export has no
            older one and converting versions afterwards fails.
        metadata: Texts kept in the model, read back by onnxruntime as ``custom_metadata_map``.
        exporter: ``"dynamo"``, torch.export's, for models that are kept: the ONNX checker and shape inference must
            pass. ``"quick"``, the TorchScript one, for models that are only measured: tens of times quicker, the
            same operations once onnxruntime has optimized them, not checked; branches are frozen as the example
            takes them. Either graph is simplified (`evonas.runtime.simplify`).

    Returns:
        The model, or the path of the file.

    Raises:
        ExportError: The module could not be exported, the result fails a check, or the file could not be
            written; nothing is left behind.
        SettingsError: The exporter is unknown, or there is not one name per input.
    """
    if exporter not in EXPORTERS:
        raise SettingsError(
            f"Expected an exporter of {', '.join(EXPORTERS)}, got '{exporter}'.{suggest(exporter, EXPORTERS)}"
        )
    inputs = (example,) if not isinstance(example, (tuple, list)) else tuple(example)
    if input_names is None:
        input_names = ("images",) if len(inputs) == 1 else tuple(f"input_{i}" for i in range(len(inputs)))
    if len(input_names) != len(inputs):
        raise SettingsError(
            f"Expected one name per input, got {len(input_names)} names for {len(inputs)} inputs: name each"
        )
    who = type(module).__name__
    if opset < OLDEST_OPSET:
        raise SettingsError(f"Expected an opset of {OLDEST_OPSET} or more, got {opset}")
    translate = _dynamo if exporter == "dynamo" and opset >= OPSET else _quick
    inputs = tuple(tensor.detach().to(device_of(module)) for tensor in inputs)
    try:
        with evaluating(module), quiet():
            model = translate(module, inputs, list(input_names), list(output_names), dynamic_batch, opset)
    except Exception as error:
        raise ExportError(
            f"{who} could not be exported to ONNX by the {exporter} exporter: {explain(module, error)}; "
            f"use operations and shapes that opset {opset} can express"
        ) from error
    strip(model)
    simplify(model)
    _restore_inputs(model, inputs, list(input_names), dynamic_batch)
    set_metadata(model, metadata or {})
    check_interface(
        who,
        model,
        input_names=input_names,
        output_names=output_names,
        dynamic_batch=dynamic_batch,
        opset=opset,
    )
    if exporter == "dynamo":
        check_model(who, model)
    return model if path is None else save(model, path)


def save(model: onnx.ModelProto, path: str | os.PathLike[str]) -> Path:
    """Write a model whole, weights inside: under a temporary name beside the file, then renamed.

    Args:
        model: Model with its weights inside.
        path: File to write or replace; its folder must exist.

    Raises:
        ExportError: The folder is missing, the disk is full, or the model is too large for one file (2 GiB).
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise ExportError(f"Expected an existing folder, got '{target.parent}', which is none: create it first")
    temporary = None
    try:
        content = model.SerializeToString()
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.chmod(usual_mode())  # temporary files are private, models are not
        os.replace(temporary, target)
    except Exception as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        cause = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise ExportError(f"Could not write '{target}': {cause}; nothing was left behind") from error
    return target


def _restore_inputs(
    model: onnx.ModelProto, inputs: Sequence[Tensor], input_names: Sequence[str], dynamic_batch: bool
) -> None:
    """Declare inputs that nothing reads, which exporters drop: a network may be all zeros."""
    import onnx
    from onnx import helper

    held = {value.name: value for value in model.graph.input}
    if len(held) == len(input_names) or not set(held) < set(input_names):
        return
    whole = []
    for name, tensor in zip(input_names, inputs, strict=True):
        kind = helper.np_dtype_to_tensor_dtype(tensor.detach().cpu().numpy().dtype)
        shape = ["batch" if dynamic_batch else len(tensor), *tensor.shape[1:]]
        value = onnx.ValueInfoProto()
        value.CopyFrom(held.get(name) or helper.make_tensor_value_info(name, kind, shape))
        whole.append(value)
    del model.graph.input[:]
    model.graph.input.extend(whole)


def _dynamo(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    input_names: list[str],
    output_names: list[str],
    dynamic_batch: bool,
    opset: int,
) -> onnx.ModelProto:
    import torch

    shapes = None
    if dynamic_batch:
        # torch.export takes a dimension of 1 for a constant.
        inputs = tuple(torch.cat([x, x]) if x.shape[0] == 1 else x for x in inputs)
        batch = {0: torch.export.Dim("batch")}
        bound = inspect.signature(module.forward).bind(*inputs).arguments
        shapes = {
            name: tuple(batch for _ in value) if isinstance(value, tuple) else batch for name, value in bound.items()
        }
    program = torch.onnx.export(
        module,
        inputs,
        None,
        dynamo=True,
        input_names=input_names,
        output_names=output_names,
        dynamic_shapes=shapes,
        opset_version=opset,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    return program.model_proto


def _quick(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    input_names: list[str],
    output_names: list[str],
    dynamic_batch: bool,
    opset: int,
) -> onnx.ModelProto:
    import onnx
    import torch

    buffer: Any = io.BytesIO()  # accepted, though annotated as a path
    with torch.no_grad():
        torch.onnx.export(
            module,
            inputs,
            buffer,
            dynamo=False,
            input_names=input_names,
            output_names=output_names,
            dynamic_axes={name: {0: "batch"} for name in input_names} if dynamic_batch else None,
            opset_version=opset,
            verbose=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())
