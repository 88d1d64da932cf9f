"""Hostile messages against a real server process, beside an honest session whose latency is measured.

    uv run python -m benchmarks.hostile [--messages 100000] [--at-once 8] [--kind thousands_of_scans]

One process plays the honest candidate: 640 x 480, ten frames a second, a real face; latency is from
just before a frame is sent until its observation has been read. Another, at a low priority,
attacks with every kind of ``benchmarks.attacks`` and ``benchmarks.costly_attacks`` in turn, or with one.
Printed: latency before and during, the longest time without an observation; memory, threads, file descriptors and open sessions of the server before, after a warm-up of a tenth
of the messages (which fills caches), and at the end, when the attackers' sessions have ended. Fails
if the server dies, leaks resources or slows the honest session down.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import psutil
from websockets.sync.client import ClientConnection, connect

from benchmarks.attacks import ATTACKS, PATIENCE, Target
from benchmarks.costly_attacks import COSTLY
from benchmarks.latency import moving_face
from benchmarks.served import ROOT, health, serving

GRACE = 2.0
"""Seconds after which an abandoned session ends."""

MORE_MEMORY = 64 << 20
"""Bytes by which the server may have grown from the end of the warm-up to the end."""
MORE_OF = {"threads": 16, "descriptors": 4, "sessions": 4}
"""What it may have more of: pools grow by a thread, or a connection to the database, when all that there are
are busy at the same moment; there are as many attackers as threads."""
LONGEST_GAP = 1.0
"""Seconds for which the honest session may be without an observation; three times as long as without an
attack, on a machine too busy for that."""
LATER = 0.25
"""Seconds by which the honest session's 95th percentile may rise: the attackers' frames are analysed
on the same workers, and a step of object detection is not interrupted."""


KINDS = {kind.__name__: kind for kind in (*ATTACKS, *COSTLY)}


@dataclass(frozen=True)
class Footprint:
    """Resources of the server process."""

    memory: int
    threads: int
    descriptors: int
    sessions: int

    def __str__(self) -> str:
        return (
            f"{self.memory / 2**20:.0f} MiB, {self.threads} threads, "
            f"{self.descriptors} descriptors, {self.sessions} sessions"
        )


@dataclass(frozen=True)
class Result:
    """The result of one run. Times in seconds."""

    sent: dict[str, int]
    took: float
    before: list[float]
    during: list[float]
    gaps: tuple[float, float]
    """Longest time without an observation of the honest session, before and during the attack."""
    started: Footprint
    warm: Footprint
    ended: Footprint
    complaints: tuple[str, ...]
    """Errors that the server logged."""

    def problems(self, more_memory: int = MORE_MEMORY) -> list[str]:
        """Everything that fails the run.

        Args:
            more_memory: bytes by which the server may have grown.
        """
        rise = percentile(self.during, 95) - percentile(self.before, 95)
        found = [f"the server logged: {line}" for line in self.complaints[:5]]
        if rise > LATER:
            found.append(f"the honest session's 95th percentile rose by {rise * 1000:.0f} ms")
        if self.gaps[1] > max(LONGEST_GAP, 3 * self.gaps[0]):
            found.append(f"the honest session had no observation for {self.gaps[1]:.1f} s")
        if self.ended.memory - self.warm.memory > more_memory:
            found.append(f"memory grew from {self.warm} to {self.ended}")
        return found + [
            f"{what}: {getattr(self.warm, what)}, then {getattr(self.ended, what)}"
            for what, more in MORE_OF.items()
            if getattr(self.ended, what) > getattr(self.warm, what) + more
        ]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def longest_gap(times: list[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(times)), default=float("inf"))


def footprint(server: psutil.Process, address: str) -> Footprint:
    return Footprint(
        server.memory_info().rss,
        server.num_threads(),
        server.num_fds(),
        int(health(address)["sessions"]),
    )


class Honest:
    """An honest candidate, on threads of its own."""

    def __init__(self, address: str, frames: list[bytes]) -> None:
        self.latencies: list[float] = []
        self.arrivals: list[float] = []
        """When each observation was read, on the monotonic clock."""
        self._frames = frames
        self._url = address.replace("http", "ws", 1) + "/ws/proctor/honest/video?observe=1"
        self._stop = Event()
        self._sent: dict[int, float] = {}
        self._thread = Thread(target=self._sit)

    def __enter__(self) -> Honest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sit(self) -> None:
        with connect(self._url, compression=None) as socket:
            reader = Thread(target=self._receive, args=(socket,))
            reader.start()
            begun = time.monotonic()
            number = 0
            while not self._stop.wait(max(0.0, begun + number / 10 - time.monotonic())):
                stamp = time.time_ns() // 1000
                self._sent[stamp] = time.monotonic()
                picture = self._frames[number % len(self._frames)]
                socket.send(stamp.to_bytes(8, "big") + picture)
                number += 1
        reader.join()

    def _receive(self, socket: ClientConnection) -> None:
        for text in socket:
            observation = json.loads(text).get("observation")
            if observation is not None:
                began = self._sent.pop(observation["capture_time"])
                self.arrivals.append(time.monotonic())
                self.latencies.append(self.arrivals[-1] - began)


async def attack(
    target: Target, messages: int, at_once: int, only: tuple[str, ...] = ()
) -> dict[str, int]:
    """Send so many hostile messages, of these kinds or of all. Returns how many of each were sent."""
    sent: Counter[str] = Counter()
    kinds = [KINDS[name] for name in only or KINDS]

    async def one_after_the_other(first: int) -> None:
        turn = first
        while sent.total() < messages:
            kind = kinds[turn % len(kinds)]
            turn += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * PATIENCE):
                    sent[kind.__name__] += await kind(target)

    await asyncio.gather(*(one_after_the_other(first) for first in range(at_once)))
    return dict(sent)


def attack_from_elsewhere(
    address: str, messages: int, at_once: int, seed: int, only: tuple[str, ...] = ()
) -> dict[str, int]:
    """Attack from another process, so that this one and the server keep their CPU time."""
    command = [sys.executable, "-m", "benchmarks.hostile", "--attack", address]
    command += ["--messages", str(messages), "--at-once", str(at_once), "--seed", str(seed)]
    command += [argument for name in only for argument in ("--kind", name)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    sent: dict[str, int] = json.loads(done.stdout)
    return sent


def measure(
    messages: int, at_once: int, quiet: float, folder: Path, only: tuple[str, ...] = ()
) -> Result:
    """Start a server, attack it and measure.

    Args:
        only: names of the kinds of attack; empty: all.
        quiet: seconds for which the honest session is measured alone.
    """
    frames = moving_face()
    log = folder / "server.log"
    with (
        serving(log, session_grace=GRACE, max_requests_per_second=100_000) as (server, address),
        Honest(address, frames) as honest,
    ):
        time.sleep(5)  # baselines are learned, everything is loaded
        first = len(honest.latencies)
        started = footprint(server, address)
        time.sleep(quiet)
        before = honest.latencies[first:]
        gap_before = longest_gap(honest.arrivals[first:])
        attack_from_elsewhere(address, messages // 10, at_once, seed=1, only=only)
        settle(address)
        warm = footprint(server, address)
        first, began = len(honest.latencies), time.monotonic()
        sent = attack_from_elsewhere(address, messages, at_once, seed=2, only=only)
        took = time.monotonic() - began
        during = honest.latencies[first:]
        times = [began, *honest.arrivals[first:], time.monotonic()]
        settle(address)
        ended = footprint(server, address)
        assert server.is_running()
        complaints = tuple(
            line
            for line in log.read_text().splitlines()
            if "Traceback" in line or " ERROR " in line or " CRITICAL " in line
        )
    gaps = (gap_before, longest_gap(times))
    return Result(sent, took, before, during, gaps, started, warm, ended, complaints)


def settle(address: str) -> None:
    """Wait until the attackers' sessions have ended."""
    end = time.monotonic() + 60
    while health(address)["sessions"] > 1 and time.monotonic() < end:
        time.sleep(0.5)
    time.sleep(5)  # abandoned connections are closed by then


def show(result: Result) -> None:
    for kind, count in sorted(result.sent.items()):
        print(f"{count:>8}  {kind}")
    total = sum(result.sent.values())
    print(f"{total:>8}  messages in {result.took:.0f} s ({total / result.took:.0f} a second)")
    for name, values in (("before", result.before), ("during", result.during)):
        shown = ", ".join(f"{p}th {percentile(values, p) * 1000:.0f} ms" for p in (50, 95, 99))
        print(f"honest session {name}: {len(values)} frames, {shown}")
    before, during = (round(gap * 1000) for gap in result.gaps)
    print(f"longest time without an observation: {before} ms before, {during} ms during")
    for name in ("started", "warm", "ended"):
        print(f"server {name}: {getattr(result, name)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--at-once", type=int, default=32, help="connections at the same time")
    parser.add_argument("--quiet", type=float, default=30.0, help="seconds measured without attack")
    parser.add_argument("--kind", action="append", default=[], choices=sorted(KINDS))
    parser.add_argument("--attack", metavar="ADDRESS", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    only = tuple(chosen.kind)
    if chosen.attack:
        os.nice(10)
        target = Target(chosen.attack, moving_face(1)[0], random.Random(chosen.seed))
        print(json.dumps(asyncio.run(attack(target, chosen.messages, chosen.at_once, only))))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = measure(chosen.messages, chosen.at_once, chosen.quiet, Path(folder), only)
    show(result)
    problems = result.problems()
    for problem in problems:
        print("PROBLEM:", problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
