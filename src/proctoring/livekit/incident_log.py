"""A session's incidents as its events report them: open ones, and who acknowledged which."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from proctoring.livekit.messages import Incident, ProctoringEvent

_REMEMBERED = 10_000
"""Incidents whose acknowledgements are kept."""


class IncidentLog:
    """Updated by every event. Bounded."""

    def __init__(self) -> None:
        self.alerts = 0
        """Alerts so far."""
        self._open: dict[str, Incident] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._acknowledged: OrderedDict[str, str] = OrderedDict()

    def update(self, event: ProctoringEvent) -> None:
        """Apply the incident changes of an event."""
        self.alerts += len(event.alerts)
        for incident in event.incidents:
            self._known[incident.id] = None
            if incident.state == "ended":
                self._open.pop(incident.id, None)
            else:
                self._open[incident.id] = incident
        while len(self._known) > _REMEMBERED:
            forgotten, _ = self._known.popitem(last=False)
            self._acknowledged.pop(forgotten, None)

    def acknowledge(self, incident: str, by: str) -> bool:
        """Note that somebody saw an incident. ``False``: the session had no such incident."""
        if incident not in self._known:
            return False
        self._acknowledged[incident] = by
        return True

    def open_incidents(self) -> list[dict[str, Any]]:
        """The incidents that have not ended, as plain data."""
        return [
            {
                "id": each.id,
                "kind": each.kind,
                "label": each.label,
                "severity": each.severity,
                "started_at": each.started_at,
                "acknowledged_by": self._acknowledged.get(each.id),
            }
            for each in self._open.values()
        ]
