"""The incidents of a sitting as CSV for spreadsheets: one row says one decision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from proctoring.records.sitting_detail import Decision, IncidentRecord

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the system's own encoding."""

_INCIDENT = tuple(
    field.name
    for field in fields(IncidentRecord)
    if field.name not in ("decision", "decisions", "decision_count", "evidence")
)
HEADER = (*_INCIDENT, "verdict", "decision", "decision_reason", "decided_by", "decided_at")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a cell a formula, or hide one (OWASP, CSV injection); the last four are
full width."""


def incident_table(incidents: Iterable[IncidentRecord]) -> Iterator[str]:
    """Lines of the table, with a byte order mark. An incident has a row for each of its decisions and
    comments, or one row without; ``verdict`` is the decision that counts."""
    yield BYTE_ORDER_MARK + _line(HEADER)
    for incident in incidents:
        own = [getattr(incident, name) for name in _INCIDENT]
        for decision in incident.decisions or (None,):
            yield _line([*own, incident.decision, *_decision(decision)])


def _decision(decision: Decision | None) -> Sequence[object]:
    if decision is None:
        return ("", "", "", "")
    at = decision.decided_at.isoformat(timespec="seconds")
    return (decision.decision, decision.reason, decision.reviewer, at)


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([spreadsheet_safe(cell) for cell in cells])
    return text.getvalue()


def spreadsheet_safe(value: object) -> object:
    """A cell that spreadsheets do not interpret as a formula."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
