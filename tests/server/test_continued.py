"""kill -9, or an orderly stop, and start again: every session goes on in the next process."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import pytest
from tests.ports import free_port
from tests.server.contract import check_sent
from tests.server.killed import TIMEOUT, killable
from tests.session.conftest import jpeg
from tests.waiting import until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from proctoring.records.archive import Archive, open_archive
from proctoring.records.verification import verify

KILLS = int(os.environ.get("PROCTORING_TEST_CONTINUED", "3"))
"""``docs/benchmarks.md`` tells of 10."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600 + 60 * KILLS)]

SILENCE = np.zeros(1600, "<i2").tobytes()
"""100 ms."""


@dataclass
class Candidate:
    """A candidate's and a listener's side of one session, over all lives of its server."""

    port: int
    session_id: str
    hidden: bool = False
    """Whether the candidate's page says that its tab is hidden."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    """Every event, once."""
    gone: bool = False
    failed: bool = False

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def show(self) -> dict[str, Any]:
        """The session as REST shows it."""
        answer = httpx.get(f"{self.http}/sessions/{self.session_id}", timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def changes(self, kind: str = "browser.hidden") -> list[tuple[str, str]]:
        """Incident id and state, of every change of this kind that was heard."""
        told = [one for event in self.heard for one in event["incidents"]]
        return [(one["id"], one["state"]) for one in told if one["kind"] == kind]

    def socket(self, path: str) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}/ws/proctor/{self.session_id}/{path}"
        return connect(address, compression=None, open_timeout=TIMEOUT)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Send, from another thread, until the block ends or the server is gone; listen, from another, to the last
        event: within the block the server is stopped, or the session ended."""
        self.gone = False
        threads = [Thread(target=self._listen), Thread(target=self._send)]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self.failed = True
            raise
        finally:
            self.gone = True
            for thread in threads:
                thread.join(TIMEOUT)
                assert not thread.is_alive()

    def _listen(self) -> None:
        after = self.heard[-1]["seq"] if self.heard else 0
        with (
            contextlib.suppress(ConnectionClosed, OSError),
            self.socket(f"events?after={after}") as events,
        ):
            while not self.failed:
                with contextlib.suppress(TimeoutError):
                    event = json.loads(events.recv(timeout=0.1))
                    check_sent(event)
                    if "seq" in event:  # the last message says why the socket is closed
                        self.heard.append(event)

    def _send(self) -> None:
        picture = jpeg("coffee")
        with (
            contextlib.suppress(ConnectionClosed, OSError),
            self.socket("video") as video,
            self.socket("audio") as audio,
            self.socket("browser") as browser,
        ):
            while not self.gone:
                now = time.time_ns() // 1000
                video.send(now.to_bytes(8, "big") + picture)
                audio.send(SILENCE)
                report = {"capture_time": now, "visible": not self.hidden, "focused": True}
                browser.send(json.dumps(report))
                time.sleep(0.1)


@pytest.fixture
def candidate(request: pytest.FixtureRequest) -> Candidate:
    """A candidate of a session of this test's own, on a port that is free."""
    return Candidate(free_port(), request.node.name.replace("_", "-")[:60])


@contextmanager
def records(folder: Path) -> Iterator[Archive]:
    """The records that the servers left."""
    archive = open_archive(None, folder, datetime.now(UTC))
    try:
        yield archive
    finally:
        archive.engine.dispose()


def check_chain(candidate: Candidate, folder: Path) -> None:
    """What was heard is what is kept, each number once; hashes and seals are right."""
    seqs = [event["seq"] for event in candidate.heard]
    assert seqs == list(range(1, len(seqs) + 1))
    with records(folder) as archive:
        stored = archive.reader.replay(candidate.session_id, 0, 10_000).events
        assert [json.loads(text) for _, text in stored] == candidate.heard
        assert list(verify(archive.engine, archive.signer)) == []


def test_an_incident_goes_on_through_any_number_of_kills_and_ends_once(
    candidate: Candidate, tmp_path: Path
) -> None:
    candidate.hidden = True
    sittings = set()
    for life in range(KILLS):
        with killable(candidate.port, tmp_path) as server:
            if life:  # asked before any socket came back
                assert [one["kind"] for one in candidate.show()["open_incidents"]] == [
                    "browser.hidden"
                ]
            with candidate.connected():
                until(lambda: candidate.changes() != [])
                until(lambda: candidate.show()["frames"]["analysed"] > 0)
                sittings.add(candidate.show()["sitting_id"])
                time.sleep(0.3 * life)
                server.kill()
    with killable(candidate.port, tmp_path):
        candidate.hidden = False
        with candidate.connected():
            until(lambda: candidate.changes()[-1][1] == "ended")
            sittings.add(candidate.show()["sitting_id"])
            httpx.delete(f"{candidate.http}/sessions/{candidate.session_id}", timeout=TIMEOUT)
    assert len(sittings) == 1
    changes = candidate.changes()
    assert len({incident for incident, _ in changes}) == 1
    assert [state for _, state in changes if state != "updated"] == ["started", "ended"]
    told = [event["continued"] for event in candidate.heard if "continued" in event]
    assert len(told) == KILLS
    assert all(one["from"] <= one["to"] for one in told)
    assert candidate.changes("session.taken_over") == []
    check_chain(candidate, tmp_path)


def test_an_orderly_stop_leaves_the_session_to_the_next_process_and_loses_nothing(
    candidate: Candidate, tmp_path: Path
) -> None:
    candidate.hidden = True
    with killable(candidate.port, tmp_path) as server, candidate.connected():
        until(lambda: candidate.changes() != [])
        before = candidate.show()
        server.terminate()
        server.join(TIMEOUT)
        assert server.exitcode == 0
    with killable(candidate.port, tmp_path), candidate.connected():
        after = candidate.show()
        until(lambda: any("continued" in event for event in candidate.heard))
        httpx.delete(f"{candidate.http}/sessions/{candidate.session_id}", timeout=TIMEOUT)
    assert after["sitting_id"] == before["sitting_id"]
    assert after["media_time"] > before["media_time"]
    assert [event["continued"]["missing"] for event in candidate.heard if "continued" in event] == [
        []
    ]
    with records(tmp_path) as archive:
        sitting = archive.reader.sitting(after["sitting_id"]).sitting
    assert (sitting.state, sitting.signals_lost) == ("ended", 0)


def test_a_session_that_waits_for_its_candidate_keeps_its_policy(
    candidate: Candidate, tmp_path: Path
) -> None:
    wanted = {"session_id": candidate.session_id, "policy": "interview", "mirrored": True}
    with killable(candidate.port, tmp_path) as server:
        made = httpx.post(f"{candidate.http}/sessions", json=wanted, timeout=TIMEOUT).json()
        server.kill()
    with killable(candidate.port, tmp_path):
        found = candidate.show()
        assert (found["sitting_id"], found["policy"], found["mirrored"]) == (
            made["sitting_id"],
            "interview",
            True,
        )
        again = httpx.post(f"{candidate.http}/sessions", json=wanted, timeout=TIMEOUT)
        assert again.status_code == 409


def test_a_policy_that_keeps_nothing_has_the_session_begin_anew(
    candidate: Candidate, tmp_path: Path
) -> None:
    wanted = {
        "session_id": candidate.session_id,
        "accommodations": {"records": {"failover": "off"}},
    }
    candidate.hidden = True
    with killable(candidate.port, tmp_path) as server:
        made = httpx.post(f"{candidate.http}/sessions", json=wanted, timeout=TIMEOUT).json()
        with candidate.connected():
            until(lambda: candidate.changes() != [])
            server.kill()
    with killable(candidate.port, tmp_path), candidate.connected():
        until(lambda: len(candidate.changes()) > 1)
        assert candidate.show()["sitting_id"] != made["sitting_id"]
        httpx.delete(f"{candidate.http}/sessions/{candidate.session_id}", timeout=TIMEOUT)
    with records(tmp_path) as archive:
        left = archive.reader.sitting(made["sitting_id"]).sitting
    assert left.state == "interrupted"
    assert "keeps no state" in (left.end_reason or "")
    check_chain(candidate, tmp_path)
