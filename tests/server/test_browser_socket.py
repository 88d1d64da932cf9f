"""The browser socket, on a real server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.live import Live, receive, receive_key
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection


def send(socket: ClientConnection, **report: Any) -> None:
    socket.send(json.dumps(report))


def test_a_hidden_tab_becomes_an_incident_of_the_same_session(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video?observe=1") as video,
        live.socket(f"{session_id}/browser") as browser,
    ):
        start = 1_000_000_000
        video.send(start.to_bytes(8, "big") + face_jpeg)
        receive_key(video, "observation")
        for tenth in range(0, 31, 5):
            send(browser, capture_time=start + tenth * 100_000, visible=False, focused=False)
        while not (event := receive(events))["alerts"]:
            pass  # how the first seconds stand
    assert event["alerts"] == ["Tab Hidden"]
    assert event["incidents"][0]["started_at"] == pytest.approx(0.0, abs=0.05)


def test_reports_before_the_first_media_are_nobodys(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/browser") as browser:
        send(browser, visible=False)
        with live.http as http:
            assert http.get(f"/api/sessions/{session_id}").json()["media_time"] is None


@pytest.mark.parametrize("message", ["", "no JSON", b"\xff\xd8binary", '{"visible": "perhaps"}'])
def test_a_bad_report_costs_itself_alone(
    live: Live, session_id: str, message: str | bytes, face_jpeg: bytes
) -> None:
    with (
        live.socket(f"{session_id}/video?observe=1") as video,
        live.socket(f"{session_id}/browser") as browser,
    ):
        browser.send(message)
        assert receive(browser)["error"]["code"] == "bad_report"
        send(browser, visible=True)
        video.send(face_jpeg)
        assert len(receive_key(video, "observation")["faces"]) == 1


def test_bad_reports_alone_close_the_socket_with_the_reason(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/browser") as browser:
        for _ in range(20):
            browser.send("nonsense")
        told = [receive(browser)["error"]["code"] for _ in range(20)]
        assert set(told) == {"bad_report"}
        last = receive(browser)["error"]
        assert (last["code"], last["retryable"]) == ("too_many_bad_messages", False)
        with pytest.raises(ConnectionClosed) as closed:
            receive(browser)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000
        assert "20 reports in a row" in closed.value.rcvd.reason


def test_the_end_of_the_session_closes_the_socket(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/browser") as browser:
        send(browser, visible=True)
        with live.http as http:
            http.delete(f"/api/sessions/{session_id}")
        send(browser, visible=True)
        assert receive(browser)["error"]["code"] == "ended"
        with pytest.raises(ConnectionClosed) as closed:
            receive(browser)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4004
