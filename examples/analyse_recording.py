"""Analyse recordings from Python: one set of models, a progress line, incidents with reasons.

python examples/analyse_recording.py exam.mp4 [MORE ...] [--policy interview] [--json FOLDER]
"""

import argparse
import json
import sys
from pathlib import Path

import proctoring
from proctoring.errors import ProctoringError


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--policy", default="exam", help="a shipped policy or a TOML file [exam]")
    parser.add_argument("--json", type=Path, help="write one report per recording here")
    options = parser.parse_args()

    failed = False
    try:
        models = proctoring.load_models()
    except ProctoringError as error:
        sys.exit(f"error: {error.detail}")
    for recording in options.recordings:
        try:
            report = proctoring.analyse(
                recording, policy=options.policy, models=models, progress=show_progress
            )
        except ProctoringError as error:
            print(f"error: {error.detail}", file=sys.stderr)
            failed = True
            continue
        print(f"\n{report.file}: {report.speed.times_real_time:.1f} times real time")
        for incident in report.incidents:
            print(
                f"  {incident.started_at:7.1f} to {incident.ended_at:7.1f} s  {incident.label}: {incident.reason}"
            )
        if report.problem:
            print(f"  not read to its end: {report.problem}")
        if options.json:
            target = options.json / f"{recording.stem}.json"
            target.write_text(json.dumps(report.to_json(), indent=2))
    sys.exit(1 if failed else 0)


def show_progress(done: float, total: float | None) -> None:
    """One line on a terminal, overwritten as the analysis goes on."""
    if sys.stderr.isatty():
        print(f"\r{done:.0f} of {total or 0:.0f} s", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
