"""Files in other versions of onnxruntime: the oldest that is promised, and the newest."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from evonas.deployment.compression.qdq import quantize
from evonas.deployment.compression.weights import store_weights
from evonas.networks import build
from evonas.networks.unit_input import UnitInput
from evonas.runtime import export, logits, save
from evonas.spaces import load_space

RUN = """
import sys
import numpy
import onnxruntime
for file in sys.argv[1:]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    given = numpy.load(file + ".npy")
    numpy.save(file + ".out.npy", session.run(None, {session.get_inputs()[0].name: given})[0])
print(onnxruntime.__version__)
"""
CLOSE, CLOSE_INT8 = 1e-3, 0.05
"""Largest difference in standard deviations of the outputs; sums of 8-bit products round differently."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of operator sets 11, 13, 17 and 18, in 8 bits from 13 on, each with what it gives here."""
    folder = tmp_path_factory.mktemp("files")
    images = np.random.default_rng(0).random((32, 3, 8, 8), dtype=np.float32)
    found = {}
    for name in ("mobilenet_v3", "nasbench201"):
        space = load_space(name)
        skeleton = space.skeleton("small").replace(in_channels=3, classes=4, width=0.5, resolution=8)
        form = space.canonical(space.decode(space.sample(1, np.random.default_rng(0))[0]))
        network = build(space, skeleton, form, seed=0).train()
        with torch.no_grad():
            network(torch.from_numpy(images))  # norms whose statistics matter
        module = UnitInput(network, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]).eval()
        for opset in (11, 13, 17, 18):
            model = export(module, torch.from_numpy(images), opset=opset)
            forms = {"float": model}
            if opset >= 13:
                forms["int8"] = store_weights(quantize(model, images), "int8")
            for kind, one in forms.items():
                file = save(one, folder / f"{name}-{opset}-{kind}.onnx")
                np.save(f"{file}.npy", images)
                found[file] = logits(one, images)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "version", "packages"),
    [("python3.11", "1.16.3", ("onnxruntime==1.16.3", "numpy<2")), (sys.executable, "", ("onnxruntime", "numpy"))],
)
def test_files_give_the_same_in_the_oldest_and_the_newest_runtime(files, bare_python, python, version, packages):
    if shutil.which(python) is None:
        pytest.skip(f"{python} is not installed")
    runner = bare_python(*packages, python=python)
    done = subprocess.run([runner, "-c", RUN, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(version)
    for file, here in files.items():
        there = np.load(f"{file}.out.npy")
        most = CLOSE_INT8 if file.stem.endswith("int8") else CLOSE
        assert np.abs(there - here).max() <= most * here.std(), file.name
