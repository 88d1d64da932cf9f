"""A report in words: what both of its formats print, in the order in which they print it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from proctoring.records.sitting_detail import Consent, Decision, IncidentRecord
from proctoring.server.report.content import Content, clock, left_out_text

CAUTION = (
    "An alert is a hint, not a verdict. What is listed here was measured by machines that err; a "
    "person who knows the exam and saw the evidence decides."
)
LEGEND = (
    "Bars are incidents (red: violation, brown: warning, blue: information); lines are what was "
    "measured."
)
LONGEST_CONSENT = 8000
"""Characters of a consent's text that are printed."""
LAST_CONSENTS = 20
"""Consents that are printed."""
_VERDICTS = {"confirm": "Confirmed", "dismiss": "Dismissed", "comment": "Comment"}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody decided, commented or agreed to."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """One incident."""

    title: str
    severity: str
    verdict: str
    """``Confirmed``, ``Dismissed``, ``Not decided``."""
    text: str
    said: tuple[Said, ...]
    still: str
    """Name of its picture in the document; empty where there is none."""
    note: str
    """Of evidence that is not printed."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report in words."""

    session_id: str
    caution: str
    legend: str
    facts: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, ...], ...]
    """Rows of a table with ``HEADER``."""
    header: tuple[str, ...]
    incidents: tuple[IncidentEntry, ...]
    left_out: str
    """Which incidents are not listed; empty if all are."""
    consents: tuple[Said, ...]
    policy: str
    """TOML: the annex."""


HEADER = ("Incident", "Severity", "Times", "Alerts", "Seconds", "Confirmed", "Dismissed")


def document(content: Content) -> Document:
    """What is printed of a report."""
    detail = content.detail
    sitting = detail.sitting
    ended = moment(sitting.ended_at) if sitting.ended_at else sitting.state
    return Document(
        session_id=sitting.session_id,
        caution=CAUTION,
        legend=LEGEND,
        facts=(
            ("Started", moment(sitting.started_at)),
            ("Ended", ended + (f" ({sitting.end_reason})" if sitting.end_reason else "")),
            ("Length", clock(sitting.media_time)),
            ("Policy", f"{sitting.policy} (SHA-256 {sitting.policy_hash[:16]}; see the annex)"),
            ("Sitting", sitting.id),
            ("Events", f"{sitting.events}, {'sealed' if sitting.seal else 'not sealed yet'}"),
            ("Consent", _consent_summary(detail.consents)),
        ),
        header=HEADER,
        sums=tuple(
            (
                one.label,
                one.severity,
                str(one.times),
                str(one.alerts),
                f"{one.seconds:.1f}",
                str(one.confirmed),
                str(one.dismissed),
            )
            for one in content.sums
        ),
        incidents=tuple(_incident(content, incident) for incident in detail.incidents),
        left_out=left_out_text(content),
        consents=tuple(map(_consent, detail.consents[-LAST_CONSENTS:])),
        policy=detail.policy_toml,
    )


def moment(at: datetime) -> str:
    """``2026-01-02 10:00:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def still_name(incident: IncidentRecord) -> str:
    """Name of an incident's picture in the document."""
    return f"still-{incident.number}.jpg"


def _incident(content: Content, incident: IncidentRecord) -> IncidentEntry:
    still = content.stills.get(incident.id)
    pieces = len(incident.evidence) - (still is not None and bool(still.jpeg))
    notes = [f"The still cannot be shown: {still.problem}."] if still and still.problem else []
    if pieces and not notes:
        notes = [f"{pieces} more evidence file{'s' * (pieces > 1)} on the page of the session."]
    quiet = "" if incident.alerted else ", without alert"
    lasted = (
        "Open when this report was made"
        if incident.is_open
        else f"Lasted {incident.duration:.1f} s"
    )
    return IncidentEntry(
        title=f"{clock(incident.started_at)} {incident.label}",
        severity=f"{incident.severity}{quiet}",
        verdict=_VERDICTS.get(incident.decision or "", "Not decided"),
        text=(
            f"{incident.reason}. {lasted}; mean confidence of what counted "
            f"{100 * incident.confidence:.0f}%."
        ),
        said=tuple(map(_decision, incident.decisions)),
        still=still_name(incident) if still and still.jpeg else "",
        note=" ".join(notes),
    )


def _decision(decision: Decision) -> Said:
    by = f" by {_isolated(decision.reviewer)}" if decision.reviewer else ""
    verdict = _VERDICTS[decision.decision]
    return Said(f"{verdict}{by}, {moment(decision.decided_at)}", decision.reason)


def _consent(consent: Consent) -> Said:
    what = "Given" if consent.granted else "Taken back"
    by = f" by {_isolated(consent.given_by)}" if consent.given_by else ""
    text = consent.text
    if len(text) > LONGEST_CONSENT:
        text = f"{text[:LONGEST_CONSENT]} ... (of {len(text)} characters)"
    again = ""
    if consent.times > 1 and consent.last_given_at is not None:
        again = f", {consent.times} times until {moment(consent.last_given_at)}"
    return Said(f"{what}{by}, {moment(consent.given_at)}{again}", text)


def _isolated(name: str) -> str:
    """A name that keeps its direction to itself (Unicode Standard Annex 9): an Arabic one must not
    turn the date beside it."""
    return f"\u2068{name}\u2069"


def _consent_summary(consents: tuple[Consent, ...]) -> str:
    if not consents:
        return "none recorded"
    last = _consent(consents[-1])
    return f"{last.title[0].lower()}{last.title[1:]}"
