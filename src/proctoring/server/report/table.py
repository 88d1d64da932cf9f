"""The incidents of a sitting as CSV for spreadsheets: one row says one decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from proctoring.records.sitting_detail import Decision, IncidentRecord
from proctoring.spreadsheets import BYTE_ORDER_MARK, csv_line

_INCIDENT = tuple(
    field.name
    for field in fields(IncidentRecord)
    if field.name not in ("decision", "decisions", "decision_count", "evidence")
)
HEADER = (*_INCIDENT, "verdict", "decision", "decision_reason", "decided_by", "decided_at")


def incident_table(incidents: Iterable[IncidentRecord]) -> Iterator[str]:
    """Lines of the table, with a byte order mark. An incident has a row for each of its decisions and
    comments, or one row without; ``verdict`` is the decision that counts."""
    yield BYTE_ORDER_MARK + csv_line(HEADER)
    for incident in incidents:
        own = [getattr(incident, name) for name in _INCIDENT]
        for decision in incident.decisions or (None,):
            yield csv_line([*own, incident.decision, *_decision(decision)])


def _decision(decision: Decision | None) -> Sequence[object]:
    if decision is None:
        return ("", "", "", "")
    at = decision.decided_at.isoformat(timespec="seconds")
    return (decision.decision, decision.reason, decision.reviewer, at)
