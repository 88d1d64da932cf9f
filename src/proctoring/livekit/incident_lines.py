"""Log lines about a session's incidents, with the address at which they are reviewed."""

from __future__ import annotations

import logging

from proctoring.livekit.address import ServerAddress, sitting_id
from proctoring.livekit.messages import Incident, ProctoringEvent

logger = logging.getLogger("proctoring.livekit")


class IncidentLines:
    """Logs what one session's events report.

    Nobody is named: neither the session id, which the participant's identity is part of, nor reasons,
    which may quote what was said. The sitting's id in the address tells sessions apart.
    """

    def __init__(self, server: ServerAddress) -> None:
        self._server = server
        self._last_seq = 0
        self._review = ""

    async def log(self, event: ProctoringEvent) -> None:
        """Log the incidents that start or end in this event; with the first one, where to review."""
        # A lower number: the server lost the session and has begun another sitting.
        if not self._review or event.seq <= self._last_seq:
            self._review = await self._review_address(event.session_id)
            logger.info("proctoring has begun; review: %s", self._review)
        self._last_seq = event.seq
        for incident in event.incidents:
            if incident.state != "updated":
                logger.info("%s; review: %s", _describe(incident), self._review)

    async def _review_address(self, session_id: str) -> str:
        try:
            sitting = await sitting_id(self._server, session_id)
        except OSError:
            sitting = None
        page = f"sitting?id={sitting}" if sitting else "review"
        return f"{self._server.public}/{page}"


def _describe(incident: Incident) -> str:
    at = incident.started_at
    if incident.state == "ended":
        at += incident.duration
    return f"{incident.state} at {at:.1f} s: {incident.label} ({incident.severity})"
