"""Validate a policy of your own, change it for one candidate, analyse a recording under both.

    python examples/custom_policy.py
    python examples/custom_policy.py examples/custom_policy.toml --recording exam.mp4

A server uses the file with `proctoring serve --policy examples/custom_policy.toml`; the
accommodations below are the `accommodations` of `POST /api/sessions`.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import proctoring
from proctoring.errors import ProctoringError

ACCOMMODATIONS: dict[str, dict[str, Any]] = {
    "screen": {"down": 30.0},  # a braille display below the screen
    "face.absent": {"persist": 30.0},  # may stand up
    "audio.multiple_speakers": {"enabled": False},  # an assistant reads aloud
}
"""For one candidate: a section of the policy, or a kind of incident, and what differs."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "policy", nargs="?", type=Path, default=Path(__file__).with_name("custom_policy.toml")
    )
    parser.add_argument("--recording", type=Path, help="analyse this under both policies")
    options = parser.parse_args()
    try:
        policy = proctoring.load_policy(options.policy)
        accommodated = policy.with_accommodations(ACCOMMODATIONS)
        print(f"{policy.name!r} differs from 'exam' in:")
        print_differences(proctoring.load_policy("exam"), policy)
        print("and with the accommodations in:")
        print_differences(policy, accommodated)
        if options.recording:
            models = proctoring.load_models()
            for title, used in (("without", policy), ("with", accommodated)):
                report = proctoring.analyse(options.recording, policy=used, models=models)
                labels = ", ".join(incident.label for incident in report.incidents)
                print(f"{title} accommodations: {labels or 'no incidents'}")
    except ProctoringError as error:
        sys.exit(f"error: {error.detail}")


def print_differences(before: proctoring.Policy, after: proctoring.Policy) -> None:
    """One line for each setting that is not the same."""
    old = dict(settings(before.model_dump(mode="json")))
    for path, value in settings(after.model_dump(mode="json")):
        if old.get(path) != value and path not in ("name", "description"):
            print(f"  {path}: {value} (was {old.get(path)})")


def settings(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of a policy under its dotted path."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


if __name__ == "__main__":
    main()
