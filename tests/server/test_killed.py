"""kill -9 at any moment: no event that a listener heard is lost, none is told twice or differently."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from pathlib import Path
from threading import Thread

import httpx
import pytest
from tests.ports import free_port
from tests.server.killed import TIMEOUT, killable
from tests.session.conftest import jpeg
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

KILLS = int(os.environ.get("PROCTORING_TEST_KILLS", "8"))
"""``docs/benchmarks.md`` tells of 50."""

CAPTURED = 1_700_000_000_000_000


_broken_off = contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError)


class Watched:
    """Listeners' and a candidate's side of one session, over all lives of its server."""

    def __init__(self, port: int) -> None:
        self._server = f"127.0.0.1:{port}"
        self._picture = jpeg("coffee")
        self.heard: dict[int, str] = {}
        """Number to text of every event that was heard, by whichever listener."""
        self.problems: list[str] = []

    def open(self, path: str) -> ClientConnection:
        """One of the session's sockets."""
        return connect(
            f"ws://{self._server}/ws/proctor/exam-7/{path}", compression=None, open_timeout=TIMEOUT
        )

    def listen(self, after: int) -> None:
        """Hear what comes after a number until the connection breaks."""
        last = after
        with _broken_off, self.open(f"events?after={after}") as events:
            while True:
                last = self._hear(events, last)

    def listen_to_all(self) -> None:
        """Hear everything, as a listener that comes new, to the last that there is."""
        last = 0
        with self.open("events?after=0") as events:
            session = httpx.get(
                f"http://{self._server}/api/sessions/exam-7", timeout=TIMEOUT
            ).json()
            while last < session["last_seq"]:
                last = self._hear(events, last)

    def _hear(self, events: ClientConnection, last: int) -> int:
        text = str(events.recv(timeout=None))
        return self._note(json.loads(text).get("seq"), text, last)

    def _note(self, seq: int, text: str, last: int) -> int:
        if seq != last + 1:
            self.problems.append(f"{seq} came after {last}: {text[:200]}")
        if self.heard.setdefault(seq, text) != text:
            self.problems.append(f"{seq} was told differently")
        return seq

    def be_watched(self) -> None:
        """Paste, again and again, until the connection breaks: an incident begins and ends."""
        with _broken_off, self.open("video") as video, self.open("browser") as browser:
            video.send(CAPTURED.to_bytes(8, "big") + self._picture)
            for number in range(100_000):
                report = {
                    "capture_time": CAPTURED + number * 10_000,
                    "visible": True,
                    "focused": True,
                    "pasted": 9 * (number % 2),
                }
                browser.send(json.dumps(report))
                time.sleep(0.002)


@pytest.mark.e2e
@pytest.mark.timeout(120 + 120 * KILLS)
def test_no_event_that_was_heard_is_lost_or_repeated_however_often_the_server_is_killed(
    tmp_path: Path,
) -> None:
    dice = random.Random(7)
    port = free_port()
    watched = Watched(port)
    fruitful = 0
    for _ in range(KILLS):
        before = len(watched.heard)
        with killable(port, tmp_path) as server:
            after = dice.choice([0, max(watched.heard, default=0)])
            threads = [
                Thread(target=watched.listen, args=(after,)),
                Thread(target=watched.be_watched),
            ]
            for thread in threads:
                thread.start()
            end = time.monotonic() + TIMEOUT
            while len(watched.heard) == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, 0.5))
            server.kill()
            for thread in threads:
                thread.join(TIMEOUT)
                assert not thread.is_alive()
        fruitful += len(watched.heard) > before
        assert watched.problems == []
    assert fruitful == KILLS

    heard = dict(watched.heard)
    with killable(port, tmp_path):
        watched.listen_to_all()
    assert watched.problems == []
    assert {seq: watched.heard[seq] for seq in heard} == heard
    assert sorted(watched.heard) == list(range(1, len(watched.heard) + 1))
    print(f"{KILLS} kills, {len(heard)} events heard, {len(watched.heard)} kept")  # noqa: T201
