"""What is erased is gone, and a signed record remains that it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, inspect, select, text
from tests.judgement.build import seen
from tests.records.conftest import BEGAN, beginning, ending, incident_of, occurrence, tell

from proctoring.errors import ErasureBusyError, SittingOpenError, UnknownRecordError
from proctoring.records import database as database_module
from proctoring.records import retention
from proctoring.records.archive import Archive
from proctoring.records.batch import WrittenEvent
from proctoring.records.consents import consent
from proctoring.records.database import connect, reading, sqlite_url, writing
from proctoring.records.erasure import (
    ErasureResult,
    empty_log,
    erase,
    erase_consents,
    erasures,
)
from proctoring.records.retention import MAX_FAILURES, sweep
from proctoring.records.review import decide
from proctoring.records.signals import SignalRecorder
from proctoring.records.signing import Signer
from proctoring.records.tables import Base, PolicyRow
from proctoring.records.verification import verify

SECRET = "a-name-that-nobody-may-find"  # noqa: S105


def sat(archive: Archive, session_id: str = SECRET) -> None:
    """A sitting with something in every table."""
    writer = archive.writer(("one",))
    consent(archive.engine, archive.signer, session_id, True, f"{SECRET} agrees", SECRET, BEGAN)
    begun = replace(beginning("S1", session_id), policy_toml=f'name = "{SECRET}"')
    keeper = SignalRecorder(archive.engine, archive.server_id)
    writer.write([begun, occurrence(1, session_id=session_id)], lambda *_: f'"{SECRET}"')
    keeper.begin("S1", transcripts=True)(seen(1.0))
    keeper.flush()
    decide(
        archive.engine,
        archive.signer,
        "S1",
        incident_of("S1"),
        "comment",
        f"it was {SECRET}",
        SECRET,
        BEGAN,
    )
    writer.write([replace(ending("S1", session_id), face=(0.5,))], tell)


def everything(archive: Archive) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with reading(archive.engine) as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "servers"]
        return {
            name: [tuple(row) for row in connection.execute(text(f'select * from "{name}"'))]  # noqa: S608
            for name in names
        }


def test_nothing_of_an_erased_sitting_is_left_in_any_table(archive: Archive) -> None:
    sat(archive)
    before = everything(archive)
    filled = {name for name, rows in before.items() if rows}
    assert filled >= {
        "sittings",
        "events",
        "incidents",
        "signal_segments",
        "face_embeddings",
        "decisions",
        "webhook_deliveries",
    }
    done = erase(archive.engine, archive.signer, "S1", "asked for", "admin-1", BEGAN)
    assert done.record.row_counts["events"] == 1
    after = everything(archive)
    left = {name for name, rows in after.items() if rows} - {"alembic_version"}
    assert left == {"erasures"}
    assert SECRET not in str(after["erasures"])
    with pytest.raises(UnknownRecordError):
        archive.reader.sitting("S1")


def test_nothing_of_it_is_left_in_the_file_either(
    database: str, archive: Archive, tmp_path: Path
) -> None:
    if not database.startswith("sqlite"):
        pytest.skip("PostgreSQL's files are its own")
    sat(archive)
    files = sorted(tmp_path.glob("records.sqlite3*"))
    assert any(SECRET.encode() in file.read_bytes() for file in files)
    erase(archive.engine, archive.signer, "S1", "asked for", "", BEGAN)
    assert not any(SECRET.encode() in file.read_bytes() for file in files)


def test_a_log_that_is_in_use_is_said_to_hold_what_was_erased(
    database: str, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.startswith("sqlite"):
        pytest.skip("PostgreSQL has no such file")
    sat(archive)
    archive.engine.dispose()
    monkeypatch.setattr(database_module, "SQLITE_WAIT", 0.05)
    engine = connect(sqlite_url(tmp_path / "records.sqlite3"))
    reader = sqlite3.connect(tmp_path / "records.sqlite3")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    done = erase(engine, archive.signer, "S1", "asked for", "", BEGAN)
    assert not done.log_emptied
    assert not empty_log(engine)
    reader.close()
    assert empty_log(engine)
    files = sorted(tmp_path.glob("records.sqlite3*"))
    assert not any(SECRET.encode() in file.read_bytes() for file in files)
    engine.dispose()


def test_numbers_go_on_after_an_erasure(open_database: Callable[[], Archive]) -> None:
    archive = open_database()
    sat(archive)
    erase(archive.engine, archive.signer, "S1", "asked for", "", BEGAN)
    for process in (archive, open_database()):
        writer = process.writer()
        later = beginning(f"S{id(writer) % 1000}", SECRET)
        told = writer.write(
            [later, occurrence(1, sitting_id=later.sitting.id, session_id=SECRET)], tell
        )
        assert isinstance(told[1], WrittenEvent)
        assert told[1].seq >= 2


def test_a_policy_erased_with_its_last_sitting_can_be_used_again(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning("S1"), ending("S1")], tell)
    erase(archive.engine, archive.signer, "S1", "asked for", "", BEGAN)
    writer.write([beginning("S2"), ending("S2")], tell)
    assert archive.reader.sitting("S2").sitting.policy == "exam"


def test_a_sitting_that_runs_cannot_be_erased(archive: Archive) -> None:
    archive.writer().write([beginning()], tell)
    with pytest.raises(SittingOpenError, match="end it first"):
        erase(archive.engine, archive.signer, "S1", "asked for", "", BEGAN)


def test_what_a_policy_lets_be_kept_no_longer_goes(archive: Archive) -> None:
    toml = 'name = "short"\n[records]\nretention_days = 30\nsignal_retention_days = 2\n'
    writer = archive.writer()
    keeper = SignalRecorder(archive.engine, archive.server_id)
    for name in ("S1", "S2"):
        policy = toml if name == "S1" else beginning().policy_toml
        writer.write([replace(beginning(name, name), policy_toml=policy)], tell)
        keeper.begin(name, transcripts=False)(seen(1.0))
        keeper.flush()
        writer.write([ending(name, name)], tell)

    def kept() -> list[tuple[str, int]]:
        return [
            (name, len(list(archive.reader.inputs(name))))
            for name in ("S1", "S2")
            if _is_kept(archive, name)
        ]

    def swept(days: float) -> int:
        now = BEGAN + timedelta(days=days)
        return len(list(sweep(archive.engine, archive.signer, now, 180, never)))

    assert (swept(1), kept()) == (0, [("S1", 1), ("S2", 1)])
    assert (swept(3), kept()) == (0, [("S1", 0), ("S2", 1)])
    assert (swept(31), kept()) == (1, [("S2", 1)])
    assert (swept(181), kept()) == (1, [])
    assert [done.erased_by for done in erasures(archive.engine)] == ["retention"] * 2


def test_a_sweep_passes_over_what_cannot_be_erased(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive.writer()
    for name in ("S1", "S2", "S3"):
        writer.write([beginning(name, name), ending(name, name)], tell)
    with writing(archive.engine) as connection:
        values = {"hash": "0" * 64, "name": "broken", "toml": "not TOML"}
        connection.execute(insert(PolicyRow).values(values))

    def failing(engine: Engine, signer: Signer, sitting_id: str, *rest: Any) -> ErasureResult:
        if sitting_id == "S1":
            raise ErasureBusyError("other erasures are being written")
        return erase(engine, signer, sitting_id, *rest)

    monkeypatch.setattr(retention, "erase", failing)
    failures: list[Exception] = []
    now = BEGAN + timedelta(days=181)
    done = list(sweep(archive.engine, archive.signer, now, 180, failures.append))
    assert sorted(one.record.sitting_id for one in done) == ["S2", "S3"]
    assert len(failures) == 2


def test_a_sweep_without_a_database_gives_up(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive.writer()
    for number in range(9):
        name = f"S{number}"
        writer.write([beginning(name, name), ending(name, name)], tell)

    def failing(*_: Any) -> ErasureResult:
        raise ErasureBusyError("other erasures are being written")

    monkeypatch.setattr(retention, "erase", failing)
    failures: list[Exception] = []
    now = BEGAN + timedelta(days=181)
    assert list(sweep(archive.engine, archive.signer, now, 180, failures.append)) == []
    assert len(failures) == MAX_FAILURES


def never(error: Exception) -> None:
    raise error


def _is_kept(archive: Archive, name: str) -> bool:
    try:
        archive.reader.sitting(name)
    except UnknownRecordError:
        return False
    return True


def test_a_consent_whose_session_never_begins_goes_too(archive: Archive) -> None:
    def given(name: str, day: float) -> None:
        at = BEGAN + timedelta(days=day)
        consent(archive.engine, archive.signer, name, True, "You are watched.", SECRET, at)

    given("begins", 0)
    given("never", 0)
    given("never", 1)
    given("late", 20)
    archive.writer().write([beginning("S1", "begins")], tell)
    for days, erased in ((29, 0), (31.5, 1), (31.6, 0)):
        done = list(sweep(archive.engine, archive.signer, BEGAN + timedelta(days=days), 30, never))
        assert len(done) == erased
    left = everything(archive)
    assert {row[1] for row in left["consents"]} == {"begins", "late"}
    (record,) = erasures(archive.engine)
    assert (record.row_counts, record.erased_by) == ({"consents": 1}, "retention")
    assert "never" not in str(left["erasures"])
    assert list(verify(archive.engine, archive.signer)) == []


def test_a_consent_is_erased_on_request_before_its_session_begins(archive: Archive) -> None:
    consent(archive.engine, archive.signer, SECRET, True, "You are watched.", SECRET, BEGAN)
    ask = ("asked for", "admin-1", BEGAN + timedelta(minutes=1))
    done = erase_consents(archive.engine, archive.signer, SECRET, *ask)
    assert done.record.row_counts == {"consents": 1}
    assert SECRET not in str(everything(archive))
    with pytest.raises(UnknownRecordError, match="no consent waits"):
        erase_consents(archive.engine, archive.signer, SECRET, *ask)
    archive.writer().write([beginning("S1", SECRET), occurrence(1, session_id=SECRET)], tell)
    assert archive.reader.sitting("S1").consents == ()


@dataclass(frozen=True)
class Contents:
    """Every row of a database, and what its signatures were made with."""

    rows: dict[str, list[dict[str, object]]]
    signer: Signer


@pytest.fixture(scope="module")
def whole_contents() -> dict[str, Contents]:
    """What ``whole`` holds, by kind of database: signing it takes longer than copying it."""
    return {}


@pytest.fixture
def whole(archive: Archive, whole_contents: dict[str, Contents]) -> Archive:
    """Records in which nothing was changed: two sittings, two erasures."""
    kind = archive.engine.dialect.name
    if kind not in whole_contents:
        fill(archive)
        whole_contents[kind] = contents(archive)
    else:
        archive = copied(whole_contents[kind], archive)
    assert list(verify(archive.engine, archive.signer)) == []
    return archive


def contents(archive: Archive) -> Contents:
    with reading(archive.engine) as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
        }
    return Contents(rows, archive.signer)


def copied(contents: Contents, archive: Archive) -> Archive:
    """The same archive, with these contents instead of none."""
    with writing(archive.engine) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        for table in Base.metadata.sorted_tables:
            if contents.rows[table.name]:
                connection.execute(table.insert(), contents.rows[table.name])
    return replace(archive, signer=contents.signer)


def fill(archive: Archive) -> None:
    writer = archive.writer()
    for number in range(4):
        name = f"S{number}"
        events = [occurrence(n, sitting_id=name, session_id=name) for n in (1, 2, 3)]
        consent(archive.engine, archive.signer, name, True, "You are watched.", "c", BEGAN)
        writer.write([beginning(name, name), *events], tell)
        consent(archive.engine, archive.signer, name, False, "No more.", "c", BEGAN)
        writer.write([ending(name, name)], tell)
        for verdict in ("confirm", "dismiss"):
            found = incident_of(name)
            decide(archive.engine, archive.signer, name, found, verdict, "why", "r", BEGAN)
    consent(archive.engine, archive.signer, "waits", True, "You are watched.", "c", BEGAN)
    for name in ("S2", "S3"):
        erase(archive.engine, archive.signer, name, "asked for", "", BEGAN)


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("update events set body = 'x' where sitting_id = 'S0' and seq = 2", "event 2 was changed"),
        ("delete from events where sitting_id = 'S0' and seq = 2", "between 1 and 3 are missing"),
        ("delete from events where sitting_id = 'S0' and seq = 3", "2 events are kept, of 3"),
        ("delete from events where sitting_id = 'S0'", "0 events are kept, of 3"),
        ("update sittings set session_id = 'y' where id = 'S0'", "was changed"),
        ("update sittings set event_count = 2 where id = 'S0'", "the seal"),
        ("update sittings set event_chain_signature = null where id = 'S0'", "the seal"),
        ("update erasures set reason = 'z' where number = 1", "was changed"),
        ("delete from erasures where number = 1", "missing, from 1 on"),
        ("update erasures set signature = 'AAAA' where number = 2", "signature"),
        ("update decisions set decision = 'dismiss' where sitting_id = 'S0'", "was changed"),
        (
            "update decisions set reviewer = 'x' where sitting_id = 'S0' and addition_number = 4",
            "was changed",
        ),
        (
            "update decisions set addition_number = 7 - addition_number where sitting_id = 'S0'",
            "was changed",
        ),
        ("delete from decisions where sitting_id = 'S0' and addition_number = 3", "was changed"),
        (
            "delete from decisions where sitting_id = 'S0' and addition_number = 4",
            "3 decisions and",
        ),
        (
            "delete from decisions where sitting_id = 'S0'",
            "2 decisions and consents are kept, of 4",
        ),
        ("update decisions set sitting_id = 'S1' where sitting_id = 'S0'", "2 decisions and"),
        ("update consents set granted = true where sitting_id = 'S0'", "was changed"),
        (
            "update consents set text = 'x' where sitting_id = 'S0' and addition_number = 1",
            "as it was given",
        ),
        ("delete from consents where sitting_id = 'S0' and addition_number = 2", "was changed"),
        ("update consents set sitting_id = null where sitting_id = 'S0'", "of 4 that were added"),
        (
            "update sittings set addition_count = 0, addition_chain_signature = '' where id = 'S0'",
            "its decisions and",
        ),
        ("update consents set granted = false where session_id = 'waits'", "as it was given"),
        ("update consents set session_id = 'y' where session_id = 'waits'", "as it was given"),
    ],
)
def test_tampering_shows(whole: Archive, tampering: str, found: str) -> None:
    with writing(whole.engine) as connection:
        connection.execute(text(tampering))
    problems = [problem.what for problem in verify(whole.engine, whole.signer)]
    assert any(found in problem for problem in problems), problems


def test_newest_decisions_cannot_be_taken_out_by_counting_less(whole: Archive) -> None:
    """Head and number alone can be put right by anybody; the seal cannot."""
    with writing(whole.engine) as connection:
        third = "(select hash from decisions where sitting_id = 'S0' and addition_number = 3)"
        left = (
            f"update sittings set addition_count = 3, addition_chain_hash = {third} where id = 'S0'"  # noqa: S608
        )
        connection.execute(text(left))
        connection.execute(
            text("delete from decisions where sitting_id = 'S0' and addition_number = 4")
        )
    (problem,) = verify(whole.engine, whole.signer)
    assert problem.what == "the seal of its decisions and consents is not this server's"


def test_a_consent_that_was_changed_before_its_session_began_shows_after(whole: Archive) -> None:
    with writing(whole.engine) as connection:
        connection.execute(text("update consents set text = 'x' where session_id = 'waits'"))
    whole.writer().write([beginning("S7", "waits")], tell)
    (problem,) = verify(whole.engine, whole.signer, "S7")
    assert "is not as it was given" in problem.what


def test_policies_that_still_judge_something_stay(whole: Archive) -> None:
    with reading(whole.engine) as connection:
        assert connection.execute(select(func.count()).select_from(PolicyRow)).scalar() == 1
