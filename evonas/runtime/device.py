"""Fingerprint of the device that a latency was measured on."""

from __future__ import annotations

from collections.abc import Mapping

from evonas.runtime.session import CPU
from evonas.runtime.timing_alone import describe_host


def device_fingerprint(*, threads: int = 1, batch: int = 1, provider: str = CPU) -> dict[str, str | int]:
    """Return what a latency depends on, as plain data: processor, system, runtime and how it was called.

    Args:
        threads: Threads of the sessions.
        batch: Images per call.
        provider: Execution provider of onnxruntime.
    """
    return describe_host(provider, threads, batch)


def describe(device: Mapping[str, str | int]) -> str:
    """Return a fingerprint as one line for people.

    Args:
        device: What `device_fingerprint` returned, here or on another machine.
    """
    threads = device.get("threads", 1)
    provider = str(device.get("provider", CPU)).removesuffix("ExecutionProvider")
    return (
        f"{device.get('cpu', 'unknown processor')} ({device.get('cores', '?')} cores), "
        f"{device.get('system', '?')} {device.get('architecture', '?')}, "
        f"onnxruntime {device.get('onnxruntime', '?')} {provider}, "
        f"{threads} thread{'' if threads == 1 else 's'}, batch {device.get('batch', 1)}"
    )


def differences(measured: Mapping[str, str | int], here: Mapping[str, str | int]) -> list[str]:
    """Return what sets two fingerprints apart, one short text per field; empty where they are equal.

    Args:
        measured: Fingerprint that came with a measurement.
        here: Fingerprint of this machine.
    """
    fields = list(dict.fromkeys((*measured, *here)))
    return [
        f"{field}: measured on {measured.get(field, 'unknown')}, here {here.get(field, 'unknown')}"
        for field in fields
        if measured.get(field) != here.get(field)
    ]
