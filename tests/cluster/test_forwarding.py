"""What is forwarded arrives as it was sent, in both directions, and so does how it ends."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from proctoring.cluster.forward_http import client, forward_http, is_refusal
from proctoring.cluster.forward_socket import Forward
from proctoring.cluster.forwards import Forwards
from proctoring.cluster.middleware import PeerRequests
from proctoring.cluster.place import Elsewhere, ForwardError
from proctoring.cluster.requests import FROM_PEER, session_of
from proctoring.cluster.signature import HEADER, Signature
from proctoring.errors import NotReadyError, TooManyError

PATH = "/ws/proctor/exam%207/video"
MARK = (HEADER, "signed")


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/ws/proctor/exam 7/video",
        "raw_path": PATH.encode(),
        "query_string": b"observe=1",
        "headers": [(b"host", b"exams.example.org"), (b"authorization", b"Bearer T")],
        "subprotocols": [],
        "client": ("192.0.2.7", 1234),
    } | changes


class Client:
    """The client's side, as ASGI has it."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> dict[str, Any]:
        return await self.sent.get()

    async def send(self, message: Any) -> None:
        self.received.put_nowait(message)


@asynccontextmanager
async def owner(
    handler: Callable[[ServerConnection], Coroutine[Any, Any, None]], **options: Any
) -> AsyncIterator[Elsewhere]:
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield Elsewhere("B", f"http://127.0.0.1:{port}")


def test_messages_and_the_request_arrive_as_they_were_sent() -> None:
    async def run() -> None:
        seen: list[Any] = []

        async def handler(connection: ServerConnection) -> None:
            request = connection.request
            assert request is not None
            seen.append((request.path, request.headers["Host"], request.headers["Authorization"]))
            seen.append(request.headers[HEADER])
            async for message in connection:
                seen.append(message)
                await connection.send(message)
                if message == "enough":
                    await connection.close(4004, "session ended: on request")

        async with owner(handler) as place:
            client = Client()
            running = asyncio.create_task(
                Forward(place).run(MARK, scope(), client.receive, client.send)
            )
            assert (await client.received.get())["type"] == "websocket.accept"
            frame = bytes(range(256)) * 4000
            for message in ({"bytes": frame}, {"bytes": b""}, {"text": "enough"}):
                client.sent.put_nowait({"type": "websocket.receive", **message})
                assert await client.received.get() == {"type": "websocket.send", **message}
            closing = await client.received.get()
            await running
        assert closing["code"] == 4004
        assert closing["reason"] == "session ended: on request"
        assert seen == [
            (PATH + "?observe=1", "exams.example.org", "Bearer T"),
            "signed",
            frame,
            b"",
            "enough",
        ]

    asyncio.run(run())


def test_how_the_client_closes_is_told_to_the_owner() -> None:
    async def run() -> None:
        codes: asyncio.Queue[Any] = asyncio.Queue()

        async def handler(connection: ServerConnection) -> None:
            await connection.wait_closed()
            codes.put_nowait((connection.close_code, connection.close_reason))

        async with owner(handler) as place:
            client = Client()
            client.sent.put_nowait({"type": "websocket.disconnect", "code": 3007, "reason": "done"})
            await Forward(place).run(MARK, scope(), client.receive, client.send)
            assert await codes.get() == (3007, "done")

    asyncio.run(run())


def test_a_connection_to_the_owner_that_breaks_is_told_as_a_restart() -> None:
    async def run() -> None:
        async def handler(connection: ServerConnection) -> None:
            connection.transport.abort()

        async with owner(handler) as place:
            client = Client()
            await Forward(place).run(MARK, scope(), client.receive, client.send)
            assert (await client.received.get())["type"] == "websocket.accept"
            assert (await client.received.get())["code"] == 1012

    asyncio.run(run())


def test_a_socket_whose_owner_is_gone_is_closed_though_nothing_was_heard() -> None:
    async def run() -> None:
        async def handler(connection: ServerConnection) -> None:
            await connection.wait_closed()

        async with owner(handler) as place:
            client, forwards = Client(), Forwards(1)
            forward = forwards.add(place)
            running = asyncio.create_task(forward.run(MARK, scope(), client.receive, client.send))
            await client.received.get()
            forwards.cut_others({"B", "C"})
            assert not running.done()
            forwards.cut_others({"C"})
            await running
            assert (await client.received.get())["code"] == 1012

    asyncio.run(run())


def test_an_owner_that_refuses_a_handshake_is_passed_on() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        answer = connection.respond(HTTPStatus.FORBIDDEN, '{"error": {"code": "forbidden"}}')
        answer.headers["Retry-After"] = "7"
        return answer

    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def run() -> None:
        async with owner(handler, process_request=refuse) as place:
            client = Client()
            await Forward(place).run(MARK, scope(), client.receive, client.send)
            start = await client.received.get()
            body = await client.received.get()
        assert start["type"] == "websocket.http.response.start"
        assert start["status"] == 403
        assert (b"retry-after", b"7") in start["headers"]
        assert body["body"] == b'{"error": {"code": "forbidden"}}'

    asyncio.run(run())


def test_an_address_where_nothing_listens_leaves_the_handshake_unanswered() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        client = Client()
        with pytest.raises(ForwardError) as failed:
            await Forward(Elsewhere("B", f"http://127.0.0.1:{port}")).run(
                MARK, scope(), client.receive, client.send
            )
        assert failed.value.refused
        assert client.received.empty()
        assert client.sent.qsize() == 1, "the handshake can still be answered"

    asyncio.run(run())


def test_a_server_forwards_no_more_sockets_than_it_may() -> None:
    forwards = Forwards(1)
    forward = forwards.add(Elsewhere("B", "http://b"))
    with pytest.raises(TooManyError):
        forwards.add(Elsewhere("B", "http://b"))
    forwards.remove(forward)
    forwards.add(Elsewhere("B", "http://b"))


@pytest.mark.parametrize(
    ("fault", "refused"),
    [(httpx.ConnectError("Connection refused"), True), (httpx.ConnectTimeout("slow"), False)],
)
def test_a_request_that_did_not_arrive_can_be_sent_elsewhere(
    fault: Exception, refused: bool
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(ForwardError) as failed:
        _forward(answer)
    assert failed.value.refused is refused


def test_a_request_that_may_have_arrived_is_not_sent_twice() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken")

    with pytest.raises(NotReadyError):
        _forward(answer)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_where_nobody_listens_refuses(host: str) -> None:
    async def run() -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            async with client() as http:
                with pytest.raises(httpx.ConnectError) as failed:
                    await http.get(f"http://{host}:{bound.getsockname()[1]}/")
        assert is_refusal(failed.value)

    asyncio.run(run())


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EHOSTUNREACH])
def test_a_connection_that_cannot_be_tried_is_no_refusal(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async def fail(*_: Any, **__: Any) -> Any:
            raise OSError(code, "not tried")

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
        async with client() as http:
            with pytest.raises(httpx.ConnectError) as failed:
                await http.get("http://127.0.0.1:8000/")
        assert not is_refusal(failed.value)

    asyncio.run(run())


def test_a_request_and_its_answer_arrive_as_they_were_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://b:8000/api/sessions/a%2Fb/voice?x=1"
        assert request.headers["host"] == "exams.example.org"
        assert request.headers[HEADER] == "signed"
        assert "connection" not in request.headers or request.headers["connection"] != "close"
        said = httpx.ByteStream(b"said " + request.read())
        return httpx.Response(422, headers={"retry-after": "3"}, stream=said)

    sent = _forward(answer)
    assert sent[0]["status"] == 422
    assert (b"retry-after", b"3") in sent[0]["headers"]
    assert b"".join(message["body"] for message in sent[1:]) == b"said hello"


def _forward(answer: Callable[[httpx.Request], httpx.Response]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    pieces = [
        {"type": "http.request", "body": b"hel", "more_body": True},
        {"type": "http.request", "body": b"lo"},
    ]

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def handle(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return answer(request)

    async def run() -> None:
        request = scope(
            type="http",
            method="PUT",
            path="/api/sessions/a/b/voice",
            raw_path=b"/api/sessions/a%2Fb/voice",
            query_string=b"x=1",
            headers=[
                (b"host", b"exams.example.org"),
                (b"content-length", b"5"),
                (b"connection", b"close"),
            ],
        )
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            await forward_http(http, Elsewhere("B", "http://b:8000"), MARK, request, receive, send)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize(
    ("kind", "path", "session"),
    [
        ("websocket", "/ws/proctor/exam 7/video", "exam 7"),
        ("websocket", "/ws/proctor/a/b/events", "a/b"),
        ("websocket", "/ws/proctor/exam-7/other", None),
        ("http", "/api/sessions/exam-7", "exam-7"),
        ("http", "/api/sessions/exam-7/calibration", "exam-7"),
        ("http", "/api/sessions", None),
        ("http", "/api/records/sittings/01", None),
        ("http", "/ws/proctor/exam-7/video", None),
    ],
)
def test_what_a_request_is_about(kind: str, path: str, session: str | None) -> None:
    assert session_of(scope(type=kind, path=path)) == session


@pytest.mark.parametrize("signed", [True, False])
def test_only_a_signed_request_is_another_servers(signed: bool) -> None:
    signature = Signature(b"shared")
    seen: list[Any] = []

    async def app(given: Any, receive: Any, send: Any) -> None:
        seen.append(given)

    value = signature.sign("WEBSOCKET", PATH, "198.51.100.9", 1000.0) if signed else "1 2 3"
    headers = [(HEADER.encode(), value.encode()), (b"host", b"h")]

    async def nothing(*_: Any) -> Any:
        return None

    wrapped = PeerRequests(app, signature=signature, wall=lambda: 1000.0)
    asyncio.run(wrapped(scope(headers=headers), nothing, nothing))
    assert seen[0].get(FROM_PEER, False) is signed
    assert seen[0]["client"][0] == ("198.51.100.9" if signed else "192.0.2.7")
    assert seen[0]["headers"] == [(b"host", b"h")], "nobody behind sees the mark"
