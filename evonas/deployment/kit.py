"""Kits: what a device without torch measures, as a folder of ONNX files and a script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.deployment.folder import refuse_content, whole_folder
from evonas.deployment.model import to_json
from evonas.errors import SettingsError
from evonas.files.progress import Progress, Silent
from evonas.files.standalone import standalone
from evonas.files.toml import to_toml
from evonas.objectives.cost.assemble import assemble, heads_of, nothing
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks, draw
from evonas.objectives.latency.measure import CALIBRATION, REPEATS, SECONDS, export_all
from evonas.objectives.latency.measurements import BLOCK, HEAD, NETWORK, NOTHING, digest_of
from evonas.spaces import Skeleton, Space
from evonas.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["MAX_SIZE", "Kit", "make_kit"]

FORMAT = 1
MAX_SIZE = 200.0
"""Megabytes that a kit takes at most unless asked otherwise."""
MEASURE, MEASURE_MODULE, MODELS, WEIGHTS_FILE = (
    "measure.py", "evonas.deployment.measure_alone", "models", "weights.bin",
)  # fmt: skip
ALIGNMENT, INLINE = 64, 256
"""Bytes that weights in the common file begin at multiples of, and below which they stay in the model."""


@dataclass(frozen=True, eq=False)
class Kit:
    """Models that a device is to measure; equal weights, as those of equal blocks, are held once.

    Attributes:
        content: Content of ``kit.json``.
        models: Bytes of each ONNX file by its path in the kit.
        weights: Bytes of the file that these read their weights from.
    """

    content: dict[str, Any]
    models: dict[str, bytes]
    weights: bytes

    @property
    def size(self) -> int:
        """Bytes of all files."""
        text = len(to_json(self.content)) + len(standalone(MEASURE_MODULE))
        return sum(map(len, self.models.values())) + len(self.weights) + text

    def summary(self) -> str:
        """What it holds and takes, in words."""
        names = self.content["models"]
        blocks, networks = (sum(name.startswith(kind) for name in names) for kind in (BLOCK, NETWORK))
        return (
            f"{blocks} blocks and {networks} whole networks of {self.content['space']}: {self.size / 1e6:.1f} MB, "
            f"{len(self.weights) / 1e6:.1f} MB of it weights, each held once"
        )

    def write(self, out: Path) -> None:
        """Write the folder whole.

        Raises:
            ExportError: Something is there, or it cannot be written.
        """
        with whole_folder(out) as draft:
            (draft / MODELS).mkdir()
            for name, model in self.models.items():
                (draft / name).write_bytes(model)
            (draft / MODELS / WEIGHTS_FILE).write_bytes(self.weights)
            (draft / "kit.json").write_text(to_json(self.content), encoding="utf-8")
            (draft / MEASURE).write_text(standalone(MEASURE_MODULE), encoding="utf-8")


def make_kit(
    space: Space,
    skeleton: Skeleton,
    out: Path,
    *,
    networks: int = CALIBRATION,
    threads: int = 1,
    batch: int = 1,
    seconds: float = SECONDS,
    seed: int = 0,
    max_size: float = MAX_SIZE,
    progress: Progress | None = None,
) -> Kit:
    """Write a kit: every distinct block, and whole networks that sums of blocks are fitted to.

    Its size is said before anything is written.

    Args:
        space: The space.
        skeleton: The skeleton.
        out: Folder to make; it may exist if it is empty.
        networks: Whole networks, 20 or more.
        threads: Threads of onnxruntime on the device.
        batch: Images per call.
        seconds: On the device, begin no further round of calls after that time.
        seed: Of the architectures.
        max_size: Megabytes that it may take.
        progress: Shows how far it is, and says the size.

    Raises:
        ExportError: A block cannot be exported, or the folder cannot be written.
        SettingsError: Fewer than 20 networks, or a kit that is larger.
    """
    if networks < 20:
        raise SettingsError(f"Expected --networks of 20 or more to fit a latency table to, got {networks}")
    refuse_content(out)
    shown = progress or Silent()
    graphs = GraphBuilder(space, skeleton)
    architectures = draw(space, networks, [seed, 20])
    drawn = [graphs(architecture) for architecture in architectures]
    blocks = all_blocks(graphs)
    models = export_all(blocks, batch, shown)
    heads = {key: heads_of(models[key], blocks[key]) for key in blocks}
    named: dict[str, ModelProto] = {f"{BLOCK}{key}": models[key] for key in blocks}
    named |= {f"{HEAD}{head}": model for found in heads.values() for head, model in found.items()}
    named[NOTHING] = nothing(batch)
    # One at a time: whole networks hold copies of their blocks' weights.
    whole = ((f"{NETWORK}{i}", assemble(block_graph, models, batch=batch)) for i, block_graph in enumerate(drawn))
    files, weights = _pack([*named.items()], whole)
    identity = {
        "evonas": __version__,
        "space": space.name,
        "space_file": to_toml(space.definition.model_dump(mode="json", exclude_defaults=True)),
        "skeleton": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(skeleton).items()},
        "networks": [str(architecture) for architecture in architectures],
        "blocks": {key: list(found) for key, found in heads.items()},
    }
    identity["digest"] = digest_of(json.loads(json.dumps(identity)))
    content = {
        "format": FORMAT,
        "space": space.name,
        "batch": batch,
        "threads": threads,
        "repeats": REPEATS,
        "seconds": seconds,
        "models": dict(zip([*named, *(f"{NETWORK}{i}" for i in range(len(drawn)))], files, strict=True)),
        "identity": identity,
    }
    kit = Kit(content, files, weights)
    shown.say(f"The kit holds {kit.summary()}")
    if kit.size > max_size * 1e6:
        raise SettingsError(
            f"Expected a kit of at most {max_size:g} MB (--max-size), this one takes {kit.size / 1e6:.1f} MB: allow "
            "more, or choose fewer --networks or a smaller skeleton"
        )
    kit.write(out)
    return kit


def _pack(
    named: Iterable[tuple[str, ModelProto]], whole: Iterable[tuple[str, ModelProto]]
) -> tuple[dict[str, bytes], bytes]:
    """Return models as files by path, and the file of weights that they share."""
    store: dict[str, tuple[int, int]] = {}
    pool = bytearray()
    files: dict[str, bytes] = {}
    for group in (named, whole):
        for _, model in group:
            files[f"{MODELS}/{len(files):04}.onnx"] = _without_weights(model, store, pool)
    return files, bytes(pool)


def _without_weights(model: ModelProto, store: dict[str, tuple[int, int]], pool: bytearray) -> bytes:
    """Return a model whose weights lie in the common file, where equal ones lie once."""
    import onnx

    light = onnx.ModelProto()
    light.CopyFrom(model)
    for tensor in light.graph.initializer:
        raw = onnx.numpy_helper.to_array(tensor).tobytes()
        if len(raw) < INLINE:
            continue
        key = hashlib.sha256(raw).hexdigest()
        if key not in store:
            pool.extend(bytes(-len(pool) % ALIGNMENT))
            store[key] = (len(pool), len(raw))
            pool.extend(raw)
        offset, length = store[key]
        _point(tensor, {"location": WEIGHTS_FILE, "offset": str(offset), "length": str(length)})
    content: bytes = light.SerializeToString()
    return content


def _point(tensor: Any, where: Mapping[str, str]) -> None:
    """Let a tensor of ONNX take its values from a file."""
    import onnx

    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
        tensor.ClearField(field)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in where.items():
        tensor.external_data.add(key=key, value=value)
