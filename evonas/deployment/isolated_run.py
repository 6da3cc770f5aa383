"""Run a model over images with onnxruntime alone; started by path, so that nothing of evonas is imported.

Arguments: model, images (.npy, uint8), the pixel value that means 1.0, where to write the logits (.npy).
Prints JSON: peak memory after loading and after single images, in bytes, and foreign modules that were loaded.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def peak() -> int:
    """Return the largest resident memory of this process so far, in bytes; 0 where it is not known."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    # Not getrusage: that remembers the process which started this one.
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def main(model: str, images_file: str, scale: str, out: str) -> None:
    """Write the logits of all images."""
    before = peak()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    images = np.load(images_file, mmap_mode="r", allow_pickle=False)

    def run(part: np.ndarray) -> np.ndarray:
        given: np.ndarray
        if entry.type == "tensor(uint8)":  # photos, white 255
            given = np.rint(part * (255.0 / float(scale))).astype(np.uint8).transpose(0, 2, 3, 1)
        else:
            given = part.astype(np.float32) / np.float32(scale)
        logits: np.ndarray = session.run(None, {entry.name: given})[0]
        return logits

    for i in range(min(10, len(images))):
        run(images[i : i + 1])
    single = peak()
    size = entry.shape[0] if isinstance(entry.shape[0], int) else 256
    logits = [run(images[i : i + size]) for i in range(0, len(images), size)]
    np.save(out, np.concatenate(logits))
    foreign = sorted({"torch", "onnx", "evonas"} & set(sys.modules))
    print(json.dumps({"before": before, "single": single, "foreign": foreign}))


if __name__ == "__main__":
    main(*sys.argv[1:])
