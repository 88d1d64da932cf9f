"""What the summary says of one result."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from proctoring.incidents import Severity

Outcome = Literal["complete", "incomplete", "failed"]
"""``incomplete``: analysed as far as it could be read. ``failed``: there is no report."""


@dataclass(frozen=True, slots=True)
class Findings:
    """One result in numbers."""

    outcome: Outcome
    reason: str
    """Why it is not complete; empty if it is."""
    seconds: float
    """Seconds of the recording."""
    cpu: float
    """CPU seconds that the analysis took."""
    violations: int
    warnings: int
    infos: int
    alerts: int
    """Incidents that raised an alert."""
    text: str
    """What was found and how often: the most severe first, then the most frequent."""


def findings_of(result: bytes) -> Findings:
    """The findings of a result file.

    Raises:
        ValueError: it is no such file.
    """
    try:
        report = json.loads(result)
        if "failed" in report:
            return Findings("failed", str(report["failed"]), 0.0, 0.0, 0, 0, 0, 0, "")
        incidents: list[dict[str, Any]] = report["incidents"]
        severities = Counter(Severity(one["severity"]) for one in incidents)
        return Findings(
            "complete" if report["complete"] else "incomplete",
            str(report["problem"]),
            float(report["duration"]),
            float(report["cpu_seconds_taken"]),
            severities[Severity.VIOLATION],
            severities[Severity.WARNING],
            severities[Severity.INFO],
            sum(bool(one["alerted"]) for one in incidents),
            _text(incidents),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the report of a recording") from error


def _text(incidents: list[dict[str, Any]]) -> str:
    counts = Counter((Severity(one["severity"]).rank, str(one["label"])) for one in incidents)
    ordered = sorted(counts.items(), key=lambda item: (-item[0][0], -item[1], item[0][1]))
    return ", ".join(
        f"{label} ({count} times)" if count > 1 else label for (_, label), count in ordered
    )
