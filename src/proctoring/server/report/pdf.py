"""The report as a PDF."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import (
    KeepTogether,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from proctoring.server.report.charts import timeline
from proctoring.server.report.content import Content, clock, consent_text, left_out_text

_VERDICTS = {"confirm": "Confirmed", "dismiss": "Dismissed", None: "Not decided"}


def report_pdf(content: Content) -> bytes:
    """The PDF's bytes, A4 pages."""
    target = BytesIO()
    sitting = content.detail.sitting
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=17 * mm,
        rightMargin=17 * mm,
        topMargin=15 * mm,
        bottomMargin=15 * mm,
        title=f"Report on session {sitting.session_id}",
        author="Proctoring",
    )
    document.build(_story(content))
    return target.getvalue()


def _story(content: Content) -> list[Any]:
    styles = getSampleStyleSheet()
    sitting = content.detail.sitting
    body, heading, small = styles["BodyText"], styles["Heading2"], styles["Heading4"]

    def words(text: str, style: Any = body) -> Paragraph:
        # reportlab interprets paragraphs as markup: text must be escaped.
        return Paragraph(escape(text), style)

    ended = sitting.ended_at.isoformat(timespec="seconds") if sitting.ended_at else sitting.state
    facts = {
        "Started": sitting.started_at.isoformat(timespec="seconds"),
        "Ended": ended + (f" ({sitting.end_reason})" if sitting.end_reason else ""),
        "Length": clock(sitting.media_time),
        "Policy": f"{sitting.policy} (SHA-256 {sitting.policy_hash[:16]})",
        "Sitting": sitting.id,
        "Events": f"{sitting.events}, {'sealed' if sitting.seal else 'not sealed yet'}",
        "Consent": consent_text(content.detail.consents),
    }
    story: list[Any] = [
        words(f"Report on session {sitting.session_id}", styles["Title"]),
        words(
            "An alert is a hint, not a verdict. What is listed here was measured by machines that "
            "err; a person who knows the exam and saw the evidence decides."
        ),
        _table([[words(name), words(value)] for name, value in facts.items()], [30 * mm, 145 * mm]),
        words("What counted, and how much", heading),
    ]
    header = ["Incident", "Severity", "Times", "Alerts", "Seconds", "Confirmed", "Dismissed"]
    rows = [
        [
            one.label,
            one.severity,
            one.times,
            one.alerts,
            f"{one.seconds:.1f}",
            one.confirmed,
            one.dismissed,
        ]
        for one in content.sums
    ]
    story.append(
        _table([header, *rows], header=True) if rows else words("No incident was recorded.")
    )
    story += [
        KeepTogether([words("Timeline", heading), timeline(content)]),
        words("Incidents", heading),
    ]
    if content.left_out:
        story.append(words(left_out_text(content)))
    for incident in content.detail.incidents:
        said = [
            words(
                f"{one.decision}{f' by {one.reviewer}' if one.reviewer else ''}, {one.decided_at.isoformat(timespec='seconds')}: {one.reason}"
            )
            for one in incident.decisions
        ]
        quiet = "" if incident.alerted else ", without alert"
        title = f"{clock(incident.started_at)} {incident.label} ({incident.severity}{quiet})"
        text = (
            f"{incident.reason}. Lasted {incident.duration:.1f} s; mean confidence of what counted "
            f"{100 * incident.confidence:.0f}%. {_VERDICTS[incident.decision]}."
        )
        story.append(KeepTogether([words(title, small), words(text), *said]))
    if not content.detail.incidents:
        story.append(words("None."))
    story += [
        words("Policy that judged", heading),
        Preformatted(content.detail.policy_toml, styles["Code"], maxLineLength=100),
        Spacer(1, 1),
    ]
    return story


def _table(
    rows: list[list[Any]], widths: list[float] | None = None, *, header: bool = False
) -> Table:
    table = Table(rows, colWidths=widths, repeatRows=1 if header else 0, hAlign="LEFT")
    style: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTSIZE", (0, 0), (-1, -1), 8),
    ]
    if header:
        style.append(("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"))
    table.setStyle(TableStyle(style))
    return table
