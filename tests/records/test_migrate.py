"""A database is brought to this version's tables, once, whoever starts first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from tests.judgement.build import seen
from tests.records.conftest import BEGAN, beginning, incident_of, occurrence, tell

from proctoring.errors import SettingsError
from proctoring.records.archive import Archive
from proctoring.records.database import connect, read_url, reading, writing
from proctoring.records.migrate import _config, migrate, version
from proctoring.records.review import consent, decide
from proctoring.records.signals import SignalKeeper
from proctoring.records.signing import Signer
from proctoring.records.tables import Base
from proctoring.records.verification import verify

SIGNER = Signer(bytes(32))


def go_back(archive: Archive, revision: str) -> None:
    """To the tables of an older version."""
    with writing(archive.engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_an_empty_database_gets_every_table(database: str) -> None:
    engine = connect(read_url(database))
    before = version(engine)
    assert before.current is None
    assert before.pending[0].startswith("0001")
    after = migrate(engine, SIGNER)
    assert (after.current, after.pending) == (before.newest, ())
    assert migrate(engine, SIGNER) == after
    engine.dispose()


def test_migrations_lead_to_the_tables_of_the_code(archive: Archive) -> None:
    with reading(archive.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_are_one_line() -> None:
    assert len(ScriptDirectory.from_config(_config()).get_heads()) == 1


def test_curves_that_an_older_version_kept_are_drawn(
    open_database: Callable[[], Archive],
) -> None:
    archive = open_database()
    archive.writer().write([beginning()], tell)
    keeper = SignalKeeper(archive.engine)
    keep = keeper.begin("S1", words=False)
    for second in range(5):
        keep(seen(float(second), yaw=float(second)))
        keeper.flush()
    drawn = archive.reader.plot("S1", None, None, 100)
    assert len(drawn.curves["gaze_yaw"].mean) == 4
    go_back(archive, "0004")
    with reading(archive.engine) as connection:
        tables = inspect(connection).get_table_names()
        assert "curves" not in tables
    again = open_database()
    assert again.reader.plot("S1", None, None, 100) == drawn
    with reading(again.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_what_an_older_version_left_unsealed_is_sealed_once(
    open_database: Callable[[], Archive],
) -> None:
    archive = open_database()
    facts = (archive.engine, archive.signer)
    consent(*facts, "exam-7", True, "You are watched.", "c", BEGAN)
    archive.writer().write([beginning(), occurrence(1)], tell)
    decide(*facts, "S1", incident_of("S1"), "confirm", "why", "r", BEGAN + timedelta(seconds=1))
    consent(*facts, "exam-8", True, "You are watched.", "c", BEGAN)
    go_back(archive, "0005")
    again = open_database()
    assert list(verify(again.engine, again.signer)) == []
    decide(*facts, "S1", incident_of("S1"), "dismiss", "why", "r", BEGAN + timedelta(seconds=2))
    again.writer().write([beginning("S2", "exam-8")], tell)
    assert list(verify(again.engine, again.signer)) == []
    with writing(again.engine) as connection:
        connection.execute(text("delete from decisions where number = 2"))
    assert len(list(verify(again.engine, again.signer))) == 2


def test_processes_that_start_together_take_turns(database: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        engine = connect(read_url(database))
        try:
            migrate(engine, SIGNER)
        except Exception as error:  # noqa: BLE001  # whatever it is
            failures.append(error)
        engine.dispose()

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_database_of_a_newer_version_is_refused(
    open_database: Callable[[], Archive],
) -> None:
    with writing(open_database().engine) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SettingsError, match="newer version"):
        open_database()


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="database"):
        read_url(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with pytest.raises(SettingsError, match="in the way"):
        connect(read_url(f"sqlite:///{file}/below/records.sqlite3"))
