"""A real server process for a benchmark: ``run.py`` on a free port, its records in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]


@contextmanager
def serving(
    log: Path,
    cores: Sequence[int] = (),
    program: Sequence[str] = ("run.py",),
    **settings: object,
) -> Iterator[tuple[psutil.Process, str]]:
    """Start a server; yield its process, models loaded, and its address.

    Args:
        log: file of what it logs. Its records lie in the same folder.
        cores: to which the whole process is pinned, with a worker each; none: all.
        program: what Python runs; takes the options of ``run.py``.
        settings: by their names in ``Settings``. No session is refused for the load, unless they say so.
    """
    chosen: dict[str, object] = {"data_folder": log.parent, "admission": "count"} | settings
    if cores:
        chosen.setdefault("workers", len(cores))
    environment = {f"PROCTORING_{name.upper()}": str(value) for name, value in chosen.items()}
    with log.open("w") as said, pinned(cores):
        process = subprocess.Popen(
            [sys.executable, *program, "--port", "0"],
            cwd=ROOT,
            env=os.environ | environment,
            stderr=said,
        )
    try:
        yield psutil.Process(process.pid), _address_when_ready(process, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Pin this thread, and so the processes that it starts, to these cores for a while; none: all."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _address_when_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    address = ""
    while not address:
        time.sleep(0.1)
        assert process.poll() is None, log.read_text()
        lines = [line for line in log.read_text().splitlines() if "Serving at" in line]
        address = lines[0].split()[-1] if lines else ""
    while health(address)["status"] not in ("ok", "degraded"):
        time.sleep(0.1)
    return address


def health(address: str) -> dict[str, Any]:
    """What the server says of itself."""
    with urllib.request.urlopen(f"{address}/api/health", timeout=30) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


def processor() -> str:
    """Name of the CPU, and which of the instructions that matter it has."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    name = text.partition("model name")[2].partition(":")[2].partition("\n")[0].strip()
    flags = set(text.partition("flags")[2].partition("\n")[0].split())
    known = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
    return f"{name} ({', '.join(flag for flag in known if flag in flags)}), {os.cpu_count()} cores"
