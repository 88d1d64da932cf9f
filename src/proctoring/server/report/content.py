"""The content of a report, independent of its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from proctoring.records.sitting_detail import Consent, IncidentRecord, SittingDetail


@dataclass(frozen=True, slots=True)
class Sum:
    """All incidents of one kind."""

    label: str
    severity: str
    times: int
    alerts: int
    seconds: float
    confirmed: int
    dismissed: int


MediaSegment = tuple[tuple[float, float], ...]
"""Points of a line: media time in seconds, value."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: several lines over media time."""

    title: str
    lines: tuple[tuple[str, tuple[MediaSegment, ...]], ...]
    """Name, and segments without a gap in the measurements."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report contains."""

    detail: SittingDetail
    sums: tuple[Sum, ...]
    panels: tuple[Panel, ...]
    length: float
    """Seconds of the time axis."""


PANELS = {
    "Gaze (degrees; to the candidate's left, up)": ("gaze_yaw", "gaze_pitch"),
    "Head (degrees; to the candidate's left, up)": ("head_yaw", "head_pitch"),
    "Faces and persons in the picture": ("faces", "persons"),
    "Liveness (0 to 1)": ("liveness",),
    "Speech (share of the time)": ("speech",),
}
"""Title of a plot to the signals in it."""


def content(
    detail: SittingDetail,
    time: Sequence[float],
    series: Mapping[str, Sequence[float | None]],
) -> Content:
    """The content of a sitting's report.

    Args:
        detail: the sitting with its incidents and decisions.
        time: media time in seconds of each point of ``series``.
        series: name of a signal to its values; ``None`` where it was not measured.
    """
    panels = []
    for title, names in PANELS.items():
        lines = tuple(
            (name, found) for name in names if (found := _stretches(time, series.get(name, ())))
        )
        if lines:
            panels.append(Panel(title, lines))
    ends = [incident.started_at + incident.duration for incident in detail.incidents]
    length = max([detail.sitting.media_time or 0.0, *ends, *time[-1:], 1.0])
    return Content(detail, _sums(detail.incidents), tuple(panels), length)


def _stretches(time: Sequence[float], values: Sequence[float | None]) -> tuple[MediaSegment, ...]:
    """Split at gaps: no line is drawn where nothing was measured."""
    points = zip(time, values, strict=False)
    return tuple(
        tuple((at, value) for at, value in stretch if value is not None)
        for measured, stretch in groupby(points, lambda point: point[1] is not None)
        if measured
    )


def _sums(incidents: Sequence[IncidentRecord]) -> tuple[Sum, ...]:
    found: dict[tuple[str, str], list[IncidentRecord]] = {}
    for incident in incidents:
        found.setdefault((incident.label, incident.severity), []).append(incident)
    return tuple(
        Sum(
            label,
            severity,
            len(own),
            sum(one.alerted for one in own),
            sum(one.duration for one in own),
            sum(one.decision == "confirm" for one in own),
            sum(one.decision == "dismiss" for one in own),
        )
        for (label, severity), own in found.items()
    )


def consent_text(consents: Sequence[Consent]) -> str:
    """Consents and withdrawals with their times."""
    said = [
        f"{'given' if one.granted else 'taken back'} {one.given_at.isoformat(timespec='seconds')}"
        for one in consents
    ]
    return "; ".join(said) or "none recorded"


def clock(seconds: float | None) -> str:
    """``1:02:03``, within the first hour ``2:03``; a dash for ``None``."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
