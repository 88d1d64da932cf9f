"""A real receiver of webhooks: it can be away, refuse, not answer and come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What it answers next can be changed at any time."""

    port: int = 0
    status: int = 204
    location: str = ""
    answers: threading.Event = field(default_factory=threading.Event)
    """While this is not set, requests wait for their answer. Set unless a test clears it."""
    requests: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=in-the-address"

    @property
    def ids(self) -> list[str]:
        return [taken.headers["webhook-id"] for taken in self.requests]

    def wait(self, count: int, timeout: float = 60.0) -> list[Taken]:
        """The requests, once there are so many."""
        end = time.monotonic() + timeout
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} of {count} came: {self.ids}"
            time.sleep(0.01)
        return list(self.requests)


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """The receiver listens; on the same port as before, if it had one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Taken(self.path, headers, body))
            receiver.answers.wait()
            try:
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:  # whoever asked has given up
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    ThreadingHTTPServer.allow_reuse_address = True
    with ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.answers.set()
            server.shutdown()
            thread.join()
