from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from evonas.errors import ExportError, SettingsError
from evonas.runtime import export, random_feed, session, session_settings
from evonas.runtime.timing_alone import open_model


def test_options_are_those_recorded(kept):
    options = session(kept.path, threads=2).get_session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 2
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session_settings(threads=2) == {
        "providers": ["CPUExecutionProvider"],
        "intra_op_threads": 2,
        "inter_op_threads": 2,
        "execution": "sequential",
        "graph_optimization": "all",
        "spinning": False,
    }


def test_a_device_without_torch_opens_files_with_the_same_options(kept):
    ours = session(kept.path, threads=2).get_session_options()
    alone = open_model(kept.path, threads=2).get_session_options()
    for name in ("intra_op_num_threads", "inter_op_num_threads", "execution_mode", "graph_optimization_level"):
        assert getattr(alone, name) == getattr(ours, name)
    assert alone.log_severity_level == ours.log_severity_level
    for name in ("session.intra_op.allow_spinning", "session.inter_op.allow_spinning"):
        assert alone.get_session_config_entry(name) == ours.get_session_config_entry(name) == "0"


def test_a_path_bytes_and_a_model_are_the_same(kept, images):
    models = (kept.path, str(kept.path), kept.path.read_bytes(), onnx.load(kept.path))
    outputs = [session(model).run(None, {"images": images.numpy()})[0] for model in models]
    for other in outputs[1:]:
        np.testing.assert_array_equal(other, outputs[0])


def test_unreadable_models_are_one_line(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ExportError, match=r"Expected an ONNX file at '.*missing\.onnx', got none"):
        session(tmp_path / "missing.onnx")
    for model in (tmp_path / "text.onnx", b"no model"):
        with pytest.raises(ExportError, match="Expected a model that onnxruntime can run") as caught:
            session(model)
        assert "\n" not in str(caught.value)


def test_settings_that_make_no_sense_are_refused(kept):
    with pytest.raises(SettingsError, match=r"got 'CpuExecutionProvider'\. Did you mean 'CPUExecutionProvider'"):
        session(kept.path, providers=["CpuExecutionProvider"])
    with pytest.raises(SettingsError, match="Expected 1 thread or more, got 0"):
        session(kept.path, threads=0)


def test_random_feed_fits_and_repeats(kept):
    opened = session(kept.path)
    feed = random_feed(opened, batch=3)
    assert {name: (values.shape, values.dtype) for name, values in feed.items()} == {
        "images": ((3, 3, 8, 8), np.float32)
    }
    np.testing.assert_array_equal(random_feed(opened, batch=3)["images"], feed["images"])
    other = random_feed(opened, batch=3, rng=np.random.default_rng(1))
    assert not np.array_equal(other["images"], feed["images"])


def test_random_feed_refuses_another_batch_than_the_fixed_one():
    model = export(nn.ReLU(), torch.zeros(2, 3), dynamic_batch=False, exporter="quick")
    assert random_feed(session(model), batch=2)["images"].shape == (2, 3)
    with pytest.raises(SettingsError, match="a batch of 2, which the model fixes, got 4"):
        random_feed(session(model), batch=4)


def test_a_file_runs_where_torch_is_not_loaded(kept):
    script = (
        "import sys; from evonas.runtime import accuracy, device_fingerprint, measure_models, random_feed, session\n"
        "opened = session(sys.argv[1]); feed = random_feed(opened, batch=2)\n"
        "assert opened.run(None, feed)[0].shape == (2, 5)\n"
        "assert accuracy(opened, feed['images'].astype('uint8'), [0, 0]) in (0.0, 0.5, 1.0)\n"
        "measure_models([sys.argv[1]], repeats=1, warmup=0); device_fingerprint()\n"
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script, str(kept.path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
