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
from proctoring.session.evidence.keeper import EvidenceKeeper, Order
from proctoring.session.evidence.ring import Picture, Stretch

TIMEOUT = 20.0
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
    """A keeper and everything that came of it."""

    def __init__(self, folder: Path, max_waiting_bytes: int) -> None:
        self.store = Held(folder)
        self.vault = Untidy(self.store, Keys(), sleep=lambda _: None)
        self.told: Queue[Evidence | None] = Queue()
        self.lost: list[str] = []
        self.keeper = EvidenceKeeper(
            self.vault,
            lost=self.lost.append,
            max_pixels=10_000_000,
            max_waiting_bytes=max_waiting_bytes,
        )
        self.keeper.start()

    def offer(self, kind: str = "still", data: bytes = PICTURE) -> None:
        stretch = Stretch((Picture(1.0, data), Picture(1.1, data)), (), ())
        self.keeper.offer(Order(kind, stretch, False, self.told.put))

    def next(self) -> Evidence | None:
        return self.told.get(timeout=TIMEOUT)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path, 5 * len(PICTURE))
    yield kept
    kept.store.open.set()
    assert kept.keeper.stop(TIMEOUT)


def test_what_is_ordered_is_made_and_kept_before_it_is_told(kept: Kept) -> None:
    kept.offer("still")
    kept.offer("clip")
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
    kept.offer()
    assert kept.store.asked.wait(TIMEOUT)  # it is being kept: two more of two pictures may wait
    for _ in range(3):
        kept.offer()
    assert kept.next() is None
    assert kept.lost == ["too much evidence waits to be made"]
    kept.store.open.set()
    assert [kept.next() is None for _ in range(3)] == [False, False, False]


def test_a_store_that_is_away_costs_the_evidence_and_nothing_else(kept: Kept) -> None:
    kept.store.refuses = True
    kept.offer()
    assert kept.next() is None
    assert kept.lost == ["the store is away"]
    assert kept.keeper.capability.reason == "the store is away"


def test_what_cannot_be_made_costs_that_piece_alone(kept: Kept) -> None:
    kept.offer("clip", b"no picture")
    kept.offer("still")
    assert kept.next() is None
    assert kept.next() is not None
    assert kept.lost == ["no picture was at hand"]


def test_a_listener_that_fails_does_not_stop_the_others(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Evidence | None) -> None:
        raise RuntimeError("no")

    kept.keeper.offer(Order("still", Stretch((Picture(1.0, PICTURE),), (), ()), False, fails))
    kept.offer()
    assert kept.next() is not None
    assert "could not be told" in caplog.text


def test_a_stop_makes_what_waits(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1 << 30)
    for _ in range(5):
        kept.offer()
    assert kept.keeper.stop(TIMEOUT)
    assert [kept.next() is None for _ in range(5)] == [False] * 5
    kept.offer()
    assert kept.next() is None, "it was taken by a keeper that stopped"


def test_a_stop_gives_up_what_takes_too_long(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1 << 30)
    kept.store.open.clear()
    kept.offer()
    assert kept.store.asked.wait(TIMEOUT)
    kept.offer()
    assert not kept.keeper.stop(0.01)
    assert kept.next() is None
    assert kept.lost == ["the server stopped"]
    kept.store.open.set()
    assert kept.next() is not None, "the one under way was still kept"
