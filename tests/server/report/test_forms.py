"""The report as a page and as a PDF: both hold what matters, and text stays text."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.server.report.build import BEGAN, INCIDENT, decided, sitting_detail

from proctoring.incidents import LABELS
from proctoring.records.sitting_detail import Consent
from proctoring.server.report.content import PANELS, Content, Still, content
from proctoring.server.report.document import document
from proctoring.server.report.html import report_html
from proctoring.server.report.pdf import report_pdf

HOSTILE = "<script>alert(1)</script> & <b> #panic() $x$ *a* @b"

SCRIPTS = {
    "Latin": "Łukasz Żółć",
    "Greek": "κοίταξε το ρολόι",
    "Cyrillic": "посмотрела на часы",
    "Hebrew": "הסתכלה על השעון",
    "Arabic": "نظر إلى الساعة",
    "Chinese": "他看了一下钟",
    "Japanese": "時計を見た",
    "Korean": "시계를 보았다",
    "Devanagari": "घड़ी देखी",
    "Thai": "มองนาฬิกา",
}


def reported(reason: str = "the neighbour came in") -> Content:
    incident = decided(replace(INCIDENT, reason=reason), "dismiss", reason)
    seconds = tuple(float(second) for second in range(600))
    return content(
        sitting_detail(incident),
        seconds,
        {"gaze_yaw": tuple(second % 30 for second in seconds), "faces": (1.0,) * 600},
    )


def text_of(pdf: bytes, tmp_path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian's poppler-utils)")
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(["pdftotext", file, "-"], check=True, capture_output=True, text=True)
    return done.stdout


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 90)).save(target, "JPEG")
    return target.getvalue()


def test_an_open_incident_has_no_length_yet_and_is_drawn_to_the_end() -> None:
    ended, still_open = (
        report_html(content(sitting_detail(replace(INCIDENT, state=state)), (0.0, 600.0), {}))
        for state in ("ended", "started")
    )
    assert "Lasted" in ended
    assert "Lasted" not in still_open
    assert "Open when this report was made" in still_open

    def bar(page: str) -> float:
        return max(float(wide) for wide in re.findall(r'<rect [^>]* width="([\d.]+)"', page))

    assert bar(still_open) > 10 * bar(ended)


def test_the_page_says_what_happened_and_what_was_decided() -> None:
    page = report_html(reported())
    for part in ("exam-7", "Looking Left", "Dismissed", "the neighbour came in", "<svg", "1:31"):
        assert part in page
    assert "hint, not a verdict" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    pictured = replace(reported(), stills={INCIDENT.id: Still(jpeg=picture())})
    page = report_html(pictured)
    assert "<script" not in page
    assert re.findall(r'src="([^,"]*)', page) == ["data:image/jpeg;base64"]
    assert "<link" not in page


def test_what_people_wrote_is_text_on_the_page_and_in_the_pdf(tmp_path: Path) -> None:
    assert HOSTILE not in report_html(reported(HOSTILE))
    assert "<script>" not in report_html(reported(HOSTILE))
    assert HOSTILE in text_of(report_pdf(reported(HOSTILE)), tmp_path)


def test_the_pdf_reads_as_the_page_does(tmp_path: Path) -> None:
    told = text_of(report_pdf(reported()), tmp_path)
    for part in ("exam-7", "Looking Left", "Dismissed", "the neighbour came in", "What counted"):
        assert part in told


def test_the_pdf_prints_every_script_that_its_fonts_have(tmp_path: Path) -> None:
    incidents = [
        decided(replace(INCIDENT, id=f"{n:026}", number=n), "dismiss", words)
        for n, words in enumerate(SCRIPTS.values())
    ]
    pdf = report_pdf(content(sitting_detail(*incidents), (), {}))
    told = text_of(pdf, tmp_path)
    wanted = {script: words for script, words in SCRIPTS.items() if script != "Thai"}
    # A character that no font has would be missing in the text, too. Right to left, pdftotext
    # reorders and splits ligatures: letters are compared there.
    missing = {
        script for script, words in wanted.items() if not set(words.replace(" ", "")) <= set(told)
    }
    assert missing == set()


def test_an_arabic_name_does_not_turn_the_date_beside_it(tmp_path: Path) -> None:
    incident = decided(INCIDENT, "dismiss", "seen")
    decision = replace(incident.decisions[0], reviewer="محمد")
    found = content(sitting_detail(replace(incident, decisions=(decision,))), (), {})
    assert ", 2026-01-02 13:00:00 UTC" in text_of(report_pdf(found), tmp_path)
    (said,) = document(found).incidents[0].said
    assert said.title == "Dismissed by \u2068محمد\u2069, 2026-01-02 13:00:00 UTC"


def test_stills_are_in_both_reports(tmp_path: Path) -> None:
    unread = replace(INCIDENT, id="01KDZ2CN80000000F6FMQ3VH2N", number=2)
    stills = {
        INCIDENT.id: Still(jpeg=picture()),
        unread.id: Still(problem="the store does not answer"),
    }
    pictured = replace(content(sitting_detail(INCIDENT, unread), (), {}), stills=stills)
    assert report_html(pictured).count("<img ") == 1
    pdf = report_pdf(pictured)
    assert pdf.count(b"/Subtype/Image") == 1
    assert "cannot be shown: the store does not answer" in report_html(pictured)
    assert "cannot be shown: the store does not answer" in text_of(pdf, tmp_path)


def test_the_policy_is_an_annex(tmp_path: Path) -> None:
    policy = "\n".join(f"[incidents.kind_{n}]\npersist = {n}" for n in range(300))
    detail = replace(sitting_detail(INCIDENT), policy_toml=policy)
    pages = text_of(report_pdf(content(detail, (), {})), tmp_path).split("\f")
    at = next(n for n, page in enumerate(pages) if "Annex: the policy that judged" in page)
    assert "Looking Left" in pages[at - 1]
    assert len([page for page in pages if page.strip()]) <= 4
    page = report_html(content(detail, (), {}))
    assert page.index("Annex") > page.index("Consent</h2>") > page.index("Looking Left")


def test_a_sitting_without_incidents_is_reported_as_such(tmp_path: Path) -> None:
    nothing = content(sitting_detail(), (), {})
    assert "No incident was recorded." in report_html(nothing)
    assert "No incident was recorded." in text_of(report_pdf(nothing), tmp_path)


def test_a_sitting_with_every_kind_of_incident_and_every_curve_fits_its_pages() -> None:
    incidents = [replace(INCIDENT, kind=kind, label=label) for kind, label in LABELS.items()]
    seconds = tuple(float(second) for second in range(60))
    series = {name: (0.5,) * 60 for names in PANELS.values() for name in names}
    assert len(incidents) > 20
    everything = content(sitting_detail(*incidents), seconds, series)
    assert report_pdf(everything).startswith(b"%PDF")


def test_a_report_says_who_agreed_to_what(tmp_path: Path) -> None:
    given = Consent("01C", True, "I agree that my camera is analysed.", "Maria", BEGAN)
    told = content(
        replace(sitting_detail(), consents=(given, replace(given, granted=False))), (), {}
    )
    for text in (report_html(told), text_of(report_pdf(told), tmp_path)):
        bare = text.replace("\u2068", "").replace("\u2069", "")
        assert "Given by Maria, 2026-01-02 10:00:00 UTC" in bare
        assert "Taken back by Maria, 2026-01-02 10:00:00 UTC" in bare
        assert "I agree that my camera is analysed." in bare
    assert "none recorded" in report_html(content(sitting_detail(), (), {}))
