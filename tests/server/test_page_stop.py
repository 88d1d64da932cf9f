"""A page that stops while its sockets are still being opened, over a network that holds a handshake back."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.server.browser import in_browser
from tests.server.test_page import (  # noqa: F401  (fixtures)
    Server,
    browser,
    end_session,
    launch,
    server,
    start,
    visit,
)
from tests.waiting import until

pytestmark = in_browser

WAIT_AS_LONG_AS_IT_TAKES = """
const set = window.setTimeout;
window.setTimeout = (run, after, ...rest) => (after === 5000 ? 0 : set(run, after, ...rest));
"""
"""Ending waits 5 s for a handshake; a busy machine may need more between two lines of a test."""

TEXT, CLOSE = 0x1, 0x8
"""Opcodes of WebSocket frames."""


class SlowNetwork(socketserver.ThreadingTCPServer):
    """Carries every connection to a server, but holds handshakes of the socket ``browser`` until they may pass."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = port
        self.may_pass = threading.Event()
        self.asked: list[str] = []
        """Reports' handshakes and deletions, as they come from the page."""
        self.passed: list[str] = []
        """The same, as they go to the server."""
        self.sent: list[list[int]] = []
        """The opcodes of what the page then sent, for each reports' socket."""

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


class _Connection(socketserver.BaseRequestHandler):
    server: SlowNetwork

    def handle(self) -> None:
        opcodes: list[int] | None = None
        upstream: socket.socket | None = None
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            while data := self.request.recv(1 << 16):
                if opcodes is not None:
                    opcodes.append(data[0] & 0xF)
                name = _noted(data)
                if name is not None:
                    self.server.asked.append(name)
                    if name == "browser":
                        self.server.may_pass.wait()
                        opcodes = []
                        self.server.sent.append(opcodes)
                    self.server.passed.append(name)
                if (
                    upstream is None
                ):  # not before: the server waits for a request for some seconds only
                    target = ("127.0.0.1", self.server.target)
                    upstream = stack.enter_context(socket.create_connection(target))
                    carried = (upstream, self.request)
                    threading.Thread(target=_carry, args=carried, daemon=True).start()
                upstream.sendall(data)
            if upstream is not None:
                upstream.shutdown(socket.SHUT_WR)


def _noted(data: bytes) -> str | None:
    line = data.split(b"\r\n", 1)[0]
    if line.startswith(b"DELETE "):
        return "end"
    return "browser" if line.startswith(b"GET /ws/") and b"/browser" in line else None


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def network(server: Server) -> Iterator[SlowNetwork]:
    with SlowNetwork(server.port) as network:
        thread = threading.Thread(target=network.serve_forever)
        thread.start()
        yield network
        network.may_pass.set()
        network.shutdown()
        thread.join()


@pytest.fixture
def page(network: SlowNetwork, visit: Callable[..., Page]) -> Page:
    """The page over that network; its console must be silent until it is closed, before the network is."""
    page = visit()
    page.add_init_script(WAIT_AS_LONG_AS_IT_TAKES)
    page.goto(f"http://127.0.0.1:{network.port}/")
    return page


def stop_while_opening(page: Page, network: SlowNetwork) -> None:
    start(page)
    until(lambda: network.asked == ["browser"])
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_socket_stopped_while_it_is_opened_is_closed_quietly_once_it_is_open(
    page: Page, network: SlowNetwork
) -> None:
    stop_while_opening(page, network)
    network.may_pass.set()
    until(lambda: network.sent == [[CLOSE]])


def test_a_socket_started_again_is_another_one(page: Page, network: SlowNetwork) -> None:
    stop_while_opening(page, network)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    network.may_pass.set()
    until(lambda: len(network.sent) == 2 and len(network.sent[1]) > 1)
    first, second = network.sent
    assert first == [CLOSE]
    assert set(second) == {TEXT}


def test_a_session_is_ended_after_the_sockets_that_were_being_opened(
    page: Page, server: Server, network: SlowNetwork
) -> None:
    session_id = page.locator("#session-id").input_value()
    start(page)
    until(lambda: network.asked == ["browser"])
    end_session(page)
    expect(page.locator("#notices")).to_contain_text("The session is being ended.")
    network.may_pass.set()
    expect(page.locator("#notices")).to_contain_text("The session has ended.")
    assert network.passed == ["browser", "end"]
    assert server.ask("GET", f"sessions/{session_id}").status_code == 404
