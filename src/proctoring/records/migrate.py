"""Creates and upgrades the tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from proctoring.errors import SettingsError
from proctoring.records.database import reading, writing

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


def _version(connection: Connection) -> Version:
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
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
