"""End-to-end latency: socket in to observation out, against a real server process.

    uv run python -m benchmarks.latency [VIDEO] [--seconds 30] [--at-once 1 2 3 4] [--one-core]

Sessions of 640 x 480 at 10 frames a second show a real face that moves and turns (scikit-image's
public-domain photograph, or a given video): one session, or with ``--at-once`` several, on all cores,
client and server on the same machine. With ``--one-core`` follow growing numbers of sessions on one core
(one worker; server and client each pinned to a core) until the 99th percentile exceeds the limit of
100 ms.

Latency is measured at the client, from just before a frame is sent until its observation has been
read and parsed. CPU time is the server process's own and comparable on a busy machine; wall times are
not. On a busy machine ``chrt -r 10`` gives precedence over other load, but not on one core: there the
kernel's network thread waits up to 100 ms for the server's real-time threads, so only the figures
measured on the server are valid.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import psutil
import simplejpeg
from skimage import data
from websockets.asyncio.client import connect

from benchmarks.served import serving

RATE = 10.0
LIMIT = 0.1
"""Seconds: the limit that the service promises."""


def moving_face(count: int = 100) -> list[bytes]:
    """JPEGs (640 x 480, quality 85) of a face that moves, turns and comes closer, in a loop."""
    picture = np.asarray(getattr(data, "astronaut")(), np.uint8)  # noqa: B009  # untyped
    frames = []
    for i in range(count):
        phase = 2 * np.pi * i / count
        turn = cv2.getRotationMatrix2D(
            (225, 115), 12 * np.sin(2 * phase), 1.5 + 0.3 * np.sin(phase)
        )
        turn[:, 2] += (320 - 225 + 60 * np.cos(phase), 240 - 115 + 30 * np.sin(3 * phase))
        moved = cv2.warpAffine(picture, turn, (640, 480), borderMode=cv2.BORDER_REFLECT)
        frames.append(bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(moved), quality=85)))
    return frames


def recorded(video: Path, count: int = 300) -> list[bytes]:
    """JPEGs (640 x 480, quality 85) of a recording's first frames, 10 a second."""
    import av

    frames: list[bytes] = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= len(frames) / RATE:
                pixels = frame.reformat(640, 480, format="rgb24").to_ndarray()
                frames.append(
                    bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=85))
                )
            if len(frames) >= count:
                break
    return frames


@dataclass
class Session:
    """Measurements of one client, in seconds."""

    latencies: list[float] = field(default_factory=list)
    on_server: list[float] = field(default_factory=list)
    sent: int = 0


async def sit(
    address: str, name: str, frames: list[bytes], seconds: float, delay: float
) -> Session:
    """Send frames at 10 a second, and time the observations that come back."""
    result = Session()
    sent: dict[int, float] = {}
    url = f"{address.replace('http', 'ws', 1)}/ws/proctor/{name}/video?observe=1"
    async with connect(url, compression=None, max_size=None) as socket:

        async def listen() -> None:
            async for text in socket:
                observation = json.loads(text).get("observation")
                if observation is not None:
                    result.latencies.append(
                        time.perf_counter() - sent.pop(observation["capture_time"])
                    )
                    result.on_server.append(observation["latency_ms"] / 1000)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(delay)
        began = time.perf_counter()
        while (now := time.perf_counter() - began) < seconds:
            capture = 10**15 + round(result.sent / RATE * 1e6)
            sent[capture] = time.perf_counter()
            await socket.send(capture.to_bytes(8, "big") + frames[result.sent % len(frames)])
            result.sent += 1
            await asyncio.sleep(max(0.0, result.sent / RATE - now))
        await asyncio.sleep(0.5)
        listening.cancel()
    return result


@dataclass(frozen=True)
class Figures:
    """Figures of one run over all clients, in milliseconds."""

    sessions: int
    median: float
    p99: float
    worst: float
    server_median: float
    server_p99: float
    answered: float
    """Share of the frames that were answered with an observation."""
    cpu: float
    """The server's CPU milliseconds per session and second."""

    def __str__(self) -> str:
        return (
            f"{self.sessions:3} sessions: median {self.median:6.1f} ms, 99th percentile "
            f"{self.p99:6.1f} ms, worst {self.worst:6.1f} ms (on the server: median "
            f"{self.server_median:.1f}, 99th percentile {self.server_p99:.1f} ms); {self.answered:.1%} answered; "
            f"{self.cpu:.1f} ms CPU per session and second, "
            f"{self.cpu * self.sessions / 1000:.0%} of one core in all"
        )


async def measure(
    server: psutil.Process, address: str, frames: list[bytes], sessions: int, seconds: float
) -> Figures:
    """Run several sessions at once, their frames spread evenly over the tenth of a second."""
    run = time.time_ns()

    def cpu() -> float:
        times = server.cpu_times()
        return float(times.user + times.system)

    async def everybody() -> list[Session]:
        return await asyncio.gather(
            *(
                sit(address, f"bench-{run}-{i}", frames, seconds, i / sessions / RATE)
                for i in range(sessions)
            )
        )

    before = cpu()
    results = await everybody()
    spent = cpu() - before
    latencies = np.concatenate([np.array(result.latencies) for result in results]) * 1000
    on_server = np.concatenate([np.array(result.on_server) for result in results]) * 1000
    return Figures(
        sessions,
        float(np.median(latencies)),
        float(np.percentile(latencies, 99)),
        float(latencies.max()),
        float(np.median(on_server)),
        float(np.percentile(on_server, 99)),
        len(latencies) / sum(result.sent for result in results),
        spent * 1000 / (sessions * seconds),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("video", nargs="?", type=Path, help="a recording instead of the photograph")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each run")
    parser.add_argument(
        "--at-once", type=int, nargs="+", default=[1], help="numbers of simultaneous sessions"
    )
    parser.add_argument("--one-core", action="store_true", help="how many sessions one core takes")
    chosen = parser.parse_args()
    frames = recorded(chosen.video) if chosen.video else moving_face()
    size = np.mean([len(frame) for frame in frames]) / 1024
    print(f"{len(frames)} frames of {size:.0f} KiB; load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with serving(log) as (server, address):
            asyncio.run(measure(server, address, frames, 1, 2.0))  # warm
            for sessions in chosen.at_once:
                figures = asyncio.run(measure(server, address, frames, sessions, chosen.seconds))
                print(figures, flush=True)
        if chosen.one_core:
            on_one_core(log, frames, chosen.seconds / 2)


def on_one_core(log: Path, frames: list[bytes], seconds: float) -> None:
    """Print the figures of growing numbers of sessions on one core, until the limit is exceeded."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    print("one core, one worker:")
    with serving(log, cores[:1]) as (server, address):
        asyncio.run(measure(server, address, frames, 1, 2.0))  # warm
        for sessions in (1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32):
            figures = asyncio.run(measure(server, address, frames, sessions, seconds))
            print(figures, flush=True)
            if figures.p99 > LIMIT * 1000:
                break


if __name__ == "__main__":
    main()
