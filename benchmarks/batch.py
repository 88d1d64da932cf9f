"""Recordings per hour of ``proctoring batch``, by the number of its workers.

Run: ``uv run python -m benchmarks.batch FOLDER [--workers 1 2] [--limit 12] [--overhead 10000]``

FOLDER: recordings of different content, ``DATA/webcam`` for example. Time counts from when the first worker has
loaded its networks. Each number of workers begins with an empty folder of results.

``--overhead 10000``: instead, what so many recordings cost the process that distributes: workers answer at once.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from tests.batch.made import OPTIONS, MadeWorkers

from benchmarks.served import processor
from proctoring.batch.messages import Request
from proctoring.batch.processes import LocalProcesses
from proctoring.batch.results import Results
from proctoring.batch.run import Run
from proctoring.batch.sources import find_sources
from proctoring.batch.summary import write_summary


def measure(folder: str, workers: int, limit: int | None) -> None:
    """Print the speed of one batch."""
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary)
        processes = LocalProcesses(OPTIONS, workers)
        try:
            with Results(output, OPTIONS) as results:
                listed = results.index.list(find_sources(folder, output))
                totals = Run(results, processes, listed, limit=limit).run()
                cpu = sum(line.findings.cpu for line in results.index.lines())
        finally:
            processes.close()
    per_hour = 3600 * totals.analysed / totals.elapsed
    print(
        f"{workers} workers: {totals.analysed} recordings of {totals.seconds:.0f} s in "
        f"{totals.elapsed:.0f} s: {per_hour:.0f} an hour, {totals.seconds / totals.elapsed:.1f} x real time; "
        f"{totals.seconds / cpu:.1f} x per second of CPU; {totals.failed} failed; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


class _Immediate(MadeWorkers):
    """Forgets what it was asked."""

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        super().ask(worker, request, *arguments)
        self.asked.clear()


def measure_overhead(recordings: int) -> None:
    """Print what distributing costs, in a first run and in a second one, which finds everything done."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, output = Path(temporary) / "in", Path(temporary) / "out"
        folder.mkdir()
        output.mkdir()
        for number in range(recordings):
            (folder / f"{number}.mp4").write_text(str(number))
        for name in ("first", "second"):
            began, cpu = time.perf_counter(), time.process_time()
            with Results(output, OPTIONS) as results:
                listed = results.index.list(find_sources(str(folder), output))
                Run(results, _Immediate(), listed).run()
                write_summary(results, listed)
            print(
                f"{name} run of {listed}: {time.perf_counter() - began:.1f} s, "
                f"{time.process_time() - cpu:.1f} s of CPU, most memory so far "
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB, "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--overhead", type=int, help="recordings that are only handed out")
    chosen = parser.parse_args()
    print(processor())
    if chosen.overhead:
        measure_overhead(chosen.overhead)
        return
    if not chosen.folder:
        parser.error("which folder?")
    for workers in chosen.workers:
        measure(chosen.folder, workers, chosen.limit)


if __name__ == "__main__":
    main()
