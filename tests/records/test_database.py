"""What a database says of a failure shows nothing that was to be written."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from tests.records.conftest import BEGAN

from proctoring.records.archive import Archive
from proctoring.records.database import writing
from proctoring.records.tables import DecisionRow

SECRET = "words-that-nobody-may-read"  # noqa: S105


def test_errors_show_no_parameters(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    row: dict[str, Any] = {
        "id": "D1",
        "sitting_id": "S9",
        "incident_id": SECRET[:26],
        "decision": "comment",
    }
    row |= {
        "reason": SECRET,
        "reviewer": SECRET,
        "decided_at": BEGAN,
        "addition_number": 1,
        "hash": "",
    }
    try:
        with writing(archive.engine) as connection:
            connection.execute(insert(DecisionRow), [row, {**row, "id": "D2"}])
        pytest.fail("a decision on nothing was taken")
    except IntegrityError:
        logging.getLogger("tests").exception("it failed")
    assert "foreign key" in caplog.text.lower()
    assert SECRET[:26] not in caplog.text
