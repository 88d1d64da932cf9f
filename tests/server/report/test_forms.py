"""The report as a page and as a PDF: both hold what matters, and text stays text."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.server.report.build import BEGAN, INCIDENT, decided, sitting_detail

from proctoring.incidents import LABELS
from proctoring.records.sitting_detail import Consent
from proctoring.server.report.content import PANELS, Content, consent_text, content
from proctoring.server.report.html import report_html
from proctoring.server.report.pdf import report_pdf

HOSTILE = "<script>alert(1)</script> & <b>"


def reported(reason: str = "the neighbour came in") -> Content:
    incident = decided(replace(INCIDENT, reason=reason), "dismiss", reason)
    seconds = tuple(float(second) for second in range(600))
    return content(
        sitting_detail(incident),
        seconds,
        {"gaze_yaw": tuple(second % 30 for second in seconds), "faces": (1.0,) * 600},
    )


def test_the_page_says_what_happened_and_what_was_decided() -> None:
    page = report_html(reported())
    for part in ("exam-7", "Looking Left", "Dismissed", "the neighbour came in", "<svg", "1:31"):
        assert part in page
    assert "hint, not a verdict" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = report_html(reported())
    assert "<script" not in page
    assert "src=" not in page.replace("xlink", "")
    assert "<link" not in page


def test_what_people_wrote_is_text_on_the_page_and_in_the_pdf() -> None:
    assert HOSTILE not in report_html(reported(HOSTILE))
    assert report_pdf(reported(HOSTILE)).startswith(b"%PDF")


def test_the_pdf_reads_as_the_page_does(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian's poppler-utils)")
    file = tmp_path / "report.pdf"
    file.write_bytes(report_pdf(reported()))
    done = subprocess.run(["pdftotext", file, "-"], check=True, capture_output=True, text=True)
    for part in ("exam-7", "Looking Left", "Dismissed", "the neighbour came in", "What counted"):
        assert part in done.stdout


def test_a_sitting_without_incidents_is_reported_as_such() -> None:
    nothing = content(sitting_detail(), (), {})
    assert "No incident was recorded." in report_html(nothing)
    assert report_pdf(nothing).startswith(b"%PDF")


def test_a_sitting_with_every_kind_of_incident_and_every_curve_fits_its_pages() -> None:
    incidents = [replace(INCIDENT, kind=kind, label=label) for kind, label in LABELS.items()]
    seconds = tuple(float(second) for second in range(60))
    series = {name: (0.5,) * 60 for names in PANELS.values() for name in names}
    assert len(incidents) > 20
    everything = content(sitting_detail(*incidents), seconds, series)
    assert report_pdf(everything).startswith(b"%PDF")


def test_a_report_says_what_was_consented_to() -> None:
    given = Consent("01C", True, "I agree.", "Maria", BEGAN)
    told = replace(sitting_detail(), consents=(given, replace(given, granted=False)))
    assert consent_text(told.consents) == (
        "given 2026-01-02T10:00:00+00:00; taken back 2026-01-02T10:00:00+00:00"
    )
    assert consent_text(told.consents) in report_html(content(told, (), {}))
    assert consent_text(()) == "none recorded"
