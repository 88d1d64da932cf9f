"""Consents are recorded once and counted, and what counts them is signed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from tests.records.conftest import BEGAN, beginning, tell

from proctoring.errors import LimitReachedError, TooManyError
from proctoring.records import consents
from proctoring.records.archive import Archive
from proctoring.records.consents import MAX_CONSENTS, consent
from proctoring.records.database import reading, writing
from proctoring.records.sitting_detail import Consent
from proctoring.records.tables import ConsentRow
from proctoring.records.verification import verify


def give(
    archive: Archive,
    text: str = "You are watched.",
    *,
    granted: bool = True,
    session: str = "exam-7",
    by: str = "c-1",
    minute: float = 0,
    prefixes: tuple[str, ...] = (),
) -> Consent:
    now = BEGAN + timedelta(minutes=minute)
    return consent(
        archive.engine, archive.signer, session, granted, text, by, now, prefixes=prefixes
    )


def rows(archive: Archive) -> int:
    with reading(archive.engine) as connection:
        return connection.execute(select(func.count()).select_from(ConsentRow)).scalar_one()


@pytest.mark.parametrize("started", [False, True], ids=["before the session", "during it"])
def test_the_same_consent_again_is_counted_with_its_last_time(
    archive: Archive, started: bool
) -> None:
    if started:
        archive.writer().write([beginning()], tell)
    first = give(archive)
    for minute in range(1, 5):
        last = give(archive, minute=minute)
    assert rows(archive) == 1
    assert (last.id, last.given_at, last.times) == (first.id, BEGAN, 5)
    assert last.last_given_at == BEGAN + timedelta(minutes=4)
    assert list(verify(archive.engine, archive.signer)) == []


def test_what_was_given_before_the_session_is_counted_within_it(archive: Archive) -> None:
    give(archive)
    archive.writer().write([beginning()], tell)
    give(archive, minute=1)
    (found,) = archive.reader.sitting("S1").consents
    assert found.times == 2
    assert list(verify(archive.engine, archive.signer)) == []


def test_another_text_person_or_a_withdrawal_is_a_consent_of_its_own(archive: Archive) -> None:
    give(archive)
    give(archive, "Version 2")
    give(archive, by="guardian")
    give(archive, granted=False)
    assert rows(archive) == 4


def test_a_session_has_so_many_texts_and_as_many_withdrawals(archive: Archive) -> None:
    for number in range(MAX_CONSENTS):
        give(archive, f"Version {number}")
    with pytest.raises(LimitReachedError):
        give(archive, "one more")
    assert give(archive, "Version 0").times == 2
    for number in range(MAX_CONSENTS):
        give(archive, f"Version {number}", granted=False)
    with pytest.raises(LimitReachedError):
        give(archive, "one more", granted=False)
    give(archive, session="exam-8")


def test_a_token_for_many_sessions_cannot_have_any_number_wait(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consents, "MAX_WAITING", 3)
    for number in range(3):
        give(archive, session=f"exam-{number}", prefixes=("exam-",))
    with pytest.raises(TooManyError):
        give(archive, session="exam-3", prefixes=("exam-",))
    give(archive, session="exam-0", prefixes=("exam-",))
    give(archive, session="other-0", prefixes=("other-",))
    give(archive, session="exam-3")


@pytest.mark.parametrize("started", [False, True])
def test_a_count_that_was_changed_is_found(archive: Archive, started: bool) -> None:
    if started:
        archive.writer().write([beginning()], tell)
    give(archive)
    with writing(archive.engine) as connection:
        connection.execute(update(ConsentRow).values(times=9))
    (problem,) = verify(archive.engine, archive.signer)
    assert "not as it was given" in problem.what
