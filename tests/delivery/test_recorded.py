"""Words that a policy does not have kept reach listeners, and no disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.delivery.conftest import BEGAN, begun, message

from proctoring.delivery.events import Event
from proctoring.delivery.recorded import RecordedJournal
from proctoring.records.archive import Archive, open_archive
from proctoring.records.entries import Notice
from proctoring.records.verification import verify

WORDS = "what the candidate said"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = open_archive(None, tmp_path, BEGAN)
    yield archive
    archive.engine.dispose()


@pytest.mark.parametrize("kept", [False, True])
def test_words_are_on_disk_only_where_the_policy_has_them_kept(
    archive: Archive, tmp_path: Path, kept: bool
) -> None:
    journal = RecordedJournal(archive.writer(), archive.reader)
    notice = Notice("transcript", {"text": WORDS}, kept=kept)
    said = replace(message(), notice=notice)
    told = journal.write([begun(), said, message()])[1]
    assert isinstance(told, Event)
    assert json.loads(told.text)["transcript"] == {"text": WORDS}
    first, second = archive.reader.events(begun().sitting.id)
    body = json.loads(first.text)
    assert body["transcript"] == ({"text": WORDS} if kept else {"kept": False})
    assert body["alerts"] == ["Looking Left"], "what is withheld took the incident with it"
    assert "transcript" not in json.loads(second.text)
    assert [event.text for event in journal.replay("exam-7", 0).events] == [first.text, second.text]
    on_disk = b"".join(file.read_bytes() for file in tmp_path.glob("records.sqlite3*"))
    assert (WORDS.encode() in on_disk) is kept
    assert list(verify(archive.engine, archive.signer)) == [], "the hash is of what is kept"
