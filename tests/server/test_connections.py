"""One client's connections, half requests and unfinished messages cost the others nothing."""

from __future__ import annotations

import base64
import logging
import os
import socket as sockets
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, cast

import pytest
from tests.server.live import TIMEOUT, Live, running, until

from proctoring.errors import TooManyError
from proctoring.server.connections import ConnectionLimits, Connections, Refusal
from proctoring.server.descriptors import RESERVED, connections_allowed
from proctoring.server.log_limit import OncePerSecond
from proctoring.server.socket_counts import SocketCounts
from proctoring.server.socket_protocol import MAX_FRAGMENTS, MAX_PINGS_PER_SECOND
from proctoring.vision.networks import VisionModels

BLIND = VisionModels(faces=None, objects=None, capabilities=())
MASK = b"\1\2\3\4"
MOST = 24


@pytest.fixture(scope="module")
def small() -> Iterator[Live]:
    """A server with small limits, but for those of time: a busy machine would reach them by itself."""
    with running(
        BLIND,
        max_connections=MOST,
        request_timeout=60.0,
        message_timeout=120.0,
        message_memory=4 << 20,
        sockets_per_session=3,
        max_requests_per_second=10_000,
    ) as live:
        yield live


@pytest.fixture(scope="module")
def hasty() -> Iterator[Live]:
    """A server that waits for a request, or for a message, for a second."""
    with running(BLIND, request_timeout=1.0, message_timeout=1.0) as live:
        yield live


def refused(live: Live, why: Refusal) -> int:
    return live.service.connections.refused[why]


def raw(live: Live, data: bytes = b"") -> sockets.socket:
    """A connection on which these bytes were sent."""
    host, port = live.address.removeprefix("http://").split(":")
    connection = sockets.create_connection((host, int(port)), TIMEOUT)
    connection.sendall(data)
    return connection


def handshake(path: str) -> bytes:
    """The request for a socket."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /ws/proctor/{path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def handshaken(live: Live, path: str) -> sockets.socket:
    """A WebSocket without a library that would keep to the protocol."""
    connection = raw(live, handshake(path))
    assert connection.recv(4096).startswith(b"HTTP/1.1 101")
    return connection


def read_to_end(connection: sockets.socket) -> bytes:
    """All that the server sends until it closes the connection."""
    data = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def close_code(data: bytes) -> int:
    """The code of the close frame at the end of what a server sent."""
    at = data.rindex(b"\x88")
    return int.from_bytes(data[at + 2 : at + 4], "big")


# Half requests.


HALF_REQUESTS = (
    b"",
    b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
)


def test_requests_that_do_not_end_are_answered_and_closed(hasty: Live) -> None:
    before = refused(hasty, Refusal.REQUEST_TIMEOUT)
    with ExitStack() as stack:  # all at once: each takes a second
        open_now = [stack.enter_context(raw(hasty, half)) for half in HALF_REQUESTS]
        answers = [read_to_end(connection)[:12] for connection in open_now]
    assert answers == [
        b"HTTP/1.1 408",
        b"HTTP/1.1 408",
        b"",
    ]  # a body: its route is at work already
    assert refused(hasty, Refusal.REQUEST_TIMEOUT) == before + 3


def test_bytes_that_come_one_by_one_do_not_prolong_the_time(hasty: Live) -> None:
    def send_on() -> None:
        for _ in range(200):  # for ten seconds, at least
            connection.sendall(b"X")
            time.sleep(0.05)

    with (
        raw(hasty, b"GET /api/health HTTP/1.1\r\n") as connection,
        pytest.raises(OSError, match=r"reset|pipe|aborted"),
    ):
        send_on()


def test_a_second_request_on_a_connection_has_the_same_limit(hasty: Live) -> None:
    whole = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with raw(hasty, whole + whole[:20]) as connection:
        answer = read_to_end(connection)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"HTTP/1.1 408" in answer


def test_among_many_half_requests_a_whole_one_is_answered(small: Live) -> None:
    before = refused(small, Refusal.WAITING)
    half = [raw(small, b"GET /api/health HTTP/1.1\r\nHost: x\r\n") for _ in range(3 * MOST)]
    try:
        with small.http as http:
            assert http.get("/api/health").json()["connections"] <= MOST
        assert refused(small, Refusal.WAITING) >= before + 2 * MOST
    finally:
        for connection in half:
            connection.close()
    until(lambda: len(small.service.connections) == 0)


def test_when_all_connections_are_in_use_a_further_one_is_refused(small: Live) -> None:
    before = refused(small, Refusal.FULL)
    with ExitStack() as stack:
        for number in range(MOST):
            stack.enter_context(handshaken(small, f"full-{number}/events"))
        with raw(small) as connection:
            assert read_to_end(connection).startswith(b"HTTP/1.1 503")
        assert refused(small, Refusal.FULL) == before + 1
    until(lambda: len(small.service.connections) == 0)


def test_a_chunked_body_is_not_parsed(small: Live) -> None:
    with raw(
        small,
        b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\nx\r\n" * 100_000,
    ) as connection:
        assert b"HTTP/1.1 413" in connection.recv(65536)


# Messages of sockets.


def test_a_socket_takes_messages_of_its_own_size_only(small: Live) -> None:
    for path, size, code in (
        ("a/browser", 70_000, 1009),
        ("a/events", 5000, 1009),
        ("a/audio", 3 << 20, 1009),
        ("a/video", 3 << 20, None),
    ):
        with handshaken(small, path) as connection:
            connection.sendall(b"\x82\xff" + struct.pack(">Q", size) + MASK + bytes(1000))
            if code is None:
                until(lambda: small.service.connections.held > 0)
            else:
                assert close_code(read_to_end(connection)) == code


def test_a_message_that_does_not_end_closes_its_socket(hasty: Live) -> None:
    with handshaken(hasty, "late/video") as connection:
        connection.sendall(b"\x82\xff" + struct.pack(">Q", 1 << 20) + MASK + bytes(1000))
        assert close_code(read_to_end(connection)) == 1008
    assert refused(hasty, Refusal.MESSAGE_TIMEOUT) >= 1


def test_unfinished_messages_together_take_bounded_memory(small: Live) -> None:
    started = b"\x82\xff" + struct.pack(">Q", 3 << 20) + MASK
    with handshaken(small, "one/video") as small_one, handshaken(small, "two/video") as large:
        small_one.sendall(started + bytes(1 << 20))
        until(lambda: small.service.connections.held >= 1 << 20)
        before = refused(small, Refusal.MESSAGE_MEMORY)
        large.sendall(started + bytes(2 << 20))
        until(lambda: small.service.connections.held >= 3 << 20)
        assert refused(small, Refusal.MESSAGE_MEMORY) == before
        with handshaken(small, "three/video") as another:
            another.sendall(started + bytes((1 << 20) + (1 << 16)))
            read_to_end(large)
        assert refused(small, Refusal.MESSAGE_MEMORY) == before + 1
    until(lambda: small.service.connections.held == 0)


def test_endless_fragments_close_the_socket(small: Live) -> None:
    with handshaken(small, "parts/video") as connection:
        connection.sendall(b"\x02\x80" + MASK + (b"\x00\x80" + MASK) * (MAX_FRAGMENTS + 1))
        assert close_code(read_to_end(connection)) == 1009


def test_a_flood_of_pings_closes_the_socket(small: Live) -> None:
    allowed = int(20 * MAX_PINGS_PER_SECOND)
    ping = b"\x89\x80" + MASK
    with handshaken(small, "pings/events") as connection:
        connection.sendall(ping * (allowed // 2))
        answers = b""
        while len(answers) < 2 * (allowed // 2):
            answers += connection.recv(65536)
        connection.sendall(ping * allowed * 10)
        assert close_code(read_to_end(connection)) == 1008


def test_many_small_messages_at_once_hold_nobody_up(small: Live) -> None:
    with handshaken(small, "small/browser") as connection:
        connection.sendall((b"\x81\x82" + bytes(4) + b"[]") * 2000)  # the first 20 close it
        until(lambda: small.service.connections.held > 5_000)
        began = time.process_time()  # a busy machine may take longer
        with small.http as http:
            assert http.get("/api/health").status_code == 200
        assert time.process_time() - began < 1.0
    until(lambda: small.service.connections.held == 0)


def test_a_session_has_a_limited_number_of_media_sockets(small: Live) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(handshaken(small, "crowd/browser"))
        with raw(small, handshake("crowd/browser")) as fourth:
            answer = fourth.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"3 sockets of this session are open already" in answer
        with handshaken(small, "crowd/events"), handshaken(small, "others/video"):
            pass
    until(lambda: len(small.service.connections) == 0)
    with handshaken(small, "crowd/browser"), small.http as http:
        assert http.get("/api/health").json()["refused_connections"] >= 1
        page = http.get("/metrics").text
    assert 'proctoring_connections_refused_total{reason="request_timeout"}' in page
    assert "proctoring_sockets_refused_total" in page


def test_a_token_has_a_limited_number_of_sockets() -> None:
    counts = SocketCounts(per_session=3, per_token=2)
    with counts.counted("a", "t"), counts.counted(None, "t"), counts.counted("a", "u"):
        with pytest.raises(TooManyError, match="with this token"), counts.counted("b", "t"):
            pytest.fail("it was counted")
        with counts.counted("b", None):
            pass
    with counts.counted("b", "t"):
        assert counts.refused == 1


# Without a server.


class FakeTransport:
    def __init__(self) -> None:
        self.done = ""

    def abort(self) -> None:
        self.done = "aborted"

    def close(self) -> None:
        self.done = "closed"

    def write(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 503")


def test_the_longest_waiting_connection_is_cut_and_not_one_in_use() -> None:
    connections = Connections(ConnectionLimits(most=3))
    first, second, third, fourth, fifth, sixth = (FakeTransport() for _ in range(6))
    for one in (first, second, third):
        connections.opened(cast(Any, one))
    connections.requested(cast(Any, first))
    connections.opened(cast(Any, fourth))
    assert [one.done for one in (first, second, third, fourth)] == ["", "aborted", "", ""]
    connections.requested(cast(Any, third))
    connections.requested(cast(Any, fourth))
    connections.opened(cast(Any, fifth))
    assert fifth.done == "closed"
    connections.waits(cast(Any, third))  # between two requests
    connections.opened(cast(Any, sixth))
    assert (third.done, sixth.done, len(connections)) == ("aborted", "", 3)
    assert connections.refused == {Refusal.WAITING: 2, Refusal.FULL: 1}


def test_the_largest_message_is_cut_when_all_take_too_much() -> None:
    connections = Connections(ConnectionLimits(message_memory=100))
    small, large = FakeTransport(), FakeTransport()
    for one in (small, large):
        connections.opened(cast(Any, one))
    connections.holds(cast(Any, large), 70)
    connections.holds(cast(Any, small), 30)
    assert (small.done, large.done) == ("", "")
    connections.holds(cast(Any, small), 31)
    assert (small.done, large.done, connections.held) == ("", "aborted", 31)


def test_the_same_fault_is_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    seconds = [0.0]
    logger = logging.getLogger("tests.log_limit")
    limit = OncePerSecond(lambda: seconds[0])
    logger.addFilter(limit)
    try:
        for number in range(100):
            logger.warning("no more files: %d", number)
        logger.warning("another fault")
        seconds[0] = 1.5
        logger.warning("no more files: %d", 100)
    finally:
        logger.removeFilter(limit)
    assert [record.getMessage() for record in caplog.records] == [
        "no more files: 0",
        "another fault",
        "no more files: 100 (99 more since the last such line)",
    ]


def test_connections_leave_files_for_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    for soft, hard, wanted, allowed in (
        (1024, 1_048_576, 4096, 4096),
        (1024, 1024, 4096, 1024 - RESERVED),
        (100, 100, 4096, 16),
        (1_048_576, 1_048_576, 4096, 4096),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, it=(soft, hard): it)
        assert connections_allowed(wanted) == allowed


def test_a_client_that_reads_no_pongs_costs_no_memory(small: Live) -> None:
    with handshaken(small, "deaf/events") as connection:
        payload = bytes(120)
        ping = b"\x89" + bytes([0x80 | len(payload)]) + MASK + payload
        with suppress(OSError):  # cut off
            for _ in range(40):
                connection.sendall(ping * 1000)
    until(lambda: len(small.service.connections) == 0)
