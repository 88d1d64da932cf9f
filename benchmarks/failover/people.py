"""Candidates and listeners that come back, to whichever server, until they are told to stop."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import simplejpeg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

CAPTURED = 1_700_000_000_000_000
RETRY = 0.2
"""Seconds between two attempts, as the clients of this project have at first."""

OPEN_TIMEOUT = 6.0
BROKEN = (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, TimeoutError, EOFError)
PICTURE: bytes = simplejpeg.encode_jpeg(np.full((48, 64, 3), 90, np.uint8), quality=60)


@dataclass
class Heard:
    """What the listeners of a session were told."""

    texts: dict[int, str] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)
    """When each was heard first, monotonic seconds."""
    problems: list[str] = field(default_factory=list)
    closes: list[tuple[str, int, float]] = field(default_factory=list)
    """Socket, close code, and when, of each socket that was closed or broke."""

    def note(self, text: str, last: int) -> int:
        """An event came after ``last``; returns its number."""
        seq = int(json.loads(text)["seq"])
        if seq != last + 1:
            self.problems.append(f"{seq} came after {last}")
        if self.texts.setdefault(seq, text) != text:
            self.problems.append(f"{seq} was told differently")
        self.times.setdefault(seq, time.monotonic())
        return seq

    def first_after(self, moment: float) -> float | None:
        """When the first new event after this moment was heard."""
        return min((at for at in self.times.values() if at > moment), default=None)

    def closed(self, socket: str, code: int) -> None:
        """A socket of this session ended."""
        self.closes.append((socket, code, time.monotonic()))


class Person:
    """A candidate who pastes again and again, and a listener, of one session.

    Args:
        session_id: the session.
        ports: of the servers.
        choose: which of them is tried next.
        pause: seconds between two reports: about as often an event comes.
        patience: seconds without an answer to a ping after which it comes back.
    """

    def __init__(
        self,
        session_id: str,
        ports: Sequence[int],
        choose: Callable[[Sequence[int]], int] = random.choice,
        *,
        pause: float = 0.05,
        patience: float = 60.0,
    ) -> None:
        self.session_id = session_id
        self.ports = ports
        self.heard = Heard()
        self._choose = choose
        self._pause = pause
        self._patience = patience
        self._tasks: list[asyncio.Task[None]] = []
        self._began = time.monotonic()

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._watch(name, part))
            for name, part in (
                ("video", self._send_frames),
                ("browser", self._report),
                ("events", self._listen),
            )
        ]

    async def stop(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, name: str, part: Callable[[ClientConnection], object]) -> None:
        while True:
            port = self._choose(self.ports)
            query = f"?after={max(self.heard.texts, default=0)}" if name == "events" else ""
            url = f"ws://127.0.0.1:{port}/ws/proctor/{self.session_id}/{name}{query}"
            try:
                async with connect(
                    url,
                    compression=None,
                    open_timeout=min(OPEN_TIMEOUT, 2 * self._patience),
                    close_timeout=0.2,
                    ping_interval=1,
                    ping_timeout=self._patience,
                    proxy=None,
                ) as socket:
                    try:
                        await part(socket)  # type: ignore[misc]
                    finally:
                        await asyncio.sleep(0)
                        self.heard.closed(name, socket.close_code or 1006)
            except BROKEN:
                pass
            await asyncio.sleep(RETRY)

    def _capture(self) -> int:
        return CAPTURED + int((time.monotonic() - self._began) * 1e6)

    async def _send_frames(self, socket: ClientConnection) -> None:
        async def drain() -> None:
            with suppress(ConnectionClosed):
                while True:
                    await socket.recv()

        draining = asyncio.create_task(drain())
        try:
            while True:
                await socket.send(self._capture().to_bytes(8, "big") + PICTURE)
                await asyncio.sleep(0.5)
        finally:
            draining.cancel()

    async def _report(self, socket: ClientConnection) -> None:
        number = 0
        while True:
            number += 1
            report = {
                "capture_time": self._capture(),
                "visible": True,
                "focused": True,
                "pasted": 9 * (number % 2),
            }
            await socket.send(json.dumps(report))
            await asyncio.sleep(self._pause)

    async def _listen(self, socket: ClientConnection) -> None:
        last = max(self.heard.texts, default=0)
        while True:
            text = str(await socket.recv())
            if "seq" in json.loads(text):
                last = self.heard.note(text, last)
