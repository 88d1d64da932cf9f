"""Where the time of a live session goes: samples of a real server process, by package and module.

    uv run --with py-spy python -m benchmarks.profile VIDEO [--seconds 30] [--rate 100] [--modules 40]

One session over a real socket, 10 JPEG a second of the recording's first 30 s in a loop, records in a
fresh folder. Three runs of the same length: without samples (CPU of the process), with samples of every
thread that does not wait, and with samples of the thread that holds the interpreter lock. A sample
counts for the innermost module that is ours or one of ``LIBRARIES``, so that numpy and OpenCV count for the
module that calls them. On a busy machine samples include waiting for a core: run it under ``chrt -r 10``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.latency import RATE, Figures, measure, recorded
from benchmarks.served import serving

WAITING = re.compile(
    r"^(Condition\.wait|wait|EpollSelector\.select|select|_worker|Thread\._wait_for_tstate_lock"
    r"|_wait_for_tstate_lock|Queue\.get) \((threading|selectors|concurrent/futures/thread|queue)"
)
"""Innermost functions of threads that wait for work."""
FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(:\d+)?\)$")
LIBRARIES = (
    *("openvino", "sqlalchemy", "prometheus_client", "pydantic", "websockets", "asyncio"),
    *("uvicorn", "starlette", "fastapi"),
)
INFERENCE = "networks: inference"
CATEGORIES = (
    (INFERENCE, INFERENCE),
    ("networks: Python around them", r"models/|openvino"),
    ("decode", r"vision/(decode|jpeg_structure|frame)\.py"),
    (
        "stages: scheduling, merging",
        r"vision/(stages/(stage|context)|analyser|schedule|deferred)\.py",
    ),
    (
        "pixels: numpy, OpenCV",
        r"vision/(landmarks|camera|camera_movement|repetition|frame_change|injection|covered_eyes|objects"
        r"|objects_\w+|face_detection|letterbox|proposals|tiled_detection|change|face_change|face_view"
        r"|identity/\w+|liveness/(crops|scoring|light))\.py",
    ),
    ("following, head, gaze, liveness: Python, numpy", r"vision/"),
    ("judgement", r"judgement/|session/guidance"),
    ("observations as JSON, pydantic", r"server/observation_json|pydantic"),
    ("records, events, SQLAlchemy", r"records/|delivery/|storage/|sqlalchemy"),
    ("metrics, counters", r"prometheus_client|session/(session_metrics|counters|sinks)"),
    ("session, worker pool", r"session/"),
    (
        "sockets: asyncio, websockets, uvicorn",
        r"server/|asyncio|websockets|uvicorn|starlette|fastapi",
    ),
    ("other", r""),
)
"""Rows of the table, and the parts that belong to them: the first that fits."""


def group_of(stack: list[str]) -> str:
    """The module or library of a stack's innermost known function; empty: the thread waits.

    Args:
        stack: functions as py-spy writes them, the outermost first.
    """
    if WAITING.match(stack[-1]):
        return ""
    for frame in reversed(stack):
        found = FRAME.match(frame)
        if found is None:
            continue
        file, function = found["file"], found["function"]
        if "openvino/" in file and function.endswith("InferRequest.infer"):
            return INFERENCE
        if "proctoring/" in file:
            return file.split("proctoring/", 1)[1]
        for library in LIBRARIES:
            if file.startswith(f"{library}/") or f"/{library}/" in file:
                return library
    return "other"


def category_of(part: str) -> str:
    """The row of the table that a part belongs to."""
    return next(name for name, pattern in CATEGORIES if re.match(pattern, part))


def by_category(parts: Counter[str]) -> Counter[str]:
    """The same samples by row of the table."""
    found: Counter[str] = Counter()
    for part, count in parts.items():
        found[category_of(part)] += count
    return found


def sample(server: psutil.Process, seconds: float, rate: int, *options: str) -> Counter[str]:
    """Samples of the server's threads by group, without those that wait."""
    found: Counter[str] = Counter()
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as file:
        command = ["py-spy", "record", "--pid", str(server.pid), "--rate", str(rate)]
        command += ["--duration", str(round(seconds)), "--format", "raw", "--output", file.name]
        subprocess.run([*command, *options], check=True, capture_output=True)
        for line in file:
            stack, count = line.rsplit(" ", 1)
            group = group_of(stack.split(";"))
            if group:
                found[group] += int(count)
    return found


def sampled(
    server: psutil.Process,
    address: str,
    frames: list[bytes],
    seconds: float,
    rate: int,
    *options: str,
) -> Counter[str]:
    """The samples of one session."""
    found: list[Counter[str]] = []

    def look() -> None:
        time.sleep(2.0)  # the session has begun
        found.append(sample(server, seconds, rate, *options))

    thread = threading.Thread(target=look)
    thread.start()
    asyncio.run(measure(server, address, frames, 1, seconds + 5.0))
    thread.join()
    return found[0]


def table(busy: Counter[str], locked: Counter[str], seconds: float, rate: int, lines: int) -> None:
    """Print the groups, by ms per second of the session and per frame."""

    def ms(count: int) -> float:
        return 1000 * count / rate / seconds

    print("| part | ms per second | ms per frame | of it with the interpreter lock, per frame |")
    print("| --- | --- | --- | --- |")
    shown = [name for name, _ in busy.most_common(lines)]
    rest = [name for name in busy | locked if name not in shown]
    rows = [(name, busy[name], locked[name]) for name in shown]
    if rest:
        rows.append(("everything else", sum(busy[n] for n in rest), sum(locked[n] for n in rest)))
    rows.append(("**all**", busy.total(), locked.total()))
    for name, running, holding in rows:
        print(
            f"| {name} | {ms(running):.1f} | {ms(running) / RATE:.2f} | {ms(holding) / RATE:.2f} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each run")
    parser.add_argument("--rate", type=int, default=100, help="samples per second")
    parser.add_argument("--modules", type=int, default=0, help="how many modules to list, too")
    chosen = parser.parse_args()
    if shutil.which("py-spy") is None:
        sys.exit("py-spy is missing: uv run --with py-spy python -m benchmarks.profile ...")
    frames = recorded(chosen.video)
    print(f"{len(frames)} frames; load average {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory(prefix="profile-") as folder,
        serving(Path(folder) / "log") as (server, address),
    ):
        asyncio.run(measure(server, address, frames, 1, 5.0))  # warm
        plain: Figures = asyncio.run(measure(server, address, frames, 1, chosen.seconds))
        print(plain, flush=True)
        busy = sampled(server, address, frames, chosen.seconds, chosen.rate)
        locked = sampled(server, address, frames, chosen.seconds, chosen.rate, "--gil")
    kinds = len(CATEGORIES)
    table(by_category(busy), by_category(locked), chosen.seconds, chosen.rate, kinds)
    if chosen.modules:
        print()
        table(busy, locked, chosen.seconds, chosen.rate, chosen.modules)


if __name__ == "__main__":
    main()
