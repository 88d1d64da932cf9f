from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus

import pytest
from tests.livekit.contract_server import until
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from proctoring.livekit.address import server_address
from proctoring.livekit.reconnecting_socket import ReconnectingSocket, SocketState, delay_after


def test_attempts_come_soon_at_first_and_then_rarer_up_to_a_limit() -> None:
    delays = [min(delay_after(failures) for _ in range(100)) for failures in range(1, 6)]
    assert delays[0] < 0.26
    assert delays == sorted(delays)
    assert all(delay_after(failures) <= 12.5 for failures in range(1, 10_000, 500))


def test_clients_that_lost_the_same_server_do_not_come_back_together() -> None:
    assert len({delay_after(5) for _ in range(20)}) == 20


class RefusingServer:
    """Answers every handshake with an error, or closes every socket at once."""

    def __init__(
        self, answer: tuple[int, bytes] | None = None, close: int = 1000, retry_after: str = ""
    ) -> None:
        self.attempts: list[float] = []
        self._answer = answer
        self._close = close
        self._headers = {"Retry-After": retry_after} if retry_after else {}

    async def respond(self, _: ServerConnection, __: Request) -> Response | None:
        self.attempts.append(time.monotonic())
        if self._answer is None:
            return None
        status, body = self._answer
        return Response(status, HTTPStatus(status).phrase, Headers(self._headers), body)

    async def talk(self, socket: ServerConnection) -> None:
        await socket.close(self._close)


async def listen(socket: ClientConnection) -> None:
    await socket.recv()


async def state_after_one_attempt(server: RefusingServer, attempts: int = 1) -> tuple[str, str]:
    """What the socket does next, and why."""
    running = serve(server.talk, "127.0.0.1", 0, process_request=server.respond)
    async with running as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        address = server_address(f"ws://127.0.0.1:{port}")
        socket = ReconnectingSocket("video", address, lambda: address.socket("a", "video"), listen)
        task = asyncio.create_task(socket.run())
        await until(lambda: socket.reason and len(server.attempts) >= attempts)
        found = socket.state.value, socket.reason
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return found


def error(code: str, *, retryable: bool) -> bytes:
    body = {"error": {"code": code, "detail": "why", "retryable": retryable}}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (409, error("session_closing", retryable=True), SocketState.WAITING),
        (429, error("too_many_requests", retryable=True), SocketState.WAITING),
        (503, error("not_ready", retryable=True), SocketState.WAITING),
        (503, error("records_unavailable", retryable=True), SocketState.WAITING),
        (503, error("model_unavailable", retryable=False), SocketState.REFUSED),
        (400, error("bad_session_id", retryable=False), SocketState.REFUSED),
        (401, error("unauthorised", retryable=False), SocketState.REFUSED),
        (409, error("session_exists", retryable=False), SocketState.REFUSED),
    ],
)
def test_the_servers_own_word_decides_whether_a_refused_socket_is_soon_tried_again(
    status: int, body: bytes, state: SocketState
) -> None:
    found, reason = asyncio.run(state_after_one_attempt(RefusingServer((status, body))))
    assert found == state
    assert reason == f"the server answered {status}: why"


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (502, b"", SocketState.WAITING),
        (504, b"<html>", SocketState.WAITING),
        (429, b"[]", SocketState.WAITING),
        (404, b'{"error": "x"}', SocketState.REFUSED),
        (403, b"", SocketState.REFUSED),
    ],
)
def test_the_answer_of_a_proxy_is_judged_by_its_status(
    status: int, body: bytes, state: SocketState
) -> None:
    found, reason = asyncio.run(state_after_one_attempt(RefusingServer((status, body))))
    assert (found, reason) == (state, f"the server answered {status}")


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (4004, SocketState.ENDED),
        (4009, SocketState.REPLACED),
        (1003, SocketState.REFUSED),
        (4000, SocketState.REFUSED),
        (4001, SocketState.REFUSED),
        (4003, SocketState.REFUSED),
        (4008, SocketState.WAITING),
        (1013, SocketState.WAITING),
        (1012, SocketState.MOVING),
        (1011, SocketState.WAITING),
        (4999, SocketState.WAITING),
    ],
)
def test_the_close_code_decides_whether_a_socket_is_opened_again(
    code: int, state: SocketState
) -> None:
    found, reason = asyncio.run(state_after_one_attempt(RefusingServer(close=code)))
    assert found == state
    assert reason.startswith(f"closed with {code}")


def test_a_socket_waits_as_long_as_the_server_asks() -> None:
    server = RefusingServer((503, error("not_ready", retryable=True)), retry_after="1")
    asyncio.run(state_after_one_attempt(server, attempts=2))
    first, second = server.attempts[:2]
    assert second - first >= 1


class MovingServer:
    """Closes its sockets with 1012 as often as it is told; after that it keeps them."""

    def __init__(self, moves: int, *, refuse: int = 0) -> None:
        self.opened: list[float] = []
        self.closed: list[float] = []
        self._moves = moves
        self._refuse = refuse
        """Handshakes that are refused after every close, as by a balancer that has not noticed yet."""
        self._refusing = 0

    async def respond(self, _: ServerConnection, __: Request) -> Response | None:
        if not self._refusing:
            return None
        self._refusing -= 1
        body = error("not_ready", retryable=True)
        return Response(503, "Unavailable", Headers({"Retry-After": "5"}), body)

    async def talk(self, socket: ServerConnection) -> None:
        self.opened.append(time.monotonic())
        if len(self.closed) < self._moves:
            self._refusing = self._refuse
            self.closed.append(time.monotonic())
            await socket.close(1012)
        await socket.wait_closed()


async def moved(server: MovingServer, opened: int, *, until_state: SocketState) -> set[str]:
    """The states that the socket was in until it was opened so often."""
    running = serve(server.talk, "127.0.0.1", 0, process_request=server.respond)
    async with running as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        address = server_address(f"ws://127.0.0.1:{port}")
        socket = ReconnectingSocket("video", address, lambda: address.socket("a", "video"), listen)
        states: set[str] = set()
        keep = socket._set_state

        def note(state: SocketState, reason: str) -> None:
            states.add(state.value)
            keep(state, reason)

        socket._set_state = note  # type: ignore[method-assign]
        task = asyncio.create_task(socket.run())
        await until(lambda: len(server.opened) >= opened and socket.state is until_state)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return states


def test_a_socket_that_is_moved_returns_at_once_and_is_not_called_lost() -> None:
    server = MovingServer(1, refuse=2)
    states = asyncio.run(moved(server, opened=2, until_state=SocketState.OPEN))
    assert states == {"open", "moving", "closed"}


def test_a_socket_that_is_moved_again_and_again_returns_after_growing_pauses() -> None:
    server = MovingServer(100)
    states = asyncio.run(moved(server, opened=6, until_state=SocketState.WAITING))
    assert "waiting" in states
    # Three moves at once, then pauses that double: the two last take at least 0.75 of 0.2 and 0.4 s.
    assert server.opened[4] - server.closed[3] >= 0.15
    assert server.opened[5] - server.closed[4] >= 0.3
