"""Nothing is kept that no incident refers to, and nothing goes that one does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from tests.records.conftest import BEGAN, beginning, occurrence, tell

from proctoring.errors import EvidenceUnavailableError, UnknownEvidenceError
from proctoring.incidents import Evidence, IncidentState
from proctoring.records.archive import Archive
from proctoring.records.database import reading, writing
from proctoring.records.entries import PendingEvent
from proctoring.records.evidence.ledger import GRACE, EvidenceLedger
from proctoring.records.evidence.sealing import Keys
from proctoring.records.evidence.store import FolderStore
from proctoring.records.evidence.vault import EvidenceVault
from proctoring.records.tables import EvidenceObjectRow, IncidentEvidenceRow

STILL, CLIP = b"\xff\xd8 a still", b"a clip"


class Leaving(FolderStore):
    """A real folder that may refuse to delete."""

    refuses = False

    def delete(self, digest: str) -> None:
        if self.refuses:
            raise EvidenceUnavailableError("the store is away")
        super().delete(digest)


class Kept:
    """A ledger over a database and a folder, at a time of its own."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.now = BEGAN
        self.archive = archive
        self.folder = folder
        self.store = Leaving(folder)
        vault = EvidenceVault(self.store, Keys(), sleep=lambda _: None)
        self.ledger = EvidenceLedger(archive.engine, vault, wall=self.wall)
        self.writer = archive.writer()

    def wall(self) -> datetime:
        return self.now

    @property
    def stored(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file()}

    @property
    def pieces(self) -> set[str]:
        with reading(self.archive.engine) as connection:
            return set(connection.execute(select(EvidenceObjectRow.digest)).scalars())

    def erase(self, sitting_id: str) -> list[str]:
        """As erasure does it: rows in one transaction, then what they referred to."""
        with writing(self.archive.engine) as connection:
            digests = select(IncidentEvidenceRow.digest).filter_by(sitting_id=sitting_id)
            found = list(connection.execute(digests).scalars())
            connection.execute(delete(IncidentEvidenceRow).filter_by(sitting_id=sitting_id))
        return found


@pytest.fixture
def kept(archive: Archive, tmp_path: Path) -> Kept:
    return Kept(archive, tmp_path / "evidence")


def evidence(digest: str, kind: str = "still") -> Evidence:
    media_type = "image/jpeg" if kind == "still" else "video/mp4"
    return Evidence(digest, kind, media_type, 91.4, 91.4, 10, blurred=True)


def told(
    pieces: Sequence[Evidence], sitting_id: str = "S1", session_id: str = "exam-7"
) -> PendingEvent:
    """An incident gains evidence."""
    plain = occurrence(1, IncidentState.UPDATED, sitting_id=sitting_id, session_id=session_id)
    (change,) = plain.changes
    return replace(plain, changes=(replace(change, evidence=tuple(pieces)),))


def test_evidence_is_found_with_its_incident_and_fetched_by_its_digest(kept: Kept) -> None:
    still, clip = evidence(kept.ledger.put(STILL)), evidence(kept.ledger.put(CLIP), "clip")
    kept.writer.write(
        [beginning(), occurrence(1), told([still]), told([still, clip]), told([still, clip])], tell
    )
    kept.writer.write([told([still, clip])], tell)
    (incident,) = kept.archive.reader.sitting("S1").incidents
    assert [(found.kind, found.digest) for found in incident.evidence] == [
        ("clip", clip.digest),
        ("still", still.digest),
    ]
    assert incident.evidence[1].url == f"/api/records/sittings/S1/evidence/{still.digest}"
    piece = kept.ledger.get("S1", still.digest)
    assert (piece.media_type, piece.data) == ("image/jpeg", STILL)
    assert kept.ledger.get("S1", clip.digest).media_type == "video/mp4"


def test_anothers_evidence_is_unknown(kept: Kept) -> None:
    still = evidence(kept.ledger.put(STILL))
    kept.writer.write([beginning("S1", "a"), beginning("S2", "b"), told([still], "S1", "a")], tell)
    with pytest.raises(UnknownEvidenceError):
        kept.ledger.get("S2", still.digest)
    with pytest.raises(UnknownEvidenceError):
        kept.ledger.get("S1", "0" * 64)


def test_what_is_erased_goes_at_once(kept: Kept) -> None:
    still = evidence(kept.ledger.put(STILL))
    kept.writer.write([beginning(), told([still])], tell)
    assert kept.stored == kept.pieces == {still.digest}
    assert kept.ledger.drop(kept.erase("S1")) == 0
    assert kept.stored == kept.pieces == set()


def test_the_same_content_stays_as_long_as_another_incident_refers_to_it(kept: Kept) -> None:
    still = evidence(kept.ledger.put(STILL))
    assert kept.ledger.put(STILL) == still.digest
    kept.writer.write(
        [
            beginning("S1", "a"),
            beginning("S2", "b"),
            told([still], "S1", "a"),
            told([still], "S2", "b"),
        ],
        tell,
    )
    kept.ledger.drop(kept.erase("S1"))
    assert kept.ledger.get("S2", still.digest).data == STILL
    kept.ledger.drop(kept.erase("S2"))
    assert kept.stored == set()


def test_what_no_event_told_of_goes_after_a_while(kept: Kept) -> None:
    """The process died between keeping a picture and telling of it."""
    referred = evidence(kept.ledger.put(CLIP))
    kept.writer.write([beginning(), told([referred])], tell)
    orphan = kept.ledger.put(STILL)
    kept.now += GRACE - timedelta(seconds=1)
    assert kept.ledger.tidy() == 0
    assert orphan in kept.stored
    kept.now += timedelta(seconds=2)
    assert kept.ledger.tidy() == 0
    assert kept.stored == kept.pieces == {referred.digest}


def test_a_piece_written_down_and_never_stored_is_forgotten(kept: Kept) -> None:
    """The process died before the file was there."""
    digest = kept.ledger.put(STILL)
    kept.store.delete(digest)
    kept.now += GRACE + timedelta(seconds=1)
    kept.ledger.tidy()
    assert kept.pieces == set()


def test_what_cannot_be_deleted_now_is_deleted_later(kept: Kept) -> None:
    still = evidence(kept.ledger.put(STILL))
    kept.writer.write([beginning(), told([still])], tell)
    kept.store.refuses = True
    assert kept.ledger.drop(kept.erase("S1")) == 1
    assert kept.stored == kept.pieces == {still.digest}
    with pytest.raises(EvidenceUnavailableError, match="being erased"):
        kept.ledger.put(STILL)
    with pytest.raises(UnknownEvidenceError):
        kept.ledger.get("S1", still.digest)
    assert kept.ledger.tidy() == 1
    kept.store.refuses = False
    assert kept.ledger.tidy() == 0
    assert kept.stored == kept.pieces == set()
    assert kept.ledger.put(STILL) == still.digest, "it may be kept again"


def test_nothing_is_stored_that_could_not_be_written_down(kept: Kept) -> None:
    with writing(kept.archive.engine) as connection:
        connection.exec_driver_sql("drop table evidence_objects")
    with pytest.raises(EvidenceUnavailableError, match="database is away"):
        kept.ledger.put(STILL)
    assert kept.stored == set()
    assert kept.ledger.tidy() == 0, "a database that is away must not stop the keeper"


def test_the_event_and_so_the_chain_holds_the_digest(kept: Kept) -> None:
    from proctoring.delivery.events import number_event
    from proctoring.records.entries import sitting_ref

    digest = hashlib.sha256(STILL).hexdigest()
    change = told([evidence(digest)]).changes[0]
    event = number_event(PendingEvent(sitting_ref("exam-7", BEGAN), BEGAN, 93.4, (change,)), 1)
    assert digest in event.text
    assert '"alerts":[]' in event.text
