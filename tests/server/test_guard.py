"""Who may use a server that asks nobody who he is."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers
from tests.server.live import Live, running
from websockets.exceptions import InvalidStatus

from proctoring.server.access import is_loopback, refusal
from proctoring.server.guard import _too_long
from proctoring.vision.networks import VisionModels


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("page.localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "origin", "welcome"),
    [
        ("localhost:8000", None, True),
        ("localhost:8000", "http://localhost:8000", True),
        ("127.0.0.1:8000", "http://localhost:8000", True),
        ("localhost:8000", "http://[::1]:8000", True),
        ("localhost", "http://127.0.0.1", True),
        ("127.0.0.1:8000", "http://localhost:5173", False),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", False),
        ("127.0.0.1:8000", "http://localhost", False),
        ("127.0.0.1:99999", "http://localhost:99999", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("localhost:8000", "https://evil.example", False),
        ("localhost:8000", "null", False),
        ("localhost:8000", "", False),
        ("localhost:8000", "http://[", False),  # no address at all
        ("localhost:8000", "http://localhost.evil.example", False),
        ("evil.example:8000", "http://evil.example:8000", False),  # a name that resolves to us
        ("evil.example:8000", None, False),
        ("", None, False),
        ("localhost:8000", "https://exams.example.org", True),  # allowed by the operator
    ],
)
def test_pages_from_elsewhere_and_names_from_elsewhere_are_refused(
    host: str, origin: str | None, welcome: bool
) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    reason = refusal(headers, local_only=True, allowed_origins=["https://exams.example.org/"])
    assert (reason is None) is welcome


@pytest.mark.parametrize(
    ("host", "origin", "welcome"),
    [
        ("proctor.example.org", None, True),
        ("proctor.example.org", "https://proctor.example.org", True),
        ("proctor.example.org", "https://evil.example", False),
        ("proctor.example.org", "http://localhost:3000", False),
    ],
)
def test_a_server_for_all_may_be_named_anything_yet_pages_must_be_its_own(
    host: str, origin: str | None, welcome: bool
) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert (refusal(headers, local_only=False) is None) is welcome


def test_a_page_from_elsewhere_gets_neither_socket_nor_session(live: Live, session_id: str) -> None:
    for socket in ("video", "events"):
        with pytest.raises(InvalidStatus) as caught:
            live.socket(f"{session_id}/{socket}", origin="https://evil.example")
        assert caught.value.response.status_code == 403
    with live.http as http:
        headers = {"origin": "https://evil.example"}
        assert http.post("/api/sessions", json={}, headers=headers).status_code == 403
        rebound = http.get("/api/sessions", headers={"host": "evil.example:8000"})
        assert rebound.status_code == 403
        assert http.get(f"/api/sessions/{session_id}").status_code == 404


def test_the_servers_own_page_gets_its_socket(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events", origin=live.address):
        pass


def test_a_page_the_operator_allows_gets_its_socket(vision_models: VisionModels) -> None:
    origin = "https://exams.example.org"
    with (
        running(vision_models, allowed_origins=(origin,)) as live,
        live.socket("a/events", origin=origin),
    ):
        pass


@pytest.mark.parametrize(
    ("length", "too_long"),
    [("0", False), ("10", False), ("11", True), ("00000000000099999999", True), ("-1", True)],
)
def test_a_body_is_as_long_as_it_says(length: str, too_long: bool) -> None:
    assert _too_long(Headers({"content-length": length}), 10) is too_long


def test_answers_tell_browsers_what_not_to_do(live: Live) -> None:
    with live.http as http:
        page, api = http.get("/"), http.get("/api/health")
    for response in (page, api):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in response.headers["content-security-policy"]
    assert api.headers["cache-control"] == "no-store"
    assert "server" not in page.headers
