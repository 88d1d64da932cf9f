"""A report of any sitting is made in bounded memory, on pages that hold it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.server.report.build import BEGAN, INCIDENT, decided, sitting_detail

from proctoring.records.sitting_detail import Consent, Decision, IncidentRecord
from proctoring.server.report.content import MAX_DECISIONS, MAX_INCIDENTS, content
from proctoring.server.report.html import report_html
from proctoring.server.report.pdf import report_pdf
from proctoring.server.report.table import incident_table

WORDS = "reason " * 570  # 4,000 characters, as long as a decision's may be


def many(number: int) -> Iterator[IncidentRecord]:
    for index in range(1, number + 1):
        yield replace(
            INCIDENT,
            id=f"I{index}",
            number=index,
            started_at=10.0 * index,
            severity="violation" if index % 1000 == 0 else "info",
        )


def test_the_most_severe_incidents_are_listed_in_order_and_all_are_counted() -> None:
    tracemalloc.start()
    try:
        found = content(sitting_detail(), (), {}, many(2000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000
    numbers = [incident.number for incident in found.detail.incidents]
    assert len(numbers) == MAX_INCIDENTS
    assert numbers == sorted(numbers)
    assert {1000, 2000} < set(numbers)
    assert numbers[0] == 1
    assert sum(one.times for one in found.sums) == 2000
    assert found.left_out == 2000 - MAX_INCIDENTS
    assert found.length == 20_004.2
    assert "300 most severe of 2000 incidents" in report_html(found)


def test_a_report_shows_the_last_decisions_and_the_one_that_counts() -> None:
    comments = [
        Decision(f"C{number}", INCIDENT.id, "comment", f"c{number}", "r", BEGAN)
        for number in range(9)
    ]
    verdict = decided(INCIDENT, "confirm", "seen")
    talked = replace(verdict, decisions=(*verdict.decisions, *comments))
    (shown,) = content(sitting_detail(talked), (), {}).detail.incidents
    assert [said.reason for said in shown.decisions] == ["seen", "c7", "c8"]
    assert len(shown.decisions) == MAX_DECISIONS


@pytest.mark.slow
def test_the_largest_report_is_made_in_bounded_time() -> None:
    said = tuple(Decision(f"C{n}", INCIDENT.id, "confirm", WORDS, "r", BEGAN) for n in range(3))
    consents = tuple(
        Consent(f"K{n}", n < 8, "You are watched. " * 1000, "c-1", BEGAN, 3, BEGAN)
        for n in range(16)
    )
    detail = replace(sitting_detail(), consents=consents)
    start = time.process_time()
    found = content(detail, (), {}, (replace(one, decisions=said) for one in many(10_000)))
    assert report_pdf(found)[:4] == b"%PDF"
    assert len(report_html(found)) < 8_000_000
    assert time.process_time() - start < 60


@pytest.mark.parametrize("reason", [WORDS, "x" * 4000], ids=["words", "one word"])
def test_a_long_reason_fits_on_pages(reason: str) -> None:
    said = tuple(Decision(f"C{n}", INCIDENT.id, "confirm", reason, "r", BEGAN) for n in range(3))
    detail = sitting_detail(replace(INCIDENT, decisions=said))
    consents = (Consent("K", True, "You are watched. " * 1000, "c-1", BEGAN, 3, BEGAN),) * 16
    assert report_pdf(content(replace(detail, consents=consents), (), {}))[:4] == b"%PDF"


def test_a_table_of_incidents_is_made_line_by_line() -> None:
    lines = incident_table(many(10**9))
    assert next(lines).startswith("\ufeffid,number,kind")
    assert next(lines).startswith("I1,1,gaze.left")
