"""What a session costs beside its analysis: sockets, event loop, hand-over, judgement of nothing, records.

    uv run python -m benchmarks.shell [--seconds 20] [--sessions 1]

A real server process in which frames are not decoded and neither frames nor audio are analysed. Printed: CPU
milliseconds a second of the process and of its event loop, without a session, and per session of ten frames
(35 KiB) a second, without and with ten messages of audio a second. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import simplejpeg

from benchmarks.load.clients import Candidate, Job, Run
from benchmarks.served import ROOT, serving

SERVE = "serve"
WARM = 5.0


def serve(options: list[str]) -> None:
    """Serve with nothing analysed."""
    from proctoring.__main__ import main as command
    from proctoring.audio.analyser import AudioAnalyser
    from proctoring.session import worker
    from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
    from proctoring.vision.stages.context import observation_of

    class Undecoded:
        def __init__(self, at: float, _: object) -> None:
            self.time, self.luma = at, None

    def nothing(self: VisionAnalyser, frame: Undecoded, **_: object) -> FrameAnalysis:
        self._schedule.start_if_due(frame.time, 1 / self.rate)
        return FrameAnalysis(observation_of(frame.time, 640, 480, {}))

    for where, name, stand_in in (
        (worker, "read_jpeg", lambda data, **_: data),
        (worker, "Frame", Undecoded),
        (VisionAnalyser, "analyse_immediate", nothing),
        (AudioAnalyser, "push", lambda *_: ()),
        (AudioAnalyser, "flush", lambda _: ()),
    ):
        setattr(where, name, stand_in)
    sys.argv[1:] = ["serve", *options]
    command()


def spent(server: psutil.Process) -> tuple[float, float]:
    """CPU seconds of the process, and of its first thread, exact to a microsecond."""
    each = {}
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        each[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return sum(each.values()), each[str(server.pid)]


def measured(server: psutil.Process, seconds: float, sessions: int = 1) -> str:
    """Milliseconds of CPU per session and second, as the cells of a row."""
    before, began = spent(server), time.perf_counter()
    time.sleep(seconds)
    passed = (time.perf_counter() - began) * sessions / 1000
    whole, loop = ((now - then) / passed for now, then in zip(spent(server), before, strict=True))
    return f"{whole:.1f} | {loop:.1f} |"


def media(folder: Path, sound: bool) -> Candidate:
    """A picture of noise, over and over, and a track of noise."""
    generator = np.random.default_rng(1)
    picture = generator.integers(96, 160, (480, 640, 3), np.uint8)
    (folder / "0.jpg").write_bytes(simplejpeg.encode_jpeg(picture, quality=30))
    np.save(folder / "track.npy", generator.integers(-20, 20, 160_000, np.int16))
    return Candidate(str(folder), 0, str(folder / "track.npy") if sound else None, 0)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == [SERVE]:
        serve(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sessions", type=int, default=1)
    chosen = parser.parse_args()
    print("| CPU ms per second | process | its event loop |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="proctoring-shell-") as name:
        folder = Path(name)
        program = ("-m", "benchmarks.shell", SERVE)
        with serving(folder / "log", program=program, max_sessions=2000) as (server, address):
            time.sleep(3)
            print(f"| no session | {measured(server, chosen.seconds)}")
            for sound in (False, True):
                shown = (media(folder, sound),) * chosen.sessions
                job = Job(address, server.pid, shown, WARM, chosen.seconds)
                with subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.load.clients"],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                ) as clients:
                    assert clients.stdin is not None
                    assert clients.stdout is not None
                    clients.stdin.write(json.dumps(asdict(job)))
                    clients.stdin.close()
                    time.sleep(WARM + 1)
                    row = measured(server, chosen.seconds - 3, chosen.sessions)
                    run = Run(**json.loads(clients.stdout.read()))
                what = "frames and audio" if sound else "frames"
                print(f"| a session: {what} ({len(run.latencies)} of {run.sent} observed) | {row}")
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
