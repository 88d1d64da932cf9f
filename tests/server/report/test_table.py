"""The incidents of a sitting as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.server.report.build import BEGAN, INCIDENT, decided

from proctoring.records.sitting_detail import IncidentRecord
from proctoring.server.report.table import incident_table
from proctoring.spreadsheets import spreadsheet_safe


def rows(*incidents: IncidentRecord) -> list[dict[str, str]]:
    text = "".join(incident_table(incidents))
    assert text.startswith("\ufeff"), "Excel needs it to read UTF-8"
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_row_says_one_decision() -> None:
    verdict = decided(INCIDENT, "dismiss", "a tic")
    comment = replace(
        verdict.decisions[0],
        decision="comment",
        reason="asked the proctor",
        reviewer="another",
        decided_at=BEGAN + timedelta(hours=4),
    )
    first, second = rows(replace(verdict, decisions=(*verdict.decisions, comment)))
    said = [(row["decision"], row["decision_reason"], row["decided_by"]) for row in (first, second)]
    assert said == [("dismiss", "a tic", "reviewer"), ("comment", "asked the proctor", "another")]
    assert first["verdict"] == second["verdict"] == "dismiss"
    assert first["decided_at"] == "2026-01-02T13:00:00+00:00"
    assert first["number"] == second["number"] == "1"


def test_an_incident_without_a_decision_has_one_row() -> None:
    (row,) = rows(INCIDENT)
    assert (row["label"], row["verdict"], row["decision"]) == ("Looking Left", "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert spreadsheet_safe(f"{start}cmd") == f"'{start}cmd"
    (row,) = rows(replace(INCIDENT, reason=f"{start}cmd"))
    assert row["reason"].startswith("'")


def test_numbers_and_plain_words_stay_as_they_are() -> None:
    assert spreadsheet_safe(-1.5) == -1.5
    assert spreadsheet_safe("a = b") == "a = b"
