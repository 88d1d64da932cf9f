"""The process of the clients: sessions over real sockets, and what the server did meanwhile.

Started by ``benchmarks.load`` with a ``Job`` as JSON on standard input; prints a ``Run`` as JSON. Pictures and
sound are prepared, so that a session costs its client little.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import re
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.load.scenes import RATE, read_stream
from benchmarks.load.sound import PIECE

Counts = dict[str, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one session shows and says, and from where on."""

    stream: str
    offset: int
    """In frames."""
    track: str | None
    """``None``: it sends no sound."""
    track_offset: int
    """In pieces."""


@dataclass(frozen=True, slots=True)
class Job:
    """Sessions to hold."""

    address: str
    server: int
    """The server's process."""
    candidates: tuple[Candidate, ...]
    warm: float
    """Seconds before the measurement begins."""
    seconds: float


@dataclass(slots=True)
class Run:
    """What was measured, from the end of the warm-up to the end."""

    sessions: int
    seconds: float
    sent: int = 0
    latencies: list[float] = field(default_factory=list)
    """Seconds from just before a frame was sent until its observation was read."""
    on_server: list[float] = field(default_factory=list)
    """The server's own account: seconds from a frame's arrival until its observation was made."""
    late: list[float] = field(default_factory=list)
    """Seconds by which this process sent frames too late: the clients' own fault."""
    server_cpu: float = 0.0
    client_cpu: float = 0.0
    """Seconds."""
    memory: int = 0
    """The server's resident memory at the end, bytes."""
    lowest_flow: float = float(RATE)
    """Lowest rate that the server asked of a client, frames per second."""
    counted: Counts = field(default_factory=dict)
    """Growth of the server's counters (``/metrics``)."""


class Window:
    """Whether it is measured now."""

    def __init__(self) -> None:
        self.open = False


async def sit(job: Job, number: int, media: Media, run: Run, window: Window, name: str) -> None:
    """Hold one session: a video, an audio and an events socket."""
    candidate, base = job.candidates[number], job.address.replace("http", "ws", 1)
    url = f"{base}/ws/proctor/{name}"
    async with contextlib.AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(connect(url + path, compression=None, max_size=None))
            for path in ("/events", "/video?observe=1", *(["/audio"] if candidate.track else []))
        ]
        video = opened[1]
        sent: dict[int, float] = {}
        listening = [
            asyncio.create_task(read_observations(video, sent, run, window)),
            *(asyncio.create_task(discard(socket)) for socket in opened if socket is not video),
        ]
        frames = media.streams[candidate.stream]
        sound = media.tracks[candidate.track] if candidate.track else []
        begun = time.perf_counter() + number / len(job.candidates) / RATE
        for n in range(round((job.warm + job.seconds) * RATE)):
            due = begun + n / RATE
            await asyncio.sleep(due - time.perf_counter())
            stamp = time.time_ns() // 1000
            now = time.perf_counter()
            sent[stamp] = now if window.open else -1.0
            if window.open:
                run.sent += 1
                run.late.append(now - due)
            await video.send(
                stamp.to_bytes(8, "big") + frames[(candidate.offset + n) % len(frames)]
            )
            if sound:
                await opened[2].send(sound[(candidate.track_offset + n) % len(sound)])
        await asyncio.sleep(0.5)
        for task in listening:
            task.cancel()


async def read_observations(
    video: ClientConnection, sent: dict[int, float], run: Run, window: Window
) -> None:
    async for text in video:
        message = json.loads(text)
        observation = message.get("observation")
        if observation is not None:
            began = sent.pop(observation["capture_time"], -1.0)
            if began >= 0:
                run.latencies.append(time.perf_counter() - began)
                run.on_server.append(observation["latency_ms"] / 1000)
        elif "flow" in message and window.open:
            run.lowest_flow = min(run.lowest_flow, message["flow"]["frames_per_second"])


async def discard(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


@dataclass(frozen=True)
class Media:
    """Everything that is sent, in memory."""

    streams: dict[str, list[bytes]]
    tracks: dict[str, list[bytes]]


def load(job: Job) -> Media:
    """Read what the candidates show and say."""
    pieces = {}
    for track in {one.track for one in job.candidates if one.track}:
        samples = np.load(track)
        pieces[track] = [
            samples[n : n + PIECE].tobytes() for n in range(0, len(samples) - PIECE + 1, PIECE)
        ]
    streams = {one.stream: read_stream(Path(one.stream)) for one in job.candidates}
    return Media(streams, pieces)


def counters(address: str) -> Counts:
    """The server's counters, by their names and labels, without ``proctoring_`` and ``_total``."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:  # noqa: S310
        text = answer.read().decode()
    found = re.findall(r"^proctoring_(\S+?)(?:_total)?(\{.*\})? (\S+)$", text, re.MULTILINE)
    return {name + labels: float(value) for name, labels, value in found}


async def hold(job: Job) -> Run:
    """Hold all sessions, measure, and end them."""
    media = load(job)
    gc.freeze()  # nothing of it is garbage: a collection would only delay frames
    run, window = Run(len(job.candidates), job.seconds), Window()
    names = [f"load-{time.time_ns()}-{n}" for n in range(len(job.candidates))]
    sitting = asyncio.gather(
        *(sit(job, n, media, run, window, name) for n, name in enumerate(names))
    )
    await asyncio.sleep(job.warm)
    server, own = psutil.Process(job.server), psutil.Process()
    before = await asyncio.to_thread(counters, job.address)
    window.open = True
    cpu, client_cpu, begun = spent(server), spent(own), time.perf_counter()
    await asyncio.sleep(job.seconds - 0.2)  # while all still send
    window.open = False
    run.seconds = time.perf_counter() - begun
    run.server_cpu, run.client_cpu = spent(server) - cpu, spent(own) - client_cpu
    run.memory = server.memory_info().rss
    after = await asyncio.to_thread(counters, job.address)
    run.counted = {name: value - before.get(name, 0.0) for name, value in after.items()}
    await sitting
    for name in names:
        await asyncio.to_thread(end, f"{job.address}/api/sessions/{name}")
    return run


def end(session: str) -> None:
    urllib.request.urlopen(urllib.request.Request(session, method="DELETE")).close()  # noqa: S310


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Do what standard input says."""
    told = json.load(sys.stdin)
    told["candidates"] = tuple(Candidate(**one) for one in told["candidates"])
    print(json.dumps(asdict(asyncio.run(hold(Job(**told))))))


if __name__ == "__main__":
    main()
