"""The events socket of a real server."""

from __future__ import annotations

import base64
import json
import os
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.server.live import TIMEOUT, Live, receive, running, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from proctoring.delivery.journal import Replay
from proctoring.errors import RecordsUnavailableError
from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.records.entries import PendingEvent, sitting_ref
from proctoring.vision.networks import VisionModels

EPOCH = 1_700_000_000_000_000
BEGAN = datetime(2026, 1, 2, 10, tzinfo=UTC)
_NUMBERS = count(1)


def publish(live: Live, session_id: str, *, reason: str = "for a test") -> None:
    """Let a session have an event, without the seconds of video that it takes."""
    change = IncidentChange(
        number=next(_NUMBERS),
        kind="gaze.left",
        label="Looking Left",
        state=IncidentState.STARTED,
        severity=Severity.WARNING,
        confidence=0.9,
        started_at=0.0,
        duration=2.0,
        reason=reason,
        alerts=True,
    )
    session = live.service.sessions.find(session_id)
    assert session is not None
    sitting = sitting_ref(session_id, session.started_at)
    live.service.outbox.publish(PendingEvent(sitting, BEGAN, 2.0, (change,))).result(TIMEOUT)


def seqs(socket: ClientConnection, count: int) -> list[int]:
    return [receive(socket)["seq"] for _ in range(count)]


def closing(socket: ClientConnection) -> tuple[int, list[Any]]:
    """Close code, and what was said before."""
    said = []
    code = None
    while code is None:
        try:
            said.append(receive(socket))
        except ConnectionClosed as closed:
            code = 1006 if closed.rcvd is None else closed.rcvd.code
    return code, said


def test_video_of_an_empty_chair_becomes_one_alert_and_the_end_of_the_session_ends_it(
    live: Live, session_id: str, empty_jpeg: bytes
) -> None:
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video?observe=1") as video,
        live.http as http,
    ):
        for i in range(36):
            video.send((EPOCH + i * 100_000).to_bytes(8, "big") + empty_jpeg)
            while "observation" not in receive(video):
                pass
        placing, started = receive(events), receive(events)
        shown = http.get(f"/api/sessions/{session_id}").json()
        http.delete(f"/api/sessions/{session_id}").raise_for_status()
        code, (ended, reason) = closing(events)
    assert (placing["alerts"], placing["incidents"], placing["seq"]) == ([], [], 1)
    assert placing["enrolment"]["state"] == shown["enrolment"]["state"] == "calibrating"
    assert [missing["code"] for missing in placing["enrolment"]["missing"]] == ["nobody"]
    assert started["alerts"] == ["No Face Detected"]
    assert (started["session_id"], started["seq"]) == (session_id, 2)
    assert started["media_time"] == pytest.approx(3.0, abs=0.11)
    (incident,) = started["incidents"]
    assert (incident["kind"], incident["state"]) == ("face.absent", "started")
    (open_incident,) = shown["open_incidents"]
    assert (open_incident["kind"], open_incident["label"]) == ("face.absent", "No Face Detected")
    assert open_incident["severity"] == shown["last_alert"]["severity"] == "violation"
    assert (ended["alerts"], ended["seq"]) == ([], 3)
    assert ended["incidents"][0]["id"] == incident["id"]
    assert ended["incidents"][0]["state"] == "ended"
    assert reason["error"]["code"] == "ended"
    assert code == 4004


def test_a_listener_begins_a_session_and_hears_only_what_comes(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        publish(live, session_id)
        assert seqs(events, 1) == [1]
        with live.socket(f"{session_id}/events") as later:
            publish(live, session_id)
            assert seqs(later, 1) == seqs(events, 1) == [2]


def test_who_comes_back_with_after_misses_nothing_and_hears_nothing_twice(
    live: Live, session_id: str
) -> None:
    with live.socket(f"{session_id}/events") as events:
        for _ in range(3):
            publish(live, session_id)
        assert seqs(events, 2) == [1, 2]
    publish(live, session_id)
    with live.socket(f"{session_id}/events?after=2") as events:
        publish(live, session_id)
        assert seqs(events, 3) == [3, 4, 5]


def test_one_listener_that_leaves_disturbs_neither_the_session_nor_the_others(
    live: Live, session_id: str
) -> None:
    with live.socket(f"{session_id}/events") as stays:
        with live.socket(f"{session_id}/events"):
            publish(live, session_id)
        publish(live, session_id)
        assert seqs(stays, 2) == [1, 2]
        until(lambda: live.service.outbox.listeners(session_id) == 1)


def test_replay_says_when_it_no_longer_reaches_back(vision_models: VisionModels) -> None:
    with running(vision_models, events_per_session=5) as live:
        with live.socket("a/events"):
            for _ in range(8):
                publish(live, "a")
        with live.socket("a/events?after=1") as events:
            error = receive(events)["error"]
            assert error["code"] == "replay_incomplete"
            assert error["detail"].startswith("2 ")
            assert seqs(events, 5) == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("after", ["", "-1", "1.5", "x", "9" * 30, "%D9%A3"])
def test_after_that_is_no_number_is_refused(live: Live, session_id: str, after: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        live.socket(f"{session_id}/events?after={after}")
    assert caught.value.response.status_code == 400
    assert b"is not the seq" in (caught.value.response.body or b"")


def test_what_a_listener_says_is_not_listened_to(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        events.send("hello?")
        events.send(b"\xff\xd8")
        publish(live, session_id)
        assert seqs(events, 1) == [1]


def test_more_listeners_than_allowed_are_refused(vision_models: VisionModels) -> None:
    with running(vision_models, listeners_per_session=2) as live:
        with live.socket("a/events"), live.socket("a/events"):
            with pytest.raises(InvalidStatus) as caught:
                live.socket("a/events")
            assert caught.value.response.status_code == 503
            assert b"too_many" in (caught.value.response.body or b"")
        with live.socket("b/events"):
            pass


@contextmanager
def deaf(live: Live, path: str) -> Iterator[sockets.socket]:
    """A client that completes the handshake and then never reads."""
    parts = urlsplit(live.address)
    with sockets.socket() as client:
        client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        client.connect((parts.hostname, parts.port))
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall(
            f"GET /ws/proctor/{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in client.recv(64)
        yield client


@pytest.mark.slow
def test_a_listener_that_never_reads_is_cut_off_and_nobody_else_notices(
    vision_models: VisionModels, face_jpeg: bytes
) -> None:
    with (
        running(vision_models, listener_queue=16) as live,
        live.socket("a/events") as quick,
        live.socket("b/video?observe=1") as other,
        deaf(live, "a/events"),
    ):
        until(lambda: live.service.outbox.listeners("a") == 2)
        sent = 0
        while live.service.outbox.dropped == 0:  # until all buffers on the way are full
            publish(live, "a", reason="x" * 100_000)
            sent += 1
            assert receive(quick)["seq"] == sent
            assert sent < 1000
        other.send(face_jpeg)
        while "observation" not in receive(other):
            pass
        publish(live, "a")
        assert receive(quick)["seq"] == sent + 1
        assert live.service.outbox.listeners("a") == 1
        connections = live.connections
        until(lambda: len(connections()) == 2)  # cut off, not merely forgotten
        with live.socket(f"a/events?after={sent}") as back:
            assert seqs(back, 1) == [sent + 1]


def test_an_ended_sessions_events_are_read_with_after_and_then_gone(
    vision_models: VisionModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(vision_models, keep_events=3600.0) as live, live.http as http:
        with live.socket("a/events"):
            publish(live, "a")
            publish(live, "a")
        http.delete("/api/sessions/a").raise_for_status()
        with live.socket("a/events?after=1") as events:
            code, said = closing(events)
        assert [message.get("seq") for message in said] == [2, None]
        assert said[-1]["error"]["code"] == "ended"
        assert code == 4004
        assert http.get("/api/sessions").json()["sessions"] == []
        assert live.service.outbox.last_seq("a") == 2
        monkeypatch.setattr(live.service, "now", lambda: time.monotonic() + 3601)
        until(lambda: live.service.outbox.last_seq("a") == 0)


def test_an_ended_sessions_events_that_cannot_be_read_now_are_asked_for_again_later(
    live: Live, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Replay:
        raise RecordsUnavailableError("earlier events cannot be read now")

    with live.socket(f"{session_id}/events"), live.http as http:
        publish(live, session_id)
        http.delete(f"/api/sessions/{session_id}").raise_for_status()
    monkeypatch.setattr(live.service.outbox, "replay", fail)
    with live.socket(f"{session_id}/events?after=0") as events:
        code, said = closing(events)
    (error,) = (message["error"] for message in said)
    assert (error["code"], error["retryable"]) == ("records_unavailable", True)
    assert code == 1013


def test_an_ended_sessions_name_may_be_used_again_and_its_numbers_go_on(
    live: Live, session_id: str
) -> None:
    with live.socket(f"{session_id}/events"), live.http as http:
        publish(live, session_id)
        http.delete(f"/api/sessions/{session_id}").raise_for_status()
    with live.socket(f"{session_id}/events") as events:
        publish(live, session_id)
        assert seqs(events, 1) == [2]
    with live.socket(f"{session_id}/events?after=0") as events:
        assert seqs(events, 1) == [2]  # what the earlier sitting said is not this one's


def test_events_are_json_text_and_numbers_are_plain(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        publish(live, session_id, reason="ü 30°")
        text = events.recv(timeout=TIMEOUT)
    assert isinstance(text, str)
    assert json.loads(text)["incidents"][0]["reason"] == "ü 30°"
