"""What forwarding costs: delay per message, and processor time of the server that forwards."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

import psutil
from websockets.asyncio.client import connect

from benchmarks.failover.people import CAPTURED, PICTURE

if TYPE_CHECKING:
    from benchmarks.failover.faults import Scene

RATE = 10.0
"""Frames a second, as clients send."""


async def delays(scene: Scene, seconds: float) -> list[str]:
    """Lines: round trip of a frame, direct and forwarded, and what the forwarding server used for it."""
    direct = await _round_trips(scene, "direct", 0, 0, seconds)
    idle = await _used(scene, 1, seconds)
    before = _processor_time(scene, 1)
    forwarded = await _round_trips(scene, "forwarded", 0, 1, seconds)
    used = (_processor_time(scene, 1) - before) / seconds
    return [
        f"a frame and its answer, directly: median {1e3 * statistics.median(direct):.2f} ms",
        f"through another server: median {1e3 * statistics.median(forwarded):.2f} ms, "
        f"{1e3 * (statistics.median(forwarded) - statistics.median(direct)):.2f} ms more",
        f"the other server used {100 * (used - idle):.1f}% of a core more than idle, "
        f"for {RATE:.0f} frames a second",
    ]


def _processor_time(scene: Scene, index: int) -> float:
    times = psutil.Process(scene.servers[index].pid).cpu_times()
    return float(times.user + times.system)


async def _used(scene: Scene, index: int, seconds: float) -> float:
    before = _processor_time(scene, index)
    await asyncio.sleep(seconds)
    return (_processor_time(scene, index) - before) / seconds


async def _round_trips(
    scene: Scene, name: str, owner: int, through: int, seconds: float
) -> list[float]:
    """Round trips of frames in seconds: the owner has the session, the socket is at ``through``."""
    took: list[float] = []
    url = "ws://127.0.0.1:{}/ws/proctor/{}/{}"
    async with _open(url.format(scene.servers[owner].port, name, "events")):
        port = scene.servers[through].port
        async with _open(url.format(port, name, "video?observe=1")) as video:
            end, number = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                number += 1
                began = time.perf_counter()
                capture = CAPTURED + int(number * 1e6 / RATE)
                await video.send(capture.to_bytes(8, "big") + PICTURE)
                while "capture_time" not in str(await video.recv()):
                    pass
                took.append(time.perf_counter() - began)
                await asyncio.sleep(1 / RATE)
    return took


def _open(url: str) -> connect:
    return connect(url, compression=None, open_timeout=60, proxy=None)
