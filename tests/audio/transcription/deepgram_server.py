"""A server that speaks Deepgram's live protocol over real sockets, as far as ours needs it.

It "hears" one word per second of audio: word7 is the seventh second of the connection's audio. It
sends interim results as audio comes (where they are asked for) and a final one every two seconds, checks the key and the query,
answers Finalize and CloseStream, and hangs up after ``idle`` seconds without a message.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

KEY = "the-right-key"
SECOND = 32_000


@dataclass
class DeepgramServer:
    """What it saw, and what it shall do."""

    idle: float = 10.0
    hang_up_after: int | None = None
    """Bytes of audio after which the first connection is cut without a word."""
    deaf: bool = False
    """``True``: accepts connections and never reads from them."""
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    audio: list[bytearray] = field(default_factory=list)
    """Per connection, all that came."""
    refused: int = 0
    release: threading.Event = field(default_factory=threading.Event)
    _server: Server | None = None

    def __enter__(self) -> DeepgramServer:
        self._server = serve(
            self._talk, "127.0.0.1", 0, process_request=self._admit, close_timeout=1
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self.release.set()
        self._server.shutdown()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Token {KEY}":
            self.refused += 1
            return connection.respond(HTTPStatus.UNAUTHORIZED, "invalid credentials\n")
        if urlsplit(request.path).path != "/v1/listen":
            return connection.respond(HTTPStatus.NOT_FOUND, "no such path\n")
        return None

    def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.queries.append(parse_qs(urlsplit(connection.request.path).query))
        audio = bytearray()
        self.audio.append(audio)
        if self.deaf:
            self.release.wait()
            return
        interim = self.queries[-1].get("interim_results") == ["true"]
        said, final = 0, 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                try:
                    message = connection.recv(timeout=self.idle)
                except TimeoutError:
                    connection.close(1011, "NET-0001")
                    return
                if isinstance(message, bytes):
                    audio += message
                    if self.hang_up_after is not None and len(audio) >= self.hang_up_after:
                        self.hang_up_after = None
                        connection.socket.close()
                        return
                    while len(audio) // SECOND > said:
                        said += 1
                        done = said - final == 2
                        if done or interim:
                            connection.send(results(final, said, is_final=done))
                        final = said if done else final
                    continue
                kind = json.loads(message)["type"]
                self.texts.append(kind)
                if kind in ("Finalize", "CloseStream") and said > final:
                    connection.send(results(final, said, is_final=True, from_finalize=True))
                    final = said
                if kind == "CloseStream":
                    connection.send(json.dumps(metadata(said)))
                    return


def results(start: int, end: int, *, is_final: bool, from_finalize: bool = False) -> str:
    """The words of seconds ``start`` to ``end`` of the connection; every fifth is by speaker 1."""
    words: list[dict[str, Any]] = [
        {
            "word": f"word{n + 1}",
            "start": n + 0.1,
            "end": n + 0.9,
            "confidence": 0.9,
            "punctuated_word": f"Word{n + 1}",
            "speaker": 1 if (n + 1) % 5 == 0 else 0,
        }
        for n in range(start, end)
    ]
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": float(end - start),
            "start": float(start),
            "is_final": is_final,
            "speech_final": is_final,
            "from_finalize": from_finalize,
            "channel": {
                "alternatives": [
                    {
                        "transcript": " ".join(word["punctuated_word"] for word in words),
                        "confidence": 0.9,
                        "words": words,
                    }
                ]
            },
            "metadata": {
                "request_id": "r",
                "model_uuid": "m",
                "model_info": {"name": "n", "version": "v", "arch": "nova-3"},
            },
        }
    )


def metadata(seconds: int) -> dict[str, Any]:
    """What ends a connection."""
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": "r",
        "sha256": "0",
        "created": "2026-01-01T00:00:00Z",
        "duration": float(seconds),
        "channels": 1,
    }
