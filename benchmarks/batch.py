"""Recordings per hour of ``proctoring batch``, by the number of its workers.

Run: ``uv run python -m benchmarks.batch FOLDER [--workers 1 2] [--limit 12]``

FOLDER: recordings of different content, ``DATA/webcam`` for example. Time counts from when the first worker has
loaded its networks. Each number of workers begins with an empty folder of results.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.served import processor
from proctoring.batch.options import Options
from proctoring.batch.processes import LocalProcesses
from proctoring.batch.results import Results
from proctoring.batch.run import Run
from proctoring.batch.sources import find_sources
from proctoring.judgement.policy import load_policy


def measure(folder: str, workers: int, limit: int | None) -> None:
    """Print the speed of one batch."""
    options = Options(load_policy("exam"))
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary)
        processes = LocalProcesses(options, workers)
        try:
            with Results(output, options) as results:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--limit", type=int)
    chosen = parser.parse_args()
    print(processor())
    for workers in chosen.workers:
        measure(chosen.folder, workers, chosen.limit)


if __name__ == "__main__":
    main()
