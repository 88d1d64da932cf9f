"""Resident memory of a server: when it is ready, and while sessions are analysed.

    uv run python -m benchmarks.memory [--seconds 20] [--sessions 1 10 30]

A server process of its own, sessions over real sockets: 640 x 480 at 10 frames a second of a moving face, with records, without
evidence and audio. A server is started and ended before, in the same folder: the first one compiles networks and creates tables. The memory is read while the sessions run, after half of their time; what the machine cannot analyse
is replaced by newer frames, as always. ``files`` are mapped libraries and networks, which processes share.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.latency import measure, moving_face
from benchmarks.served import serving


@dataclass(frozen=True)
class Memory:
    """MiB of a process."""

    resident: float
    files: float
    threads: int


def memory(process: psutil.Process) -> Memory:
    seen = process.memory_info()
    return Memory(seen.rss / 2**20, seen.shared / 2**20, process.num_threads())


async def while_running(
    server: psutil.Process, address: str, frames: list[bytes], sessions: int, seconds: float
) -> tuple[Memory, float]:
    """The most memory seen in the second half, and CPU milliseconds per session and second."""
    running = asyncio.create_task(measure(server, address, frames, sessions, seconds))
    await asyncio.sleep(seconds / 2)
    seen = []
    while not running.done():
        seen.append(memory(server))
        await asyncio.sleep(0.25)
    return max(seen, key=lambda one: one.resident), (await running).cpu


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each run")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 30])
    chosen = parser.parse_args()
    frames = moving_face()
    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with serving(log):
            pass
        report(log, frames, chosen.sessions, chosen.seconds)


def report(log: Path, frames: list[bytes], numbers: list[int], seconds: float) -> None:
    with serving(log, admission="count") as (server, address):
        ready = memory(server)
        show("ready", ready)
        for sessions in numbers:
            found, cpu = asyncio.run(while_running(server, address, frames, sessions, seconds))
            show(f"{sessions} sessions", found)
            each = (found.resident - ready.resident) / sessions
            print(f"    {each:.1f} MiB more per session; {cpu:.0f} ms CPU per session-second")


def show(name: str, found: Memory) -> None:
    print(
        f"{name:12} {found.resident:5.0f} MiB resident, of it {found.files:4.0f} of files; "
        f"{found.threads} threads",
        flush=True,
    )


if __name__ == "__main__":
    main()
