from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from proctoring.errors import SettingsError
from proctoring.livekit.address import (
    ServerAddress,
    end_session,
    ensure_session,
    last_seq,
    server_address,
)


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("ws://localhost:8000", "ws://localhost:8000/ws/proctor/a%2Fb/video"),
        ("http://localhost:8000/", "ws://localhost:8000/ws/proctor/a%2Fb/video"),
        ("wss://host/base", "wss://host/base/ws/proctor/a%2Fb/video"),
        ("https://host:8443/ws/proctor/", "wss://host:8443/ws/proctor/a%2Fb/video"),
    ],
)
def test_sockets_lie_below_any_form_of_the_address(url: str, socket: str) -> None:
    assert server_address(url).socket("a/b", "video") == socket


def test_rest_lies_beside_the_sockets() -> None:
    assert server_address("wss://host/base").rest("sessions", "a b") == (
        "https://host/base/api/sessions/a%20b"
    )


def test_the_default_is_the_contracts_and_the_environment_overrides_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROCTORING_URL", raising=False)
    assert server_address().socket("s", "events", after=3) == (
        "ws://localhost:8000/ws/proctor/s/events?after=3"
    )
    monkeypatch.setenv("PROCTORING_URL", "ws://elsewhere:9")
    monkeypatch.setenv("PROCTORING_TOKEN", "t")
    assert server_address().base == "http://elsewhere:9"
    assert server_address().headers == {"Authorization": "Bearer t"}
    assert server_address("ws://here:1", "u").headers == {"Authorization": "Bearer u"}


def test_the_token_is_not_shown_with_the_address() -> None:
    assert "secret" not in repr(server_address("ws://here:1", "secret"))


@pytest.mark.parametrize("url", ["ftp://nowhere", "localhost:8000", "ws://", "//host"])
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="cannot use the address"):
        server_address(url)


@contextmanager
def answering(status: int, body: dict[str, Any]) -> Iterator[ServerAddress]:
    """The address of a server that answers every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815  (the base class's names)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server_address(f"ws://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def error(code: str, *, retryable: bool) -> dict[str, Any]:
    return {"error": {"code": code, "detail": "why", "retryable": retryable}}


CREATED: list[tuple[int, dict[str, Any], type[Exception] | None]] = [
    (201, {}, None),
    (409, error("session_exists", retryable=False), None),
    (409, error("session_closing", retryable=True), ConnectionError),
    (429, error("too_many_requests", retryable=True), ConnectionError),
    (503, error("not_ready", retryable=True), ConnectionError),
    (502, {}, ConnectionError),
    (422, error("bad_policy", retryable=False), SettingsError),
    (403, error("forbidden", retryable=False), SettingsError),
]


@pytest.mark.parametrize(("status", "body", "expected"), CREATED)
def test_a_session_is_created_joined_tried_again_or_given_up(
    status: int, body: dict[str, Any], expected: type[Exception] | None
) -> None:
    with (
        answering(status, body) as address,
        pytest.raises(expected, match=str(status)) if expected else nullcontext(),
    ):
        asyncio.run(ensure_session(address, "a", {"policy": "exam"}))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {}, None),
        (404, error("unknown_session", retryable=False), None),
        (503, error("not_ready", retryable=True), ConnectionError),
        (403, error("forbidden", retryable=False), SettingsError),
    ],
)
def test_a_session_that_is_gone_need_not_be_ended(
    status: int, body: dict[str, Any], expected: type[Exception] | None
) -> None:
    with (
        answering(status, body) as address,
        pytest.raises(expected, match=str(status)) if expected else nullcontext(),
    ):
        asyncio.run(end_session(address, "a"))


def test_the_last_number_is_that_of_an_open_session() -> None:
    with answering(200, {"last_seq": 7}) as address:
        assert asyncio.run(last_seq(address, "a")) == 7
    with answering(404, error("unknown_session", retryable=False)) as address:
        assert asyncio.run(last_seq(address, "a")) is None
    with (
        answering(503, error("not_ready", retryable=True)) as address,
        pytest.raises(ConnectionError),
    ):
        asyncio.run(last_seq(address, "a"))
