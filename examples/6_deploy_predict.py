"""Deploy and predict: train a member of a front, write it as ONNX, classify images with onnxruntime alone."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

import evonas
from evonas.deployment import summary, train_members
from evonas.deployment.deploy import deploy

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
run = evonas.search(
    objectives=("acc", "flops"), space="nasbench201", estimator="supernet:loss",
    epochs=2, population=6, generations=2, warm_start=12, train_limit=400, out=folder / "run",
)  # fmt: skip
train_members(run.path, "best:acc")  # the recipe "quick": 30 epochs, from inherited weights
deployment = deploy(run.path, "best:acc", folder / "model")
print(*summary(deployment), sep="\n")

# From here on evonas and torch are not needed.
session = onnxruntime.InferenceSession(folder / "model" / "model.onnx", providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
shape = [1 if isinstance(size, str) else size for size in session.get_inputs()[0].shape]
images = np.random.default_rng(0).random(shape, dtype=np.float32)  # yours: values in [0, 1]
logits = session.run(["logits"], {"images": images})[0]
print("class of an image of noise:", classes[int(logits[0].argmax())])
