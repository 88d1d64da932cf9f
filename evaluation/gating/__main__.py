"""Nothing may be lost by gating: ``python -m evaluation.gating DATA``.

Every labelled recording is played to two sessions, one gated and one that analyses everything in every
frame, at three levels of noise and two qualities of JPEG, through the server's own path under the exam policy:
JPEG, decoding, analysis, judgement; objects are detected in the frame that asks for them. An incident that is
lost or added, alerts on one side only, or starts more than 0.2 s earlier or later is a difference: exit status 1.

A session analyses every frame until the candidate is enrolled, so recordings shorter than ``--at-least`` are
played to and fro, without judging repetition; with 0, and for sequences of stills, they are played once.

The results of ungated sessions are kept in the temporary folder while the code is the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from evaluation.gating.compare import Task, compare_in_process, short_tasks
from evaluation.gating.recordings import recordings
from evaluation.gating.report import Comparison, Total
from evaluation.gating.variants import Variant


def main() -> int:
    """Print a line for each recording and variant, and the sums; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="", help="parts of recordings' names, by commas")
    parser.add_argument("--noise", type=float, nargs="+", default=[2, 0, 5], help="grey levels")
    parser.add_argument("--quality", type=int, nargs="+", default=[60, 90], help="of the JPEG")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each recording, at most")
    parser.add_argument(
        "--at-least", type=float, default=30.0, help="to and fro, if shorter; 0: once"
    )
    parser.add_argument("--short", action="store_true", help="the set that the tests run")
    parser.add_argument(
        "--spread", action="store_true", help="each recording in one variant, by turns"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with its networks")
    chosen = parser.parse_args()
    if chosen.short:
        tasks = short_tasks(chosen.data)
    else:
        variants = [Variant(noise, quality) for noise in chosen.noise for quality in chosen.quality]
        found = recordings(chosen.data, chosen.only)
        tasks = [
            Task(one, chosen.seconds, 0.0 if one.path.is_dir() else chosen.at_least, variant)
            for turn, variant in enumerate(variants)
            for n, one in enumerate(found)
            if not chosen.spread or n % len(variants) == turn
        ]
    total, of_variant = Total(), dict[Variant, Total]()
    for task, comparison in zip(tasks, _compared(chosen.data, tasks, chosen.jobs), strict=True):
        total.add(comparison)
        of_variant.setdefault(task.variant, Total()).add(comparison)
        print(f"{task.variant}: {task.recording.name}: {comparison}", flush=True)
    if not chosen.short:
        for variant, part in of_variant.items():
            print(f"\n{variant}: {part}")
    print(f"\n{total}")
    for line in total.failures:
        print(f"  {line}")
    return 1 if total.failures else 0


def _compared(data: Path, tasks: list[Task], jobs: int) -> Iterator[Comparison]:
    """Each task's comparison, in their order; in this process, if there is to be one."""
    if jobs == 1:
        yield from (compare_in_process(data, task) for task in tasks)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(compare_in_process, repeat(data), tasks)


if __name__ == "__main__":
    sys.exit(main())
