"""Start time: `proctoring --help`, a server until it is ready, `proctoring analyse` of a second of video.

    uv run python -m benchmarks.start [--runs 5] [--cold-runs 2]

Each command is a process of its own, started as installed, without uv; times are from its start. The models must have
been fetched. ``cold``: nothing is compiled yet, as at the first start after an installation or a new version. Bytecode is
kept, as Python does unless told otherwise, and one run before the measured ones has written it. On a busy machine
``chrt -r 10`` gives precedence over other load.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.analyse_speed import made_clip
from proctoring.models.compiled import FOLDER
from proctoring.settings import read_settings

PROCTORING = str(Path(sys.executable).with_name("proctoring"))
STEP = 0.01
"""Seconds between two looks."""


@dataclass(frozen=True)
class Figures:
    """Of one run. Seconds and MiB."""

    address: float
    """Until the address is printed; 0 where none is."""
    answers: float
    """Until health answers."""
    done: float
    """Until it is ready, or has ended."""
    cpu: float
    memory: float
    """Resident, of a server that is ready."""


def environment(models: Path, data: Path) -> dict[str, str]:
    """Settings of a process: its folders. Records of the runs before are there, as after a restart."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PROCTORING_MODELS_FOLDER": str(models), "PROCTORING_DATA_FOLDER": str(data)}


def command(models: Path, data: Path, *arguments: str) -> Figures:
    """A command until it has ended."""
    began = time.monotonic()
    process = subprocess.Popen(
        [PROCTORING, *arguments],
        env=environment(models, data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    done = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{arguments} failed"
    return Figures(0, 0, done, used.ru_utime + used.ru_stime, 0)


def server(models: Path, data: Path) -> Figures:
    """A server until it is ready."""
    began = time.monotonic()
    with subprocess.Popen(
        [PROCTORING, "serve", "--port", "0"],
        env=environment(models, data),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "Serving at" in line)
            address = time.monotonic() - began
            url = line.split()[-1]
            until(lambda: status(f"{url}/api/health") == 200)
            answers = time.monotonic() - began
            until(lambda: status(f"{url}/api/ready") == 200)
            done = time.monotonic() - began
            seen = psutil.Process(process.pid)
            used, memory = seen.cpu_times(), seen.memory_info().rss
        finally:
            process.terminate()
            process.communicate()
    return Figures(address, answers, done, used.user + used.system, memory / 2**20)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(STEP)


@contextmanager
def cold(models: Path) -> Iterator[Path]:
    """A models folder with the same weights, in which nothing is compiled."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in models.iterdir():
            if model.name != FOLDER:
                (folder / model.name).symlink_to(model)
        yield folder


def show(name: str, runs: list[Figures]) -> None:
    def median(field: str) -> float:
        return float(statistics.median(getattr(run, field) for run in runs))

    before = ""
    if median("address"):
        before = f"address {median('address'):5.2f} s, health {median('answers'):5.2f} s, "
    memory = f", {median('memory'):.0f} MiB" if median("memory") else ""
    worst = max(run.done for run in runs)
    print(
        f"{name:24} {before}done {median('done'):5.2f} s (longest {worst:5.2f}), "
        f"CPU {median('cpu'):5.2f} s{memory}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold-runs", type=int, default=2)
    chosen = parser.parse_args()
    models = read_settings().models_folder
    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        clip = str(made_clip(Path(folder), 1.0))
        data = Path(folder) / "data"
        cases: tuple[tuple[str, Callable[[Path], Figures]], ...] = (
            ("proctoring --help", lambda _: command(models, data, "--help")),
            ("server until ready", lambda found: server(found, data)),
            ("analyse 1 s of video", lambda found: command(found, data, "analyse", clip)),
        )
        for name, measure in cases:
            measure(models)
            show(name, [measure(models) for _ in range(chosen.runs)])
        for name, measure in cases[1:]:
            runs = []
            for _ in range(chosen.cold_runs):
                with cold(models) as found:
                    runs.append(measure(found))
            show(f"{name}, cold", runs)


if __name__ == "__main__":
    main()
