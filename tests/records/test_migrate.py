"""A database is brought to this version's tables, once, whoever starts first."""

from __future__ import annotations

import subprocess
import sys
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
from sqlalchemy.exc import SQLAlchemyError
from tests.judgement.build import seen
from tests.records.conftest import BEGAN, beginning, incident_of, occurrence, tell

from proctoring.errors import SettingsError
from proctoring.records import migrate as module
from proctoring.records.archive import Archive
from proctoring.records.consents import consent
from proctoring.records.database import connect, parse_url, reading, writing
from proctoring.records.migrate import Version, alembic_config, migrate, version
from proctoring.records.review import decide
from proctoring.records.signals import SignalRecorder
from proctoring.records.tables import Base
from proctoring.records.verification import verify

SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
branch_labels = depends_on = None


def upgrade():
    op.create_table("rooms", sa.Column("name", sa.Text()))
    op.execute("insert into rooms select session_id from sittings")
    op.execute("{last}")
"""
"""A later migration: a table that is filled from another. ``{last}``: its last statement."""


UP_TO_DATE = """
import sys
from proctoring.records.database import connect, parse_url
from proctoring.records.migrate import migrate
print(migrate(connect(parse_url(sys.argv[1]))).pending)
print([name for name in sys.modules if name.startswith("alembic")])
"""


def later_version(monkeypatch: pytest.MonkeyPatch, folder: Path, last: str = "select 1") -> None:
    """Make this program a later version, which has one migration more."""
    folder.mkdir(exist_ok=True)
    (folder / "0002_rooms.py").write_text(SECOND.format(last=last))
    monkeypatch.setattr(module, "VERSION_FOLDERS", (module.MIGRATIONS / "versions", folder))


def fill(archive: Archive) -> None:
    """Record a sitting of each kind of row whose upgrade would show in what is read."""
    facts = (archive.engine, archive.signer)
    consent(*facts, "exam-7", True, "You are watched.", "c", BEGAN)
    archive.writer().write([beginning(), occurrence(1)], tell)
    decide(*facts, "S1", incident_of("S1"), "confirm", "why", "r", BEGAN + timedelta(seconds=1))
    consent(*facts, "exam-8", True, "You are watched.", "c", BEGAN)
    keeper = SignalRecorder(archive.engine, archive.server_id)
    keep = keeper.begin("S1", transcripts=False)
    for second in range(5):
        keep(seen(float(second), yaw=float(second)))
        keeper.flush()


def test_an_empty_database_gets_every_table(database: str) -> None:
    engine = connect(parse_url(database))
    before = version(engine)
    assert before.current is None
    assert before.pending[0].startswith("0001")
    after = migrate(engine)
    assert (after.current, after.pending) == (before.newest, ())
    assert migrate(engine) == after
    engine.dispose()


def test_migrations_lead_to_the_tables_of_the_code(archive: Archive) -> None:
    with reading(archive.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_that_is_up_to_date_needs_no_alembic(archive: Archive) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", UP_TO_DATE, archive.engine.url.render_as_string(False)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.split() == ["()", "[]"]


def test_revisions_are_the_numbers_of_their_files() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    for revision in script.walk_revisions():
        assert Path(revision.path).name.startswith(f"{revision.revision}_")


def test_migrations_are_one_line() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_records_stay_as_they_are_when_a_later_version_upgrades_the_database(
    open_database: Callable[[], Archive], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = open_database()
    fill(archive)
    before = archive.reader.sitting("S1")
    drawn = archive.reader.plot("S1", None, None, 100)
    assert len(drawn.curves["gaze_yaw"].mean) == 4
    with reading(archive.engine) as connection:
        assert "rooms" not in inspect(connection).get_table_names()
    later_version(monkeypatch, tmp_path / "later")
    assert version(archive.engine).pending == ("0002 ",)
    again = open_database()
    assert version(again.engine) == Version("0002", "0002", ())
    assert again.reader.sitting("S1") == before
    assert again.reader.plot("S1", None, None, 100) == drawn
    assert list(verify(again.engine, again.signer)) == []
    with reading(again.engine) as connection:
        assert connection.execute(text("select name from rooms")).scalars().all() == ["exam-7"]
    decide(
        again.engine, again.signer, "S1", incident_of("S1"), "dismiss", "why", "r",
        BEGAN + timedelta(seconds=2),
    )  # fmt: skip
    again.writer().write([beginning("S2", "exam-8")], tell)
    assert list(verify(again.engine, again.signer)) == []


def test_an_upgrade_that_fails_changes_nothing(
    open_database: Callable[[], Archive], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = open_database()
    fill(archive)
    later_version(monkeypatch, tmp_path / "later", "insert into nowhere values (1)")
    with pytest.raises(SQLAlchemyError):
        migrate(archive.engine)
    assert version(archive.engine).current == "0001"
    with reading(archive.engine) as connection:
        assert "rooms" not in inspect(connection).get_table_names()
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    later_version(monkeypatch, tmp_path / "later")
    assert migrate(archive.engine).current == "0002"


def test_a_database_can_be_emptied_and_made_again(archive: Archive) -> None:
    with writing(archive.engine) as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with reading(archive.engine) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    migrate(archive.engine)
    with reading(archive.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("upgrades", [False, True])
def test_processes_that_start_together_take_turns(
    database: str, upgrades: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failures: list[BaseException] = []
    if upgrades:
        engine = connect(parse_url(database))
        migrate(engine)
        engine.dispose()
        later_version(monkeypatch, tmp_path / "later")

    def start() -> None:
        engine = connect(parse_url(database))
        try:
            migrate(engine)
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
        parse_url(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with pytest.raises(SettingsError, match="in the way"):
        connect(parse_url(f"sqlite:///{file}/below/records.sqlite3"))
