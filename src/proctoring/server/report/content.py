"""The content of a report, independent of its format."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from proctoring.incidents import Severity
from proctoring.records.sitting_detail import IncidentRecord, SittingDetail

MAX_INCIDENTS = 300
"""Incidents that a report lists: some 40 pages."""
MAX_DECISIONS = 3
"""Decisions and comments that a report shows of one incident."""


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
class Still:
    """A picture of an incident, or why it could not be read."""

    jpeg: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report contains."""

    detail: SittingDetail
    """With the incidents that are listed."""
    sums: tuple[Sum, ...]
    """Over all incidents."""
    panels: tuple[Panel, ...]
    length: float
    """Seconds of the time axis."""
    left_out: int = 0
    """Incidents that are not listed, all less severe or later than those that are."""
    stills: Mapping[str, Still] = field(default_factory=dict)
    """By the id of a listed incident."""


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
    incidents: Iterable[IncidentRecord] | None = None,
) -> Content:
    """The content of a sitting's report.

    Args:
        detail: the sitting with its incidents and decisions.
        time: media time in seconds of each point of ``series``.
        series: name of a signal to its values; ``None`` where it was not measured.
        incidents: all of the sitting's, where ``detail`` has only some.
    """
    sums, chosen, left_out, end = _choose(detail.incidents if incidents is None else incidents)
    panels = []
    for title, names in PANELS.items():
        lines = tuple(
            (name, found) for name in names if (found := _stretches(time, series.get(name, ())))
        )
        if lines:
            panels.append(Panel(title, lines))
    length = max([detail.sitting.media_time or 0.0, end, *time[-1:], 1.0])
    shown = replace(detail, incidents=chosen)
    return Content(shown, sums, tuple(panels), length, left_out)


def _stretches(time: Sequence[float], values: Sequence[float | None]) -> tuple[MediaSegment, ...]:
    """Split at gaps: no line is drawn where nothing was measured."""
    points = zip(time, values, strict=False)
    return tuple(
        tuple((at, value) for at, value in stretch if value is not None)
        for measured, stretch in groupby(points, lambda point: point[1] is not None)
        if measured
    )


def _choose(
    incidents: Iterable[IncidentRecord],
) -> tuple[tuple[Sum, ...], tuple[IncidentRecord, ...], int, float]:
    """Sums over all incidents, the ``MAX_INCIDENTS`` most severe ones, how many others there are, and
    when the last one ends. Holds no more than it returns."""
    sums: dict[tuple[str, str], Sum] = {}
    chosen: list[tuple[tuple[int, bool, int], IncidentRecord]] = []
    number, end = 0, 0.0
    for number, incident in enumerate(incidents, 1):
        key = (incident.label, incident.severity)
        sums[key] = _plus(sums.get(key) or Sum(*key, 0, 0, 0.0, 0, 0), incident)
        end = max(end, incident.started_at + incident.duration)
        # Numbers differ, so that incidents themselves are never compared.
        rank = (Severity(incident.severity).rank, incident.alerted, -number)
        push = heapq.heappush if len(chosen) < MAX_INCIDENTS else heapq.heappushpop
        push(chosen, (rank, _last_decisions(incident)))
    in_order = sorted(chosen, key=lambda found: -found[0][2])
    return (
        tuple(sorted(sums.values(), key=lambda one: -Severity(one.severity).rank)),
        tuple(incident for _, incident in in_order),
        number - len(chosen),
        end,
    )


def _plus(before: Sum, incident: IncidentRecord) -> Sum:
    return replace(
        before,
        times=before.times + 1,
        alerts=before.alerts + incident.alerted,
        seconds=before.seconds + incident.duration,
        confirmed=before.confirmed + (incident.decision == "confirm"),
        dismissed=before.dismissed + (incident.decision == "dismiss"),
    )


def _last_decisions(incident: IncidentRecord) -> IncidentRecord:
    """The incident with the last ``MAX_DECISIONS`` decisions, the one that counts among them."""
    said = incident.decisions
    verdicts = [one for one in said if one.decision != "comment"][-1:]
    shown = {one.id for one in (*verdicts, *said[-MAX_DECISIONS + 1 :])}
    if len(said) <= MAX_DECISIONS:
        return incident
    return replace(incident, decisions=tuple(one for one in said if one.id in shown))


def left_out_text(content: Content) -> str:
    """Which incidents the report does not list; empty if it lists all."""
    if not content.left_out:
        return ""
    listed = len(content.detail.incidents)
    return (
        f"The {listed} most severe of {listed + content.left_out} incidents are listed here and drawn in "
        "the timeline; the table above counts all, and the CSV file lists all."
    )


def clock(seconds: float | None) -> str:
    """``1:02:03``, within the first hour ``2:03``; a dash for ``None``."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
