"""Once an hour what is too old goes; what the database says of a failure is not repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell
from tests.session.conftest import BLIND, DEAF

from proctoring.records.archive import Archive
from proctoring.records.consents import consent
from proctoring.records.erasure import erasures
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings
from proctoring.storage import recorded

NAME = "candidate-whom-nobody-may-name"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    now = BEGAN + timedelta(days=181)
    return Service(Settings(data_folder=tmp_path), models=Models(BLIND, DEAF), wall=lambda: now)


def archive(service: Service) -> Archive:
    return service.storage.records


def test_sittings_and_consents_that_are_too_old_are_erased(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    kept = archive(service)
    consent(kept.engine, kept.signer, NAME, True, "You are watched.", NAME, BEGAN)
    running = occurrence(1, sitting_id="S2", session_id="exam-8")  # it and its messages stay
    kept.writer(("an endpoint that is gone",)).write(
        [beginning("S1"), ending("S1"), beginning("S2", "exam-8"), running], tell
    )
    service.storage.sweep()
    found = [(one.sitting_id, one.row_counts.get("consents")) for one in erasures(kept.engine)]
    assert len(found) == 2
    assert found[0] == ("S1", 0)
    assert found[1][1] == 1
    assert "2 messages to webhooks that no server has configured are discarded" in caplog.text
    assert NAME not in caplog.text


def test_a_sweep_that_fails_names_nobody(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        detail = f"duplicate key\nDETAIL:  Key (session_id, seq)=({NAME}, 3) already exists."
        raise IntegrityError("insert", {"session_id": NAME}, Exception(detail))

    monkeypatch.setattr(recorded, "sweep", fail)
    service.storage.sweep()
    assert "could not all be erased: IntegrityError" in caplog.text
    assert NAME not in caplog.text
