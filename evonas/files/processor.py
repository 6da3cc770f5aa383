"""Name of the processor; standard library alone, by Python 3.8 or newer, for its text travels in scripts."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor(cpuinfo: Path = CPUINFO) -> str:
    """Return the processor's model, or the next best name that the system has for it.

    Args:
        cpuinfo: Linux's description of the processors; read where it exists.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    fields: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip().lower(), value.strip())
    for key in ("model name", "hardware", "model"):  # x86; older boards; newer boards
        if fields.get(key):
            return fields[key]
    return platform.processor() or platform.machine() or "unknown"
