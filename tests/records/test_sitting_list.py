"""Sittings are found by a part of what people remember, and come in the order that is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell

from proctoring.records.archive import Archive
from proctoring.records.sitting_list import SittingFilter, SittingOrder, session_search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("María JOSÉ", ["maria", "jose"]),
        ("  Łukasz\tMüller ", ["lukasz", "muller"]),
        ("Weiß", ["weiss"]),
        ("exam_7-%", ["exam_7-%"]),
        ("", []),
    ],
)
def test_case_and_accents_of_a_search_do_not_count(text: str, words: list[str]) -> None:
    assert session_search(text) == words


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.writer().write(
        [
            beginning("S1", "exam-7-Maria"),
            occurrence(1, sitting_id="S1", session_id="exam-7-Maria"),
            ending("S1", "exam-7-Maria"),
            beginning("S2", "exam-7-jose", BEGAN + timedelta(minutes=1)),
            occurrence(1, sitting_id="S2", session_id="exam-7-jose"),
            occurrence(2, sitting_id="S2", session_id="exam-7-jose"),
            beginning("S3", "Exam_8", BEGAN + timedelta(minutes=2)),
            beginning("S4", "alba", BEGAN + timedelta(minutes=3)),
        ],
        tell,
    )
    return archive


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("marí", ["S1"]),
        ("JOSÉ exam", ["S2"]),
        ("exam", ["S3", "S2", "S1"]),
        ("m_8", ["S3"]),
        ("%", []),
        ("maria jose", []),
        ("s2", ["S2"]),
        ("", ["S4", "S3", "S2", "S1"]),
    ],
)
def test_a_part_of_the_name_finds_a_sitting(filled: Archive, search: str, found: list[str]) -> None:
    page = filled.reader.sittings(SittingFilter(search=search))
    assert [sitting.id for sitting in page.sittings] == found


@pytest.mark.parametrize(
    ("order", "descending", "found"),
    [
        ("started", True, ["S4", "S3", "S2", "S1"]),
        ("started", False, ["S1", "S2", "S3", "S4"]),
        ("session_id", False, ["S4", "S2", "S1", "S3"]),
        ("violations", True, ["S2", "S1", "S4", "S3"]),
        ("alerts", False, ["S3", "S4", "S1", "S2"]),
        ("undecided", True, ["S2", "S1", "S4", "S3"]),
        ("length", True, ["S1", "S4", "S3", "S2"]),
    ],
)
def test_an_order_holds_over_pages(
    filled: Archive, order: SittingOrder, descending: bool, found: list[str]
) -> None:
    listed, before = [], None
    while True:
        page = filled.reader.sittings(
            SittingFilter(order=order, descending=descending, before=before, limit=1)
        )
        listed += [sitting.id for sitting in page.sittings]
        before = page.next
        if before is None:
            break
    assert listed == found
