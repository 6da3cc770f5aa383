from __future__ import annotations

import json

import onnxruntime

from evonas.files.processor import processor
from evonas.runtime import describe, device_fingerprint, differences


def test_fingerprint_is_plain_data_and_repeats():
    found = device_fingerprint(threads=2, batch=4)
    assert json.loads(json.dumps(found)) == found == device_fingerprint(threads=2, batch=4)
    assert list(found) == [
        "cpu",
        "cores",
        "system",
        "architecture",
        "onnxruntime",
        "provider",
        "threads",
        "batch",
    ]
    assert found["cpu"]
    assert found["cores"] >= 1
    assert found["onnxruntime"] == onnxruntime.__version__
    assert (found["provider"], found["threads"], found["batch"]) == ("CPUExecutionProvider", 2, 4)


def test_processor_is_read_where_the_system_tells_it(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n")
    assert processor(cpuinfo) == "Some CPU @ 2 GHz"
    cpuinfo.write_text("processor\t: 0\nModel\t\t: Raspberry Pi 5\n")
    assert processor(cpuinfo) == "Raspberry Pi 5"
    assert processor(tmp_path / "missing") != ""


def test_description_is_one_line():
    device = {
        "cpu": "Some CPU",
        "cores": 2,
        "system": "Linux",
        "architecture": "x86_64",
        "onnxruntime": "1.31.1",
        "provider": "CPUExecutionProvider",
        "threads": 1,
        "batch": 8,
    }
    assert describe(device) == "Some CPU (2 cores), Linux x86_64, onnxruntime 1.31.1 CPU, 1 thread, batch 8"
    assert "2 threads" in describe(device | {"threads": 2})


def test_differences_name_the_fields():
    here = {"cpu": "A", "threads": 1}
    assert differences(here, here) == []
    assert differences({"cpu": "B", "threads": 1, "board": "X"}, here) == [
        "cpu: measured on B, here A",
        "board: measured on X, here unknown",
    ]
