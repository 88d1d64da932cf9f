"""What the agent logs of a session's incidents."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from proctoring.livekit import incident_lines
from proctoring.livekit.address import ServerAddress
from proctoring.livekit.incident_lines import IncidentLines
from proctoring.livekit.messages import Incident, ProctoringEvent

SESSION = "exam:candidate-maria"
SERVER = ServerAddress("https://user:password@proctoring.example.org")


def event(seq: int, *states: str) -> ProctoringEvent:
    incidents = tuple(
        Incident(
            "01J", "audio.phrase", "Suspicious Phrase Detected", state, "warning", 1.0, 12.3, 2.0,
            "maria said: hey siri",
        )
        for state in states
    )  # fmt: skip
    return ProctoringEvent((), SESSION, seq, datetime.now(UTC), 14.3, incidents, "{}")


def lines(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sittings: list[str | None],
    *events: ProctoringEvent,
) -> list[str]:
    async def answer(_: ServerAddress, __: str) -> str | None:
        return sittings.pop(0)

    monkeypatch.setattr(incident_lines, "sitting_id", answer)

    async def report() -> None:
        log = IncidentLines(SERVER)
        for each in events:
            await log.log(each)

    with caplog.at_level(logging.INFO, logger="proctoring.livekit"):
        asyncio.run(report())
    return caplog.messages


def test_incidents_are_logged_with_the_address_of_their_review_and_without_a_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logged = lines(
        monkeypatch, caplog, ["01KB"], event(1), event(2, "started", "updated"), event(3, "ended")
    )
    review = "review: https://proctoring.example.org/sitting?id=01KB"
    assert logged == [
        f"proctoring has begun; {review}",
        f"started at 12.3 s: Suspicious Phrase Detected (warning); {review}",
        f"ended at 14.3 s: Suspicious Phrase Detected (warning); {review}",
    ]
    assert not any("maria" in line or "password" in line for line in logged)


def test_a_session_that_was_begun_anew_has_another_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logged = lines(monkeypatch, caplog, ["01KA", None], event(7), event(1, "started"))
    assert logged[0].endswith("/sitting?id=01KA")
    assert logged[1].endswith("proctoring.example.org/review")
    assert logged[2].endswith("proctoring.example.org/review")
