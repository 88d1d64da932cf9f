from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Event

import pytest
from tests.session.evidence.people import encode, one_person

from proctoring.errors import EvidenceUnavailableError
from proctoring.incidents import Evidence
from proctoring.records.evidence.sealing import Keys
from proctoring.records.evidence.store import FolderStore
from proctoring.records.evidence.vault import EvidenceVault
from proctoring.session.evidence.media_buffer import EncodedFrame, MediaSegment
from proctoring.session.evidence.writer import EvidenceRequest, EvidenceWriter

TIMEOUT = 60.0
PICTURE = encode(one_person())


class Held(FolderStore):
    """A real folder that can be made to wait, or to refuse."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.open = Event()
        self.open.set()
        self.asked = Event()
        self.refuses = False

    def put(self, digest: str, data: bytes) -> None:
        self.asked.set()
        assert self.open.wait(TIMEOUT)
        if self.refuses:
            raise EvidenceUnavailableError("the store is away")
        super().put(digest, data)


class Untidy(EvidenceVault):
    """Without a ledger there is nothing to tidy by."""

    def tidy(self) -> int:
        return 0


class Kept:
    """A writer and the results of its requests."""

    def __init__(self, folder: Path, max_waiting_bytes: int) -> None:
        self.store = Held(folder)
        self.vault = Untidy(self.store, Keys(), sleep=lambda _: None)
        self.told: Queue[Evidence | None] = Queue()
        self.lost: list[str] = []
        self.writer = EvidenceWriter(
            self.vault,
            on_lost=self.lost.append,
            max_pixels=10_000_000,
            max_waiting_bytes=max_waiting_bytes,
        )
        self.writer.start()

    def submit(self, kind: str = "still", data: bytes = PICTURE) -> None:
        segment = MediaSegment((EncodedFrame(1.0, data), EncodedFrame(1.1, data)), (), ())
        self.writer.submit(EvidenceRequest(kind, segment, False, self.told.put))

    def next(self) -> Evidence | None:
        return self.told.get(timeout=TIMEOUT)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path, 5 * len(PICTURE))
    yield kept
    kept.store.open.set()
    assert kept.writer.stop(TIMEOUT)


def test_what_is_ordered_is_made_and_kept_before_it_is_told(kept: Kept) -> None:
    kept.submit("still")
    kept.submit("clip")
    still, clip = kept.next(), kept.next()
    assert still is not None
    assert clip is not None
    assert kept.vault.get(still.digest) == PICTURE
    assert (still.kind, still.start, still.size) == ("still", 1.0, len(PICTURE))
    assert kept.vault.get(clip.digest)[4:8] == b"ftyp"
    assert (clip.kind, clip.start, clip.end) == ("clip", 1.0, 1.1)
    assert not kept.lost


def test_what_finds_no_room_is_lost_at_once_and_said(kept: Kept) -> None:
    kept.store.open.clear()
    kept.submit()
    assert kept.store.asked.wait(TIMEOUT)  # it is being kept: two more of two pictures may wait
    for _ in range(3):
        kept.submit()
    assert kept.next() is None
    assert kept.lost == ["too much evidence waits to be encoded"]
    kept.store.open.set()
    assert [kept.next() is None for _ in range(3)] == [False, False, False]


def test_a_store_that_is_away_costs_the_evidence_and_nothing_else(kept: Kept) -> None:
    kept.store.refuses = True
    kept.submit()
    assert kept.next() is None
    assert kept.lost == ["the store is away"]
    assert kept.writer.capability.reason == "the store is away"


def test_what_cannot_be_made_costs_that_piece_alone(kept: Kept) -> None:
    kept.submit("clip", b"no picture")
    kept.submit("still")
    assert kept.next() is None
    assert kept.next() is not None
    assert kept.lost == ["there is no frame"]


def test_a_listener_that_fails_does_not_stop_the_others(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Evidence | None) -> None:
        raise RuntimeError("no")

    kept.writer.submit(
        EvidenceRequest("still", MediaSegment((EncodedFrame(1.0, PICTURE),), (), ()), False, fails)
    )
    kept.submit()
    assert kept.next() is not None
    assert "could not be published" in caplog.text


def test_a_stop_makes_what_waits(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1 << 30)
    for _ in range(5):
        kept.submit()
    assert kept.writer.stop(TIMEOUT)
    assert [kept.next() is None for _ in range(5)] == [False] * 5
    kept.submit()
    assert kept.next() is None, "it was accepted by a writer that had stopped"


def test_a_stop_gives_up_what_takes_too_long(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1 << 30)
    kept.store.open.clear()
    kept.submit()
    assert kept.store.asked.wait(TIMEOUT)
    kept.submit()
    assert not kept.writer.stop(0.01)
    assert kept.next() is None
    assert kept.lost == ["the server stopped"]
    kept.store.open.set()
    assert kept.next() is not None, "the one under way was still kept"
