"""New sessions that a server refuses: before anything is done for them, with a reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.server.live import Live, receive_key, running, until
from websockets.exceptions import InvalidStatus

from proctoring.server.references import ReferenceLearning
from proctoring.session.worker_pool import WorkerPool
from proctoring.vision.networks import VisionModels

Refuse = Callable[[], None]


@pytest.fixture
def busy(vision_models: VisionModels, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A server with one session, `open`, whose workers have no time for another one."""
    with running(vision_models, admission="load") as live, live.http as http:
        http.post("/api/sessions", json={"session_id": "open"}).raise_for_status()
        monkeypatch.setattr(WorkerPool, "needed", property(lambda _: 0.9))
        monkeypatch.setattr(WorkerPool, "active", property(lambda _: 1))
        begin = time.monotonic() + 10.0
        for second in range(20):
            live.service.sessions.tick(begin + second)  # as if they had passed
        yield live


def test_rest_and_handshakes_say_why_and_when_to_come_back(busy: Live) -> None:
    with busy.http as http:
        refused = http.post("/api/sessions", json={"session_id": "more"})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "10"
        told = refused.json()["error"]
        assert (told["code"], told["retryable"]) == ("overloaded", True)
        assert "need 90% of the computing time" in told["detail"]
        for kind in ("video", "audio", "browser", "events"):
            with pytest.raises(InvalidStatus) as caught:
                busy.socket(f"more/{kind}")
            answer = caught.value.response
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            assert b'"overloaded"' in (answer.body or b"")
        assert http.get("/api/sessions/more").status_code == 404
        assert [s["session_id"] for s in http.get("/api/sessions").json()["sessions"]] == ["open"]


def test_health_and_metrics_say_so(busy: Live) -> None:
    with busy.http as http:
        health = http.get("/api/health").json()
        assert health["accepting"] is False
        assert "need 90% of the computing time" in health["refusal"]
        http.post("/api/sessions", json={})
        metrics = http.get("/metrics").text
        assert "proctoring_accepting 0.0" in metrics
        assert 'proctoring_sessions_refused_total{reason="overloaded"} 1.0' in metrics


def test_an_open_session_is_never_refused_its_sockets(busy: Live) -> None:
    for _ in range(2):  # the second takes the place of the first
        with busy.socket("open/video") as video, busy.socket("open/video") as newer:
            assert receive_key(newer, "flow")
            assert receive_key(video, "error")["code"] == "replaced"
        with busy.socket("open/audio"), busy.socket("open/events"):
            pass


def test_no_photo_is_learned_for_a_session_that_is_refused(
    busy: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def learned(*_: Any) -> None:
        pytest.fail("the photo was learned")

    monkeypatch.setattr(ReferenceLearning, "face", learned)
    with busy.http as http:
        refused = http.post("/api/sessions", json={"reference_photo": "AAAA"})
    assert refused.json()["error"]["code"] == "overloaded"


def test_by_number_the_reason_is_the_number(vision_models: VisionModels) -> None:
    with running(vision_models, max_sessions=1) as live, live.http as http:
        assert http.get("/api/health").json()["accepting"] is True
        with live.socket("a/video"), live.socket("a/events"):
            with pytest.raises(InvalidStatus) as caught:
                live.socket("b/video")
            assert caught.value.response.status_code == 503
            health = http.get("/api/health").json()
        assert health["accepting"] is False
        assert health["refusal"] == "1 sessions are open, as many as may be"
        http.delete("/api/sessions/a").raise_for_status()
        until(lambda: accepting(http))


def accepting(http: httpx.Client) -> bool:
    answer: bool = http.get("/api/health").json()["accepting"]
    return answer
