"""Deploy and predict: train a member of a front, write it as ONNX, classify images with onnxruntime alone."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import evonas

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
run = evonas.search(
    objectives=("acc", "flops"), space="nasbench201", estimator="supernet:loss",
    epochs=2, population=6, generations=2, warm_start=12, train_limit=400, out=folder / "run",
)  # fmt: skip
(trained,) = evonas.train(run, "best:acc")  # the recipe "quick": 30 epochs, from inherited weights
print(f"test accuracy {trained.accuracy:.4f} on {trained.test_images} images")
deployment = evonas.deploy(run, "best:acc", folder / "model")
figures = deployment.figures
print(f"{deployment.model}: {figures.latency.median_ms:.3g} ms, accuracy {figures.accuracy:.4f}")
network = evonas.load_model(folder / "model", unit_input=True)  # the torch module again, to go on with

# These lines need neither evonas nor torch.
session = onnxruntime.InferenceSession(folder / "model" / "model.onnx", providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
shape = [1 if isinstance(size, str) else size for size in session.get_inputs()[0].shape]
images = np.random.default_rng(0).random(shape, dtype=np.float32)  # yours: values in [0, 1]
logits = session.run(["logits"], {"images": images})[0]
print("class of an image of noise:", classes[int(logits[0].argmax())])

with torch.no_grad():  # the same module in torch
    print(f"largest difference from torch: {abs(network(torch.from_numpy(images)).numpy() - logits).max():.1e}")
