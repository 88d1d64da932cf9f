"""Records over the REST interface of a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.server.live import Live, receive, running, until
from tests.server.test_events_socket import publish
from tests.session.conftest import BLIND

from proctoring.errors import SettingsError
from proctoring.server.service import Service
from proctoring.settings import Settings


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with records of its own."""
    with running(BLIND, data_folder=tmp_path_factory.mktemp("data")) as live:
        yield live


def sat(live: Live, session_id: str, events: int = 2) -> str:
    """A session that had some events and ended; the id of its sitting."""
    with live.http as http:
        assert http.post("/api/sessions", json={"session_id": session_id}).status_code == 201
        for _ in range(events):
            publish(live, session_id)
        until(lambda: live.service.outbox.last_seq(session_id) >= events)
        assert http.delete(f"/api/sessions/{session_id}").json()["last_seq"] == events
        (found,) = http.get("/api/records/sessions", params={"session_id": session_id}).json()[
            "sittings"
        ]
    id_: str = found["id"]
    return id_


def test_a_sitting_is_kept_with_its_incidents_policy_and_events(
    kept: Live, session_id: str
) -> None:
    sitting = sat(kept, session_id)
    with kept.http as http:
        detail = http.get(f"/api/records/sessions/{sitting}").json()
        events = http.get(f"/api/records/sessions/{sitting}/events").json()
    found = detail["sitting"]
    assert (found["session_id"], found["state"], found["policy"]) == (session_id, "ended", "exam")
    assert (found["end_reason"], found["incidents"]) == ("ended on request", 2)
    assert [incident["kind"] for incident in detail["incidents"]] == ["gaze.left"] * 2
    assert 'name = "exam"' in detail["policy_toml"]
    texts = [json.loads(event["text"]) for event in events]
    assert [text["seq"] for text in texts] == [1, 2]
    assert texts[0]["incidents"][0]["id"] == detail["incidents"][0]["id"]


def test_sittings_are_listed_newest_first_in_pages(kept: Live, session_id: str) -> None:
    ids = [sat(kept, f"{session_id}-{number}", events=1) for number in range(3)]
    with kept.http as http:
        first = http.get("/api/records/sessions", params={"limit": 2}).json()
        second = http.get(
            "/api/records/sessions", params={"limit": 1, "before": first["next"]}
        ).json()
    listed = [sitting["id"] for sitting in first["sittings"] + second["sittings"]]
    assert listed == ids[::-1]


def test_what_is_not_kept_is_unknown(kept: Live) -> None:
    with kept.http as http:
        for path in ("nothing", "nothing/events"):
            answer = http.get(f"/api/records/sessions/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_record")


def test_a_server_that_follows_replays_and_goes_on_counting(
    tmp_path: Path, session_id: str
) -> None:
    with running(BLIND, data_folder=tmp_path) as live:
        sat(live, session_id, events=3)
    with running(BLIND, data_folder=tmp_path) as live, live.http as http:
        http.post("/api/sessions", json={"session_id": session_id})
        assert http.get(f"/api/sessions/{session_id}").json()["last_seq"] == 3
        with live.socket(f"{session_id}/events") as listener:
            until(lambda: live.service.outbox.listeners(session_id) == 1)
            publish(live, session_id)
            assert receive(listener)["seq"] == 4


def test_a_data_folder_that_cannot_be_written_turns_records_off_and_says_so(
    tmp_path: Path,
) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with running(BLIND, data_folder=file / "below") as live, live.http as http:
        health = http.get("/api/health").json()
        assert health["status"] == "degraded"
        assert "in the way" in health["detail"]
        assert http.post("/api/sessions", json={}).status_code == 201
        assert http.get("/api/records/sessions").status_code == 503


def test_a_database_that_was_asked_for_and_cannot_be_used_lets_nothing_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with pytest.raises(SettingsError, match="in the way"):
        Service(Settings(data_folder=tmp_path, database=SecretStr(f"sqlite:///{file}/below")))
