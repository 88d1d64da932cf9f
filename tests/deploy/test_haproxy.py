"""HAProxy, as ``deploy/haproxy`` configures it, in front of real servers: who gets which session, and when it moves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.deploy.haproxy import CONFIGURATION, HAPROXY, Balancer, balanced, loopback
from tests.deploy.servers import SEEING, process, stub
from tests.server.live import Live, running
from tests.waiting import TIMEOUT, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from proctoring.errors import NotReadyError

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed"),
]

SOCKETS = ("video", "audio", "browser", "events")


@contextmanager
def servers(count: int) -> Iterator[list[Live]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running(SEEING)) for _ in range(count)]


def addresses(lives: Sequence[Live]) -> list[str]:
    return [live.address.removeprefix("http://") for live in lives]


def owner(lives: Sequence[Live], session_id: str) -> int:
    """Which server has the session; the test fails unless it is one alone."""
    having = [
        number
        for number, live in enumerate(lives)
        if any(session.session_id == session_id for session in live.service.sessions)
    ]
    assert len(having) == 1, f"{session_id} is on {having}"
    return having[0]


def place(balancer: Balancer, lives: Sequence[Live], session_id: str) -> int:
    """Open the session's video and close it again; where it went."""
    with balancer.socket(f"{session_id}/video"):
        return owner(lives, session_id)


def test_all_sockets_and_requests_of_a_session_reach_one_server() -> None:
    with servers(3) as lives, balanced(addresses(lives)) as balancer:
        used = set()
        for number in range(8):
            plain, encoded = f"exam:{number}@b", f"exam%3A{number}%40b"
            with ExitStack() as stack:
                for name, path in zip(SOCKETS, (plain, encoded, plain, encoded), strict=True):
                    query = "?rate=16000" if name == "audio" else ""
                    stack.enter_context(balancer.socket(f"{path}/{name}{query}"))
                used.add(owner(lives, plain))
                with balancer.http as http:
                    assert http.get(f"/api/sessions/{encoded}").json()["session_id"] == plain
                    assert http.delete(f"/api/sessions/{plain}").status_code == 200
        assert len(used) > 1


def test_a_session_created_by_rest_is_found_by_its_sockets() -> None:
    with servers(3) as lives, balanced(addresses(lives)) as balancer, balancer.http as http:
        for number in range(6):
            name = f"created-{number}"
            made = http.post("/api/sessions", json={"mirrored": True, "session_id": name})
            assert made.status_code == 201
            assert place(balancer, lives, name) == owner(lives, name)


def test_no_server_gets_more_than_half_as_many_again_as_the_others() -> None:
    with servers(3) as lives, balanced(addresses(lives)) as balancer, ExitStack() as stack:
        for number in range(45):
            stack.enter_context(balancer.socket(f"s{number}/video"))
        counts = [live.service.open_sessions for live in lives]
        assert sum(counts) == 45
        assert max(counts) <= 1.5 * 15 + 1


def test_a_server_that_is_not_ready_gets_no_new_session_and_keeps_its_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise NotReadyError("draining")

    with servers(2) as lives, balanced(addresses(lives)) as balancer, ExitStack() as stack:
        kept = next(name for name in map(str, range(99)) if place(balancer, lives, name) == 0)
        video = stack.enter_context(balancer.socket(f"{kept}/video"))
        monkeypatch.setattr(lives[0].service, "check_ready", refuse)
        until(lambda: balancer.states() == ["NOLB", "UP"])
        for number in range(10):
            assert place(balancer, lives, f"later-{number}") == 1
        # Its session is still there for more sockets and for requests, and the socket lives.
        stack.enter_context(balancer.socket(f"{kept}/audio?rate=16000"))
        assert owner(lives, kept) == 0
        with balancer.http as http:
            assert http.get(f"/api/sessions/{kept}").json()["video"] is True
        assert video.ping().wait(60)
        monkeypatch.undo()
        until(lambda: balancer.states() == ["UP", "UP"])
        stack.close()  # with two sockets it would have more than its bound
        assert {place(balancer, lives, f"again-{number}") for number in range(20)} == {0, 1}


def test_a_server_that_is_added_moves_no_session() -> None:
    late = loopback() + ":8000"
    with servers(2) as lives, balanced([*addresses(lives), late]) as balancer:
        assert balancer.states() == ["UP", "UP", "DOWN"]
        names = [f"s{number}" for number in range(30)]
        with ExitStack() as stack:
            sockets = [stack.enter_context(balancer.socket(f"{name}/video")) for name in names]
            before = [owner(lives, name) for name in names]
            host, _, port = late.partition(":")
            lives.append(stack.enter_context(running(SEEING, host=host, port=int(port))))
            until(lambda: balancer.states() == ["UP", "UP", "UP"])
            assert all(socket.ping().wait(60) for socket in sockets)
            for name in names:  # a socket that is opened again finds its session, too
                stack.enter_context(balancer.socket(f"{name}/audio?rate=16000"))
            assert [owner(lives, name) for name in names] == before
            new = [f"new-{number}" for number in range(30)]
            assert 2 in {place(balancer, lives, name) for name in new}


def test_sessions_of_a_haproxy_that_was_killed_stay_where_they_are_through_its_peer() -> None:
    peers = [f"{loopback()}:10000" for _ in range(2)]
    with ExitStack() as stack:
        lives = stack.enter_context(servers(3))
        one, other = (
            stack.enter_context(balanced(addresses(lives), peer=peer, peers=peers))
            for peer in ("a", "b")
        )
        names = [f"s{number}" for number in range(40)]
        for name in names:
            stack.enter_context(one.socket(f"{name}/video"))
        before = [owner(lives, name) for name in names]
        until(lambda: other.remembers() == len(names))
        one.process.kill()
        for name in names:
            stack.enter_context(other.socket(f"{name}/video"))
        assert [owner(lives, name) for name in names] == before


def test_refusals_and_close_codes_are_the_servers_own() -> None:
    with servers(2) as lives, balanced(addresses(lives)) as balancer:
        with pytest.raises(InvalidStatus) as refused:
            balancer.socket("a%20b/video")
        with pytest.raises(InvalidStatus) as direct:
            lives[0].socket("a%20b/video")
        assert refused.value.response.status_code == direct.value.response.status_code
        assert refused.value.response.body == direct.value.response.body
        closed = []
        for source in (balancer, lives[0]):
            with source.socket("ends/video") as video, source.http as http:
                assert http.delete("/api/sessions/ends").status_code == 200
                closed.append(closing(video))
        assert closed[0] == closed[1]
        assert closed[0][0] not in (1000, 1005, 1006)


def closing(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the server closes the socket; what it sends before is skipped."""
    received = broken_off(socket).rcvd
    assert received is not None
    return received.code, received.reason


def test_a_killed_server_is_replaced_for_new_sockets_and_requests(tmp_path: Path) -> None:
    hosts = [loopback(), loopback()]
    with ExitStack() as stack:
        killed, _ = (stack.enter_context(process(host, tmp_path / host)) for host in hosts)
        balancer = stack.enter_context(balanced([f"{host}:8000" for host in hosts]))
        names = [f"s{number}" for number in range(12)]
        sockets = {name: stack.enter_context(balancer.socket(f"{name}/video")) for name in names}
        lost = open_on(hosts[0])
        kept = open_on(hosts[1])
        assert lost
        assert lost | kept == set(names)
        killed.kill()
        for name in lost:  # at once: before a health check has noticed
            assert broken_off(sockets[name]).rcvd is None
            stack.enter_context(balancer.socket(f"{name}/video"))
        assert open_on(hosts[1]) == set(names)
        assert all(sockets[name].ping().wait(TIMEOUT) for name in kept)


def test_sockets_of_a_server_that_does_not_answer_are_closed(tmp_path: Path) -> None:
    hosts = [loopback(), loopback()]
    with ExitStack() as stack:
        frozen, _ = (stack.enter_context(process(host, tmp_path / host)) for host in hosts)
        servers = [f"{host}:8000" for host in hosts]
        balancer = stack.enter_context(balanced(servers, check_timeout="3s"))
        with ExitStack() as opened:
            for number in range(12):
                opened.enter_context(balancer.socket(f"s{number}/video"))
            names = open_on(hosts[0])
        name = names.pop()
        video = stack.enter_context(balancer.socket(f"{name}/video"))
        assert frozen.pid is not None
        os.kill(frozen.pid, signal.SIGSTOP)
        stack.callback(os.kill, frozen.pid, signal.SIGCONT)
        assert broken_off(video).rcvd is None
        until(lambda: balancer.states()[0] == "DOWN")
        stack.enter_context(balancer.socket(f"{name}/video"))
        assert name in open_on(hosts[1])


def open_on(host: str) -> set[str]:
    """Sessions that the server itself says are open."""
    answer = httpx.get(f"http://{host}:8000/api/sessions", timeout=TIMEOUT)
    return {session["session_id"] for session in answer.json()["sessions"]}


def broken_off(socket: ClientConnection) -> ConnectionClosed:
    """How the connection was closed; what comes before is skipped."""
    try:
        while True:
            socket.recv(TIMEOUT)
    except ConnectionClosed as closed:
        return closed


def test_servers_are_told_the_clients_address_and_not_what_it_says_of_itself() -> None:
    with stub() as behind, balanced([behind.address]) as balancer:
        transport = httpx.HTTPTransport(local_address="127.0.0.9")
        faked = {
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Proto": "https",
            "Forwarded": "for=192.0.2.1",
            "Authorization": "Bearer abc",
            "X-Other": "as it was",
        }
        with httpx.Client(transport=transport, timeout=TIMEOUT) as client:
            answer = client.get(f"http://{balancer.host}:8080/api/health?a=b%20c", headers=faked)
        assert answer.headers["x-told-by"] == "the stub"
        told = answer.json()
        assert told["path"] == "/api/health?a=b%20c"
        headers = {name.lower(): value for name, value in told["headers"].items()}
        assert headers["x-forwarded-for"] == "127.0.0.9"
        assert headers["x-forwarded-proto"] == "http"
        assert "forwarded" not in headers
        assert headers["authorization"] == "Bearer abc"
        assert headers["x-other"] == "as it was"
        assert headers["host"] == f"{balancer.host}:8080"


def test_another_server_is_asked_where_one_refuses_a_new_session() -> None:
    with ExitStack() as stack:
        full, free = (stack.enter_context(stub()) for _ in range(2))
        full.status = 503
        balancer = stack.enter_context(balanced([full.address, free.address]))
        http = stack.enter_context(balancer.http)
        for number in range(12):
            assert http.get(f"/api/sessions/s{number}").status_code == 200
        assert full.paths
        assert len(free.paths) == 12
        asked = len(full.paths)
        for number in range(12):  # from now on the one that took it
            assert http.get(f"/api/sessions/s{number}").status_code == 200
        assert len(full.paths) == asked


def test_headers_and_bodies_have_a_greatest_size() -> None:
    too_large = (400, 431)  # the latter from 3.1 on
    with stub() as behind, balanced([behind.address]) as balancer, balancer.http as http:
        assert http.get("/", headers={"X-Long": "a" * 14_000}).status_code == 200
        assert http.get("/", headers={"X-Long": "a" * 16_000}).status_code in too_large
        assert http.get("/", headers={f"X-{n}": "a" for n in range(70)}).status_code in too_large
        with socket.create_connection((balancer.host, 8080), timeout=TIMEOUT) as too_long:
            too_long.sendall(
                b"POST /api/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8388609\r\n\r\n"
            )
            assert too_long.recv(100).startswith(b"HTTP/1.1 413 ")
        assert len(behind.paths) == 1


def test_a_request_that_arrives_too_slowly_is_cut_off() -> None:
    with stub() as behind, balanced([behind.address], request_timeout="200ms") as balancer:
        with socket.create_connection((balancer.host, 8080), timeout=TIMEOUT) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        assert behind.paths == []


def test_haproxy_is_ready_while_a_server_answers() -> None:
    with servers(1) as lives, balanced(addresses(lives)) as balancer, balancer.http as http:
        assert http.get("/balancer/ready").status_code == 200
        metrics = httpx.get(f"http://{balancer.host}:8404/metrics", timeout=TIMEOUT).text
        assert 'haproxy_server_status{proxy="proctoring",server="s1",state="UP"} 1' in metrics
    nobody = loopback() + ":8000"
    with balanced([nobody]) as balancer, balancer.http as http:
        assert http.get("/balancer/ready").status_code == 503


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PROCTORING_SERVERS_DNS": "servers", "PROCTORING_SERVERS_MAX": "8"},
        {"PROCTORING_PEER": "b", "PROCTORING_PEER_B": "127.0.0.1:10002"},
    ],
)
def test_the_configuration_is_valid(environment: dict[str, str]) -> None:
    assert HAPROXY is not None
    checked = subprocess.run(
        [HAPROXY, "-c", "-f", CONFIGURATION],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert checked.returncode == 0, checked.stderr
    assert "[WARNING]" not in checked.stderr
