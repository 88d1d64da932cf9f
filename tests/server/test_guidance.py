"""What a candidate is told to do, over the sockets and the interface of a real server."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from tests.server.candidate import Candidate
from tests.server.conftest import photograph
from tests.server.live import Live, receive, receive_key
from websockets.sync.client import ClientConnection

FAST = {"enrolment": {"time_limit": 1}, "challenge": {"time_limit": 3, "max_attempts": 1}}
"""Accommodations that make a test short."""


def face(size: float) -> bytes:
    """The photograph's face, so many times as large."""
    turn = np.array([[size, 0, 320 - 222 * size], [0, size, 200 - 120 * size]])
    # The room stays as it is: else it is the camera that moves.
    room = cv2.resize(photograph("rocket"), (640, 480))
    near = cv2.warpAffine(photograph("astronaut"), turn, (640, 480))
    person = np.zeros((480, 640, 1), np.float32)
    cv2.ellipse(person, (320, 200), (int(75 * size), int(100 * size)), 0, 0, 360, (1.0,), -1)
    picture = (person * near + (1 - person) * room).astype(np.uint8)
    return bytes(simplejpeg.encode_jpeg(picture, quality=85))


def told(events: ClientConnection, kind: str, state: str) -> Any:
    """The next notice of this kind in this state; what lies before is passed over."""
    while True:
        notice = receive_key(events, kind)
        if notice["state"] == state:
            return notice


def test_a_candidate_is_helped_into_a_good_position(
    live: Live, session_id: str, empty_jpeg: bytes
) -> None:
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video?observe=1") as video,
        live.http as http,
    ):
        candidate = Candidate(video)
        before = http.get(f"/api/sessions/{session_id}").json()["enrolment"]
        candidate.show(empty_jpeg, 1)
        nobody = receive_key(events, "enrolment")
        candidate.show(face(0.7), 2)
        small = receive_key(events, "enrolment")
        while small["missing"][0]["code"] == "nobody":
            small = receive_key(events, "enrolment")
        candidate.show(face(1.6), 5)
        ready = told(events, "enrolment", "ready")
        after = http.get(f"/api/sessions/{session_id}").json()["enrolment"]
    assert before["state"] == "waiting"
    assert (nobody["state"], nobody["missing"][0]["code"]) == ("calibrating", "nobody")
    assert nobody["missing"][0]["text"].startswith("Nobody is in the picture")
    assert "face_too_small" in [missing["code"] for missing in small["missing"]]
    assert ready["missing"] == []
    assert ready["progress"] == 1
    assert after == ready
    assert 4 <= after["ready_at"] <= 8


def test_who_is_asked_to_move_closer_and_does_has_passed(live: Live, session_id: str) -> None:
    with live.http as http:
        made = {"session_id": session_id, "accommodations": FAST}
        http.post("/api/sessions", json=made).raise_for_status()
        path = f"/api/sessions/{session_id}/challenge"
        early = http.post(path, json={"action": "move_closer"})
        assert (early.status_code, early.json()["error"]["code"]) == (409, "not_now")
        with (
            live.socket(f"{session_id}/events") as events,
            live.socket(f"{session_id}/video?observe=1") as video,
        ):
            candidate = Candidate(video)
            candidate.show(face(1.2), 2)
            assert http.post(path, json={"action": "move_closer"}).status_code == 202
            candidate.show(face(1.2), 0.3)
            asked = told(events, "challenge", "asked")
            assert (asked["action"], asked["seconds"]) == ("move_closer", 3)
            assert asked["text"] == "Move closer to the camera."
            assert http.post(path).status_code == 409  # one runs
            candidate.show(face(1.8), 1)
            assert told(events, "challenge", "passed")["reason"] == ""
            assert http.get(f"/api/sessions/{session_id}").json()["challenge"]["state"] == "passed"
            assert http.post(path).status_code == 409  # just over


def test_a_picture_that_is_asked_to_turn_its_head_is_an_incident(
    live: Live, session_id: str
) -> None:
    with live.http as http:
        made = {"session_id": session_id, "accommodations": FAST}
        http.post("/api/sessions", json=made).raise_for_status()
        with (
            live.socket(f"{session_id}/events") as events,
            live.socket(f"{session_id}/video?observe=1") as video,
        ):
            candidate = Candidate(video)
            candidate.show(face(1.2), 2)
            http.post(
                f"/api/sessions/{session_id}/challenge", json={"action": "turn_left"}
            ).raise_for_status()
            candidate.show(face(1.2), 3.5)
            told(events, "challenge", "asked")
            alerts: list[str] = []
            while not alerts:
                message = receive(events)
                alerts, incidents = message["alerts"], message["incidents"]
    assert alerts == ["Challenge Failed"]
    assert incidents[0]["kind"] == "liveness.challenge_failed"
    assert incidents[0]["reason"] == "asked to turn your head to your left: not done within 3 s"


def test_a_calibration_is_told_step_by_step_and_why_it_failed(live: Live, session_id: str) -> None:
    with live.http as http:
        wanted = {"calibration": {"step_time_limit": 3, "max_attempts": 1}}
        made = {"session_id": session_id, "accommodations": wanted}
        http.post("/api/sessions", json=made).raise_for_status()
        path = f"/api/sessions/{session_id}/calibration"
        early = http.post(path)  # no picture yet
        assert early.status_code == 409
        assert (early.json()["error"]["code"], early.json()["error"]["retryable"]) == (
            "not_now",
            True,
        )
        with (
            live.socket(f"{session_id}/events") as events,
            live.socket(f"{session_id}/video?observe=1") as video,
        ):
            candidate = Candidate(video)
            candidate.show(face(1.6), 2.5)
            assert http.post(path).status_code == 202
            candidate.show(face(1.6), 3.5)
            running, failed = (told(events, "calibration", s) for s in ("running", "failed"))
        again = http.post(path)
    assert (running["step"], running["number"], running["of"]) == ("top_left", 1, 6)
    assert running["text"] == "Look at the dot in the top left corner."
    assert failed["reason"].endswith("the eyes did not follow the dot")
    assert failed["reach"] is None
    error = again.json()["error"]
    assert (again.status_code, error["code"], error["retryable"]) == (409, "limit_reached", False)
    assert "as often as the policy allows" in again.json()["error"]["detail"]


@pytest.mark.parametrize("body", [{"action": "dance"}, {"what": 1}])
def test_what_cannot_be_asked_for_is_refused(
    live: Live, session_id: str, body: dict[str, Any]
) -> None:
    with live.http as http:
        http.post("/api/sessions", json={"session_id": session_id}).raise_for_status()
        refused = http.post(f"/api/sessions/{session_id}/challenge", json=body)
        unknown = http.post("/api/sessions/nobody/challenge")
    assert refused.status_code == 422
    assert unknown.status_code == 404
