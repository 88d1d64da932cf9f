"""How many sessions a server carries, what each costs, and what a plain stack would cost.

    uv run python -m benchmarks.load DATA [--scene still reading talking leaving mixed] [--talk none 0.05 0.6]
        [--sessions 1 2 4] [--largest] [--server-cores 0] [--client-cores 1] [--peer YOLO] [--json FILE]

A real server process keeps records of its sessions (policy ``exam``: events and signals; with ``--evidence``
stills and clips too). Each session is a video socket (640 x 480, ten JPEGs a second, recordings of ``scenes.py``),
an audio socket (``sound.py``) and an events listener, in a process of the clients' own. Printed for each
number of sessions: the server's CPU time per session and second, what became of the frames, latency from
send to observation at the client, memory. ``--largest`` looks for the largest number with the 95th
percentile under 100 ms and less than 1% of the frames replaced or otherwise not observed. On a machine
that is busy with other things only latency by the server's own account tells that (``--largest server``, and
``chrt -r 10`` in front of the command).

``--peer`` also runs the plain stack of ``benchmarks/peer`` on the same pictures and sound.

CPU time can be compared on a busy machine, latency cannot. Sessions start a recording at different places;
the incidents that it causes are printed, since they are not free.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load.clients import Candidate, Job, Run
from benchmarks.load.figures import Figures, Peer, as_json, figures, table, talk_text
from benchmarks.load.peer import measure_peer
from benchmarks.load.scenes import LONGEST, MIX, RATE, SCENES, clips_of, stream
from benchmarks.load.sound import PERIOD, tracks
from benchmarks.served import ROOT, health, pinned, processor, serving

EVIDENCE = 'name = "load"\n[evidence]\nstills = ["*"]\nclips = ["*"]\n'
CLIENT, SERVER = "client", "server"
WHOLE = 60.0
"""Seconds: streams are prepared in multiples of it, so that runs of other lengths find them."""


@dataclass(frozen=True)
class Media:
    """Where prepared media come from and go to."""

    data: Path
    cache: Path
    seconds: float
    """Length of every stream and track."""
    noise: float

    def candidates(self, scene: str, talk: float | None, sessions: int) -> tuple[Candidate, ...]:
        """What so many candidates show and say: each begins elsewhere, and talks at another time."""
        heard = [] if talk is None else tracks(self.data, talk, self.seconds, self.cache)
        return tuple(
            Candidate(
                str(stream(self.data, clip, self.seconds, self.noise, self.cache)),
                offset=37 * n,
                track=str(heard[n % len(heard)]) if heard else None,
                track_offset=round(PERIOD * RATE * n / sessions),
            )
            for n, clip in enumerate(clips_of(scene, sessions))
        )


@dataclass(frozen=True)
class Bench:
    """A running server, and how it is measured."""

    media: Media
    server: psutil.Process
    address: str
    warm: float
    seconds: float
    client_cores: Sequence[int]

    def measure(self, scene: str, talk: float | None, sessions: int) -> Figures:
        """Hold so many sessions; return and print what was measured."""
        job = Job(
            self.address,
            self.server.pid,
            self.media.candidates(scene, talk, sessions),
            self.warm,
            self.seconds,
        )
        with pinned(self.client_cores):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.load.clients"],
                cwd=ROOT,
                input=json.dumps(asdict(job)),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        found = figures(scene, talk, Run(**json.loads(done.stdout)), os.getloadavg()[0])
        print(found, flush=True)
        self._wait_until_idle()
        return found

    def _wait_until_idle(self) -> None:
        """Until the sessions have ended and rates that were reduced have recovered."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            state = health(self.address)
            if not state["sessions"] and not state.get("slowed_sessions"):
                break
            time.sleep(0.5)
        time.sleep(2)


def largest(carries: Callable[[int], bool], most: int = 512) -> int:
    """The largest number that is carried, by doubling and halving; 0: not even one."""
    low, high = 0, 1
    while high <= most and carries(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if carries(middle) else (low, middle)
    return low


def search(bench: Bench, scene: str, talk: float | None, clock: str) -> list[Figures]:
    """Look for the largest number of sessions, by the latency on this clock. Returns every run."""
    rows: list[Figures] = []

    def carries(sessions: int) -> bool:
        rows.append(bench.measure(scene, talk, sessions))
        return rows[-1].carries_it(by_server=clock == SERVER)

    print(f"largest number of sessions, {scene}, {talk_text(talk)}: {largest(carries)}", flush=True)
    return rows


@contextmanager
def started(media: Media, options: argparse.Namespace) -> Iterator[Bench]:
    """A server with its records in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="proctoring-load-") as folder:
        settings: dict[str, Any] = {"max_sessions": 2000, "admission": "count"}
        if options.evidence:
            policy = Path(folder) / "load.toml"
            policy.write_text(EVIDENCE)
            settings["default_policy"] = policy
        log = Path(folder) / "server.log"
        with serving(log, options.server_cores, **settings) as (server, address):
            print(f"server without sessions: {server.memory_info().rss / 2**20:.0f} MiB")
            yield Bench(media, server, address, options.warm, options.seconds, options.client_cores)


def run(options: argparse.Namespace) -> tuple[list[Figures], dict[str, Peer]]:
    """Measure everything that was asked for."""
    length = math.ceil((options.warm + options.seconds + 1) / WHOLE) * WHOLE
    media = Media(options.data, options.cache, length, options.noise)
    for scene in options.scene:
        print(f"{scene}: {', '.join(sorted({str(clip) for clip in clips_of(scene, 10)}))}")
        for talk in options.talk:
            media.candidates(scene, talk, 10)  # prepared before anything is measured
    rows: list[Figures] = []
    peers: dict[str, Peer] = {}
    with started(media, options) as bench:
        for scene in options.scene:
            for talk in options.talk:
                rows += [bench.measure(scene, talk, count) for count in options.sessions]
                if options.largest:
                    rows += search(bench, scene, talk, options.largest)
            if options.peer:
                shown = media.candidates(scene, max(talk or 0.0 for talk in options.talk), 10)
                peers[scene] = measure_peer(
                    shown,
                    options.peer,
                    options.server_cores,
                    options.peer_faces,
                    not options.peer_unpaced,
                )
                print(f"peer, {scene}: {peers[scene]}", flush=True)
    return rows, peers


def _talk(text: str) -> float | None:
    return None if text == "none" else float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of recordings")
    scenes = (*SCENES, MIX)
    parser.add_argument("--scene", nargs="+", choices=scenes, default=scenes)
    parser.add_argument(
        "--talk", nargs="+", type=_talk, default=[0.05], help="shares of talk; none: no sound"
    )
    parser.add_argument("--sessions", nargs="*", type=int, default=[1])
    parser.add_argument(
        "--largest", nargs="?", const=CLIENT, choices=(CLIENT, SERVER), help="whose clock counts"
    )
    parser.add_argument("--server-cores", nargs="+", type=int, default=[])
    parser.add_argument("--client-cores", nargs="+", type=int, default=[])
    parser.add_argument("--warm", type=float, default=8.0, help="seconds before measuring")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds measured")
    parser.add_argument("--noise", type=float, default=1.5, help="luma noise added, of 255")
    parser.add_argument("--evidence", action="store_true", help="store stills and clips")
    parser.add_argument("--peer", type=Path, metavar="YOLO", help="folder of YOLO11n (OpenVINO)")
    parser.add_argument("--peer-faces", type=int, default=2, help="faces that the peer looks for")
    parser.add_argument(
        "--peer-unpaced", action="store_true", help="one frame after the other, not ten a second"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "proctoring-load"
    )
    return parser


def main() -> None:
    """Measure and print."""
    parser = _parser()
    options = parser.parse_args()
    if options.warm + options.seconds > LONGEST:
        parser.error(f"recordings repeat after {LONGEST:g} s: --warm and --seconds are too long")
    print(f"{processor()}; load {os.getloadavg()[0]:.1f}")
    rows, peers = run(options)
    print(table(rows, peers))
    if options.json:
        options.json.write_text(json.dumps(as_json(rows, peers), indent=1))


if __name__ == "__main__":
    main()
