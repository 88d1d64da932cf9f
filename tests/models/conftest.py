"""A publisher on this machine: a real HTTP server with the manners and faults of real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Publisher:
    """Serves ``files`` by path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and Range header of every request."""
        self.breaks_after: list[int] = []
        """Bytes after which the next answers break off, one each."""
        self.statuses: list[int] = []
        """Error statuses of the next answers, one each."""
        self.knows_ranges = True
        self.delay = 0.0
        self.url = ""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    served = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers.get("Range")))
            time.sleep(served.delay)
            content = served.files.get(self.path)
            if served.statuses or content is None:
                self.send_error(served.statuses.pop(0) if served.statuses else 404)
                return
            start = 0
            asked = self.headers.get("Range")
            if asked and served.knows_ranges:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = start + served.breaks_after.pop(0) if served.breaks_after else len(content)
            self.wfile.write(content[start:end])
            if end < len(content):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()
