"""A server that is about to stop: what it still does, and how fast it hands its sessions to others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.server.live import TIMEOUT, Live
from websockets.exceptions import ConnectionClosed, InvalidStatus

from proctoring.server.hand_over import STEP, HandOver
from proctoring.session.session import Session


@pytest.fixture
def draining(live: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.setattr(live.service.draining, "active", True)
    return live


def test_a_draining_server_is_404_for_balancers_and_begins_no_session(
    draining: Live, session_id: str
) -> None:
    with draining.http as http:
        ready = http.get("/api/ready")
        assert (ready.status_code, ready.json()["error"]["code"]) == (404, "draining")
        created = http.post("/api/sessions", json={"session_id": session_id})
        assert (created.status_code, created.json()["error"]["code"]) == (503, "not_ready")
        health = http.get("/api/health").json()
        assert (health["status"], health["accepting"]) == ("draining", False)
    with pytest.raises(InvalidStatus) as refused:
        draining.socket(f"{session_id}/video")
    assert refused.value.response.status_code == 503


def test_sessions_that_it_has_go_on(
    live: Live, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live.socket(f"{session_id}/video") as first:
        assert "flow" in str(first.recv())
        monkeypatch.setattr(live.service.draining, "active", True)
        with live.socket(f"{session_id}/events"), live.http as http:
            assert http.get(f"/api/sessions/{session_id}").json()["video"] is True


def test_a_process_that_somebody_else_started_cannot_be_stopped_by_request(live: Live) -> None:
    with live.http as http:
        answer = http.post("/api/drain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_now")


def test_a_request_stops_the_process_and_says_how_many_sessions_there_were(
    live: Live, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(live.service.draining, "stop_process", lambda: told.append(True))
    with live.socket(f"{session_id}/video") as video, live.http as http:
        video.recv()
        answer = http.post("/api/drain")
    assert (answer.status_code, answer.json()["sessions"]) == (202, live.service.open_sessions)
    assert told == [True]


def test_sessions_that_others_go_on_with_are_told_to_return_at_once(
    live: Live, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = live.service
    monkeypatch.setattr(service.draining, "active", False)  # afterwards, too

    async def release(batch: Sequence[Session]) -> None:
        for session in batch:
            service.sessions.release(session, "the server stops", service.now())

    monkeypatch.setattr(service.draining, "release", release)
    assert service._loop is not None
    with live.socket(f"{session_id}/video") as video, live.socket(f"{session_id}/events") as events:
        video.recv()
        asyncio.run_coroutine_threadsafe(service.draining.run(service), service._loop).result(
            TIMEOUT
        )
        for socket in (video, events):
            with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
                while True:
                    last = json.loads(socket.recv(timeout=TIMEOUT))
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, last["error"]["code"]) == (1012, "session_moved")
    with live.http as http:
        assert http.get("/api/ready").status_code == 404


class Clock:
    """Time that passes when it is slept."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def released(count: int, **limits: Any) -> list[tuple[float, int]]:
    """When how many of so many sessions were released, in seconds since the beginning."""
    clock, waiting, rounds = Clock(), [cast(Session, object()) for _ in range(count)], []

    async def release(batch: Sequence[Session]) -> None:
        rounds.append((round(clock.now - 100.0, 3), len(batch)))
        for session in batch:
            waiting.remove(session)

    hand_over = HandOver(now=lambda: clock.now, sleep=clock.sleep, **limits)
    assert asyncio.run(hand_over.run(lambda: waiting, release)) == count
    return rounds


def test_sessions_are_handed_over_at_a_bounded_rate() -> None:
    rounds = released(40, rate=20, limit=60)
    assert sum(number for _, number in rounds) == 40
    assert max(number for _, number in rounds) <= 20 * STEP + 1
    assert 1.7 <= rounds[-1][0] <= 2.1


def test_a_low_rate_hands_over_one_at_a_time() -> None:
    assert released(3, rate=0.5, limit=60) == [(0.0, 1), (2.0, 1), (4.0, 1)]


def test_what_is_left_after_the_limit_is_handed_over_at_once() -> None:
    rounds = released(100, rate=1, limit=5)
    assert rounds[-1][1] > 90
    assert rounds[-1][0] <= 5.1


def test_without_sessions_nothing_is_waited_for() -> None:
    assert released(0, rate=1, limit=60) == []
