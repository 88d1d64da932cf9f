"""The LiveKit adapter: latency to the room, CPU per forwarded session, memory over an hour's frames.

Run: ``uv run python -m benchmarks.livekit latency|cost|memory``

``latency`` and ``cost`` use a real livekit-server on loopback (tests/livekit/processes.py says where
it is looked for), with publisher, adapter and servers each in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
from livekit import rtc
from tests.livekit.contract_server import until
from tests.livekit.exam import Person
from tests.livekit.media import Camera, empty_room, portrait
from tests.livekit.processes import LiveKit, Proctoring, livekit_binary
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from proctoring.judgement import shipped_policy
from proctoring.livekit import ProctorChannel, Procturing
from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.outgoing_audio import SAMPLE_RATE
from proctoring.livekit.video import VideoForwarder

ROOM = "benchmark"
CANDIDATE = "candidate-1"


# Roles that run in processes of their own


async def publish(livekit: LiveKit) -> None:
    """A candidate with a camera of 640 x 480 at 30 a second and a microphone, until killed."""
    async with Person(livekit, ROOM, CANDIDATE) as candidate:
        await candidate.show(portrait(), frames_per_second=30)
        await candidate.speak()
        await asyncio.Event().wait()


async def adapt(livekit: LiveKit, url: str, *, forward: bool, seconds: float, audio: bool) -> None:
    """Receive the candidate's tracks, forward them or not, and print the CPU share."""
    async with Person(livekit, ROOM, "adapter", hidden=True) as adapter:
        participant = await adapter.meet(CANDIDATE)
        await until(lambda: len(tracks(participant)) == 2, 30)
        camera, microphone = tracks(participant)
        proctoring = Procturing(participant, adapter.room, url=url)
        reading: list[asyncio.Task[None]] = []
        if forward:
            proctoring.video_track = camera
            await proctoring.start_if_ready()
            if audio:
                await proctoring.enable_audio(microphone)
        else:
            reading.append(asyncio.create_task(drain_video(camera)))
            if audio:
                reading.append(asyncio.create_task(drain_audio(microphone)))
        await asyncio.sleep(6)
        before = proctoring.status()["frames"]
        began, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        spent, took = time.process_time() - cpu, time.monotonic() - began
        after = proctoring.status()["frames"]
        frames = {name: after[name] - before[name] for name in after}
        print(json.dumps({"share": spent / took, "seconds": took, "frames": frames}))
        await proctoring.aclose()
        for task in reading:
            task.cancel()


async def watch(livekit: LiveKit, url: str) -> None:
    """Forward the candidate's tracks and publish events to the room, until killed."""
    async with Person(livekit, ROOM, "watcher", hidden=True) as watcher:
        channel = ProctorChannel(watcher.room)
        participant = await watcher.meet(CANDIDATE)
        watched = Procturing(participant, watcher.room, url=url, channel=channel)
        await until(lambda: tracks(participant), 30)
        watched.video_track = tracks(participant)[0]
        await watched.start_if_ready()
        await asyncio.Event().wait()


def tracks(participant: rtc.RemoteParticipant) -> list[rtc.Track]:
    """Subscribed tracks, video first."""
    found = [each.track for each in participant.track_publications.values() if each.track]
    return sorted(found, key=lambda track: -track.kind)


async def drain_video(track: rtc.Track) -> None:
    async for _ in rtc.VideoStream(track, format=rtc.VideoBufferType.I420, capacity=1):
        pass


async def drain_audio(track: rtc.Track) -> None:
    async for _ in rtc.AudioStream(
        track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=100
    ):
        pass


# A server that accepts everything and analyses nothing


@asynccontextmanager
async def sink(rate: float = 10.0) -> AsyncIterator[str]:
    async def take(socket: ServerConnection) -> None:
        flow = {"frames_per_second": rate, "max_width": 640, "max_height": 480}
        await socket.send(json.dumps({"flow": flow}))
        async for _ in socket:
            pass

    async with serve(take, "127.0.0.1", 0, compression=None, max_size=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def serve_sink(rate: float) -> None:
    """A sink as a process: prints its address, until killed."""
    async with sink(rate) as url:
        print(url, flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def sink_process() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.livekit", "sink", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


# The measurements


async def measure_cost(livekit: LiveKit, seconds: float, rounds: int) -> None:
    """Print the CPU share of forwarding: a process that forwards minus one that only receives."""
    async with sink() as url:
        with child("publish", livekit):
            for audio in (False, True):
                shares: dict[bool, list[float]] = {False: [], True: []}
                frames = 0.0
                for _ in range(rounds):
                    for forward in (False, True):
                        result = await output(
                            "adapt", livekit, f"--url={url}", f"--seconds={seconds}",
                            *(["--forward"] if forward else []), *(["--audio"] if audio else []),
                        )  # fmt: skip
                        shares[forward].append(result["share"])
                        if forward:
                            frames = result["frames"]["forwarded"] / result["seconds"]
                bare, whole = (statistics.median(shares[each]) for each in (False, True))
                print(
                    f"{'video and audio' if audio else 'video'}: "
                    f"LiveKit's own receiving and decoding {bare:.1%} of a core, "
                    f"with forwarding {whole:.1%}, the adapter {whole - bare:.1%} "
                    f"({frames:.1f} frames a second)"
                )


async def measure_frame(frames: int = 1500) -> None:
    """Print the CPU time of one frame in the adapter: encoded on a thread, sent on a socket."""
    picture = portrait()
    height, width, _ = picture.shape
    rgba = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes())
    event = rtc.VideoFrameEvent(
        rgba.convert(rtc.VideoBufferType.I420),
        timestamp_us=0,
        rotation=cast(Any, rtc.VideoRotation.VIDEO_ROTATION_0),
    )
    forwarder = VideoForwarder(CaptureClock())
    async with sink_process() as url, connect(url, compression=None) as socket:
        talking = asyncio.create_task(forwarder.run(socket))
        await until(lambda: forwarder.flow.frames_per_second > 1000)
        cpu = 0.0
        for number in range(frames):
            if number == 100:
                cpu = time.process_time()
            forwarder.push(event)
            await asyncio.sleep(0.01)
        spent = (time.process_time() - cpu) / (forwarder.counts.forwarded - 100)
        talking.cancel()
    print(
        f"one frame of 640 x 480: {spent * 1000:.2f} ms of CPU; "
        f"at 10 a second {spent * 10:.1%} of a core"
    )


async def measure_latency(livekit: LiveKit, folder: Path, samples: int) -> None:
    """Print the time from the capture of the first changed frame to the message at a proctor, minus
    the policy's persistence time."""
    server = Proctoring(folder, PROCTORING_DEFAULT_POLICY=str(quick_policy(folder)))
    server.start()
    took: list[float] = []
    try:
        async with (
            Person(livekit, ROOM, "proctor-1") as proctor,
            Person(livekit, ROOM, CANDIDATE) as candidate,
        ):
            camera = await candidate.show(portrait(), frames_per_second=30)
            with child("watch", livekit, f"--url={server.url}"):
                heard = 0

                async def next_change(state: str) -> tuple[float, dict[str, Any]]:
                    nonlocal heard
                    async with asyncio.timeout(30):
                        while True:
                            while heard < len(proctor.events):
                                heard += 1
                                for incident in proctor.events[heard - 1]["incidents"]:
                                    if (incident["kind"], incident["state"]) == (
                                        "face.absent", state,
                                    ):  # fmt: skip
                                        return time.monotonic(), proctor.events[heard - 1]
                            await asyncio.sleep(0.001)

                await asyncio.sleep(8)
                while len(took) < samples:
                    shown = await change(camera, empty=True)
                    arrived, event = await next_change("started")
                    began = event["incidents"][0]["started_at"]
                    took.append(arrived - shown - (event["media_time"] - began))
                    await change(camera, empty=False)
                    await next_change("ended")
                    await asyncio.sleep(random.uniform(0.3, 0.6))
    finally:
        server.stop()
    took.sort()
    print(
        f"{len(took)} alerts: median {statistics.median(took) * 1000:.0f} ms, "
        f"99th percentile {took[int(0.99 * len(took))] * 1000:.0f} ms, "
        f"longest {took[-1] * 1000:.0f} ms; of it up to 100 ms wait for the next forwarded frame"
    )


async def change(camera: Camera, *, empty: bool) -> float:
    """Switch between a portrait and an empty room; return the capture time of the first such frame."""
    camera.picture = empty_room() if empty else portrait()
    sent = camera.sent
    while camera.sent == sent:  # noqa: ASYNC110 - polled for an exact time
        await asyncio.sleep(0.001)
    return time.monotonic()


def quick_policy(folder: Path) -> Path:
    """The exam policy, except that absence starts after .5 s and ends after .3 s."""
    text = shipped_policy("exam").to_toml()
    head, section, rest = text.partition('[incidents."face.absent"]')
    for setting, value in (("persist", 0.5), ("closes_after", 0.3), ("cooldown", 0.0)):
        rest = re.sub(
            rf"^{setting} = .*$", f"{setting} = {value}", rest, count=1, flags=re.MULTILINE
        )
    path = folder / "quick.toml"
    path.write_text(head + section + rest)
    return path


async def measure_memory(frames: int) -> None:
    """Print resident memory while an hour's frames pass as fast as possible."""
    process = psutil.Process()
    async with sink(rate=1000) as url, Camera(portrait(), frames_per_second=1000) as camera:
        participant = SimpleNamespace(identity=CANDIDATE, track_publications={})
        async with Procturing(
            cast(rtc.RemoteParticipant, participant), rtc.Room(), url=url, session_id="memory"
        ) as proctoring:
            proctoring.video_track = camera.track
            await proctoring.start_if_ready()
            sizes: list[float] = []
            began = time.monotonic()
            for tenth in range(11):
                target = max(1000, frames * tenth // 10)
                while proctoring.status()["frames"]["forwarded"] < target:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                gc.collect()
                sizes.append(process.memory_info().rss / 2**20)
            counts = proctoring.status()["frames"]
            print(
                f"{counts['forwarded']} frames in {time.monotonic() - began:.0f} s: resident "
                f"{sizes[0]:.0f} MiB after the first 1,000, {sizes[5]:.0f} MiB at half time, "
                f"{sizes[-1]:.0f} MiB at the end; counted: {counts}"
            )


# Processes


def command(what: str, livekit: LiveKit, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.livekit", what, "--livekit", livekit.url, *arguments]


@contextmanager
def child(what: str, livekit: LiveKit, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(command(what, livekit, *arguments))
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def output(what: str, livekit: LiveKit, *arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        *command(what, livekit, *arguments), stdout=asyncio.subprocess.PIPE
    )
    text, _ = await process.communicate()
    return json.loads(text.splitlines()[-1])


def work(options: argparse.Namespace, livekit: LiveKit, folder: Path) -> Coroutine[Any, Any, None]:
    match options.what:
        case "publish":
            return publish(livekit)
        case "watch":
            return watch(livekit, options.url)
        case "adapt":
            return adapt(
                livekit, options.url,
                forward=options.forward, seconds=options.seconds, audio=options.audio,
            )  # fmt: skip
        case "latency":
            return measure_latency(livekit, folder, options.samples)
        case _:
            return measure_cost(livekit, options.seconds, options.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", choices=["latency", "cost", "memory", "publish", "watch", "adapt", "sink"]
    )
    parser.add_argument("--url", default="")
    parser.add_argument("--livekit", help="a livekit-server that runs already")
    parser.add_argument("--samples", type=int, default=110)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=36_000)
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--audio", action="store_true")
    options = parser.parse_args()
    if options.what in ("latency", "cost", "memory"):
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} cores, load {load:.1f} at the start", file=sys.stderr)
    if options.what == "memory":
        asyncio.run(measure_memory(options.frames))
        return
    if options.what == "sink":
        asyncio.run(serve_sink(1e6))
        return
    if options.what == "cost":
        asyncio.run(measure_frame())
    binary = livekit_binary()
    if binary is None:
        parser.error("livekit-server is absent")
    with tempfile.TemporaryDirectory() as folder:
        livekit = LiveKit(binary, Path(folder))
        if options.livekit:
            livekit.url = options.livekit
            asyncio.run(work(options, livekit, Path(folder)))
            return
        livekit.start()
        try:
            asyncio.run(work(options, livekit, Path(folder)))
        finally:
            livekit.stop()


if __name__ == "__main__":
    main()
