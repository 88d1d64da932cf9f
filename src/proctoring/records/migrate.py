"""Creates and upgrades the tables. Alembic is imported only if there is something to do, or to tell."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from proctoring.errors import SettingsError
from proctoring.records.database import reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_FOLDERS = (MIGRATIONS / "versions",)
"""Folders of migrations: files ``NUMBER_title.py``, whose revision is the number."""
_LOCK = 7_305_801
"""Key of PostgreSQL's advisory lock: any number that no other program uses in this database."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which migrations a database has."""

    current: str | None
    """The last one it has; ``None`` for an empty database."""
    newest: str
    """The last one of this program."""
    pending: tuple[str, ...]
    """Those still to be run, in order: revision and title."""


def version(engine: Engine) -> Version:
    """Which migrations a database has.

    Raises:
        SettingsError: another version of this program made it: a newer one, or one before 0.1.0.
    """
    with reading(engine) as connection:
        return _version(connection)


def migrate(engine: Engine) -> Version:
    """Run pending migrations in one transaction. Processes that start together take turns.

    Raises:
        SettingsError: another version of this program made the database.
    """
    newest = max(
        file.name.partition("_")[0] for folder in VERSION_FOLDERS for file in folder.glob("*_*.py")
    )
    with reading(engine) as connection:
        if _is_at(connection, newest):
            return Version(newest, newest, ())
    from alembic import command

    found = version(engine)
    if not found.pending:
        return found
    with writing(engine) as connection:  # in SQLite this is the lock
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if _version(connection).pending:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return _version(connection)


def _is_at(connection: Connection, revision: str) -> bool:
    """Whether a database has this migration as its last one."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("select version_num from alembic_version")).all() == [
        (revision,)
    ]


def _version(connection: Connection) -> Version:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(alembic_config())
    current = MigrationContext.configure(connection).get_current_revision()
    newest = script.get_current_head()
    assert newest is not None  # noqa: S101  (the package ships some)
    known = {revision.revision: revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SettingsError(
            "database: made by a newer version of this program, or by one before 0.1.0 (migration"
            f" {current}): use that version, or move the database away"
        )
    newer = script.iterate_revisions(newest, current or "base")
    pending = [f"{revision.revision} {revision.doc}" for revision in newer]
    return Version(current, newest, tuple(reversed(pending)))


def alembic_config() -> Config:
    """Alembic's configuration; ``attributes["connection"]`` is still to be set."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, VERSION_FOLDERS)))
    return config
