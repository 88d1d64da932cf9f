"""The content of a report, independent of its format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from proctoring.incidents import Severity
from proctoring.records.sitting_detail import IncidentRecord, SittingDetail

LISTED = 1000
"""Incidents that a report lists one by one; the sums and the timeline count all."""


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


@dataclass(frozen=True, slots=True)
class Bar:
    """One incident in the timeline. Media times in seconds."""

    label: str
    severity: str
    start: float
    end: float


MediaSegment = tuple[tuple[float, float], ...]
"""Points of a line: media time in seconds, value."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: several lines over media time."""

    title: str
    lines: tuple[tuple[str, tuple[MediaSegment, ...]], ...]
    """Name, and segments without a gap in the measurements."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of an incident, or why it could not be read."""

    jpeg: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report contains."""

    detail: SittingDetail
    incidents: tuple[IncidentRecord, ...]
    """Those that are listed one by one."""
    unlisted: int
    """How many are not."""
    sums: tuple[Sum, ...]
    bars: tuple[Bar, ...]
    panels: tuple[Panel, ...]
    length: float
    """Seconds of the time axis."""
    stills: Mapping[str, Still]
    """By the incident's id."""


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
    stills: Mapping[str, Still] | None = None,
) -> Content:
    """The content of a sitting's report.

    Args:
        detail: the sitting with its incidents and decisions.
        time: media time in seconds of each point of ``series``.
        series: name of a signal to its values; ``None`` where it was not measured.
        stills: pictures by the id of their incident.
    """
    panels = []
    for title, names in PANELS.items():
        lines = tuple(
            (name, found) for name in names if (found := _stretches(time, series.get(name, ())))
        )
        if lines:
            panels.append(Panel(title, lines))
    incidents = detail.incidents
    ends = [incident.started_at + incident.duration for incident in incidents]
    length = max([detail.sitting.media_time or 0.0, *ends, *time[-1:], 1.0])
    return Content(
        detail=detail,
        incidents=incidents[:LISTED],
        unlisted=max(0, len(incidents) - LISTED),
        sums=_sums(incidents),
        bars=_bars(incidents, length),
        panels=tuple(panels),
        length=length,
        stills=stills or {},
    )


def _stretches(time: Sequence[float], values: Sequence[float | None]) -> tuple[MediaSegment, ...]:
    """Split at gaps: no line is drawn where nothing was measured."""
    points = zip(time, values, strict=False)
    return tuple(
        tuple((at, value) for at, value in stretch if value is not None)
        for measured, stretch in groupby(points, lambda point: point[1] is not None)
        if measured
    )


def _sums(incidents: Iterable[IncidentRecord]) -> tuple[Sum, ...]:
    found: dict[tuple[str, str], list[IncidentRecord]] = {}
    for incident in incidents:
        found.setdefault((incident.label, incident.severity), []).append(incident)
    sums = [
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
    ]
    return tuple(sorted(sums, key=lambda one: -Severity(one.severity).rank))


_STEPS = 500
"""Places of the time axis that are told apart: more than its points in print."""


def _bars(incidents: Iterable[IncidentRecord], length: float) -> tuple[Bar, ...]:
    """One bar of several that would be printed over each other."""
    found = {}
    for incident in incidents:
        end = incident.started_at + incident.duration
        at = (int(_STEPS * incident.started_at / length), int(_STEPS * end / length))
        bar = Bar(incident.label, incident.severity, incident.started_at, end)
        found[incident.label, incident.severity, at] = bar
    return tuple(found.values())


def clock(seconds: float | None) -> str:
    """``1:02:03``, within the first hour ``2:03``; a dash for ``None``."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
