"""More sessions than one core carries: rates, fairness, latency, recovery, refusals.

    uv run python -m benchmarks.overload [VIDEO] [--sessions N] [--seconds 20]
    uv run python -m benchmarks.overload --simulated

The second runs the pool's scheduling in simulated time with the costs of ``simulated_pool.even_cost``: no
machine has a part in its figures. The first is real.

A real server process on one core, one worker; clients on another core send a moving face (or a given
video), 640 x 480, at the rate that the server asks for, 10 a second at most. First one session alone, which
gives the number that the core carries; then twice as many (or ``--sessions``), within a second, of which all but the
first leave after ``--seconds``. For this, admission is by count. Then a server that admits by load: sessions
begin one after the other until one is refused.

Latency is the server's own, from the arrival of a frame until its observation is sent: on a shared machine
it depends on the other load, which is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from benchmarks.latency import RATE, moving_face, recorded
from benchmarks.served import health as read_health
from benchmarks.served import serving
from benchmarks.simulated_pool import SimulatedSession, Simulation, counts, latency_95

SETTLE = 3.0
"""Seconds after the start of the load whose frames are counted apart: rates fall meanwhile."""


@dataclass
class Client:
    """What one client saw. Times are ``time.perf_counter``'s."""

    latencies: list[tuple[float, float]] = field(default_factory=list)
    """When an observation came, and its latency on the server in seconds."""
    rates: list[tuple[float, float]] = field(default_factory=list)
    """When a flow message came, and its frames per second."""
    reasons: set[str] = field(default_factory=set)


async def sit(
    address: str, name: str, frames: list[bytes], client: Client, until: asyncio.Event
) -> None:
    """Send frames at the rate that the server asks for, until the event is set."""
    url = f"{address.replace('http', 'ws', 1)}/ws/proctor/{name}/video?observe=1"
    async with connect(url, compression=None, max_size=None) as socket:

        async def listen() -> None:
            async for text in socket:
                message = json.loads(text)
                now = time.perf_counter()
                if observation := message.get("observation"):
                    client.latencies.append((now, observation["latency_ms"] / 1000))
                elif flow := message.get("flow"):
                    client.rates.append((now, flow["frames_per_second"]))
                    client.reasons.add(flow.get("reason", ""))

        listening = asyncio.create_task(listen())
        sent, due = 0, time.perf_counter()
        while not until.is_set():
            await socket.send((10**15 + round(due * 1e6)).to_bytes(8, "big") + frames[sent])
            sent = (sent + 1) % len(frames)
            due += 1 / (client.rates[-1][1] if client.rates else RATE)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        listening.cancel()


def end(address: str, name: str) -> None:
    request = urllib.request.Request(f"{address}/api/sessions/{name}", method="DELETE")  # noqa: S310
    with urllib.request.urlopen(request):  # noqa: S310
        pass


def load() -> str:
    return f"load average {os.getloadavg()[0]:.1f}"


def summary(clients: list[Client], start: float, stop: float) -> str:
    """Fairness, latency and rates of the frames analysed between two times."""
    counts = [sum(start <= when < stop for when, _ in client.latencies) for client in clients]
    latencies = [
        latency for client in clients for when, latency in client.latencies if start <= when < stop
    ]
    rates = [next((r for w, r in reversed(c.rates) if w < stop), RATE) for c in clients]
    if not latencies:
        return "no frame was analysed"
    median, p95, p99 = np.percentile(np.array(latencies) * 1000, (50, 95, 99))
    seconds = stop - start
    return (
        f"analysed per session and second: {min(counts) / seconds:.1f} to {max(counts) / seconds:.1f}; "
        f"latency median {median:.0f} ms, 95th percentile {p95:.0f}, 99th {p99:.0f}; "
        f"asked for {min(rates):.1f} to {max(rates):.1f} frames a second at the end"
    )


async def alone(server: psutil.Process, address: str, frames: list[bytes], seconds: float) -> float:
    """CPU seconds per second of one session."""
    stop, client = asyncio.Event(), Client()
    running = asyncio.create_task(sit(address, "alone", frames, client, stop))
    await asyncio.sleep(3.0)
    if running.done():
        error = running.exception()
        raise SystemExit(error.response.body if isinstance(error, InvalidStatus) else error)
    before = server.cpu_times()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    after, now = server.cpu_times(), time.perf_counter()
    stop.set()
    await running
    end(address, "alone")
    print(f"  one session: {summary([client], began, now)}")
    return (after.user + after.system - before.user - before.system) / (now - began)


async def overloaded(address: str, frames: list[bytes], sessions: int, seconds: float) -> None:
    """Run several sessions, of which all but the first leave after ``seconds``; print what happened."""
    clients = [Client() for _ in range(sessions)]
    first_stop, others_stop = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(sit(address, "s0", frames, clients[0], first_stop))
    await asyncio.sleep(2.0)
    began = time.perf_counter()
    others = []
    for i in range(1, sessions):
        others.append(asyncio.create_task(sit(address, f"s{i}", frames, clients[i], others_stop)))
        await asyncio.sleep(1 / sessions)
    await asyncio.sleep(seconds)
    left = time.perf_counter()
    health = await asyncio.to_thread(read_health, address)
    others_stop.set()
    await asyncio.gather(*others)
    for i in range(1, sessions):
        await asyncio.to_thread(end, address, f"s{i}")
    for _ in range(250):
        if clients[0].rates[-1][1] >= RATE:
            break
        await asyncio.sleep(0.1)
    first_stop.set()
    await first
    fell = next((when - began for when, rate in clients[0].rates if when > began), None)
    recovered = next(
        (when - left for when, rate in clients[0].rates if when > left and rate >= RATE), None
    )
    print(f"  first {SETTLE:.0f} s: {summary(clients, began, began + SETTLE)}")
    print(f"  after that: {summary(clients, began + SETTLE, left)}")
    told = [rate for when, rate in clients[0].rates if began + SETTLE < when < left]
    print(f"  flow of one session after {SETTLE:.0f} s: {told}; {sorted(clients[0].reasons)}")
    print(f"  rates fell after {fell and round(fell, 1)} s")
    print(f"  full rate again {recovered and round(recovered, 1)} s after the others left")
    shown = ("status", "frames_per_second", "slowed_sessions", "busy", "accepting", "refusal")
    print(f"  health: { {name: health.get(name) for name in shown} }")


async def fill(address: str, frames: list[bytes], most: int) -> None:
    """Begin sessions one after the other until one is refused; print the refusal."""
    stop, running, clients = asyncio.Event(), [], []
    try:
        for number in range(1, most + 1):
            clients.append(Client())
            task = asyncio.create_task(sit(address, f"f{number}", frames, clients[-1], stop))
            await asyncio.wait({task}, timeout=4.0)
            if task.done():
                error = task.exception()
                assert isinstance(error, InvalidStatus)
                body = (error.response.body or b"").decode()
                retry = error.response.headers.get("Retry-After")
                print(f"  session {number} refused: {error.response.status_code} {body} ({retry=})")
                return
            running.append(task)
        print(f"  {most} sessions, none refused")
    finally:
        now = time.perf_counter()
        print(f"  the last 4 s: {summary(clients[: len(running)], now - 4, now)}")
        stop.set()
        await asyncio.gather(*running)


def simulate() -> None:
    """Print the same of one worker in simulated time, at growing overload."""
    print("one worker, 290 ms of it per session and second, in simulated time:")
    for count in (4, 8, 16, 40):
        sessions = [SimulatedSession() for _ in range(count)]
        simulation = Simulation()
        simulation.begin(sessions[0])
        simulation.run(5.0)
        simulation.begin(*sessions[1:])
        simulation.run(30.0)
        needed = simulation.turns.rates.needed
        simulation.end(*sessions[1:])
        simulation.run(30.0)
        analysed = counts(sessions, 8.0, 35.0)
        told = [(when, rate) for when, rate in sessions[0].rates if when < 35.0]
        settled = [rate for when, rate in told if when > 8.0] or [told[-1][1]]
        recovered = [when - 35.0 for when, rate in sessions[0].rates if rate == 1.0][-1]
        print(
            f"  {count:2} sessions, which need {needed:4.1f} workers: analysed per session and second"
            f" {min(analysed) / 27:.1f} to {max(analysed) / 27:.1f};"
            f" 95th percentile {latency_95(sessions, 5.0, 8.0) * 1000:.0f} ms in the first 3 s,"
            f" {latency_95(sessions, 8.0, 35.0) * 1000:.0f} ms then;"
            f" asked for {10 * min(settled):.1f} to {10 * max(settled):.1f} frames a second;"
            f" full rate again after {max(0.0, recovered):.1f} s"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("video", nargs="?", type=Path, help="a recording instead of the photograph")
    parser.add_argument("--sessions", type=int, help="instead of twice what the core carries")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the overload")
    parser.add_argument(
        "--simulated", action="store_true", help="in simulated time, without a server"
    )
    chosen = parser.parse_args()
    if chosen.simulated:
        simulate()
        return
    frames = recorded(chosen.video) if chosen.video else moving_face()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with serving(log, cores[:1], admission="count") as (server, address):
            print(f"one core, one worker, {load()}:")
            share = asyncio.run(alone(server, address, frames, 8.0))
            sessions = chosen.sessions or max(4, round(2 / share))
            print(
                f"  {share * 1000:.0f} ms of CPU per session and second: {1 / share:.1f} per core"
            )
            print(f"{sessions} sessions at once, {load()}:")
            asyncio.run(overloaded(address, frames, sessions, chosen.seconds))
        with serving(log, cores[:1], admission="load") as (_, address):
            print(f"one after the other, admission by load, {load()}:")
            asyncio.run(fill(address, frames, 2 * sessions))


if __name__ == "__main__":
    main()
