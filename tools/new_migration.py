"""Write a migration from the difference between the newest one and ``records/tables.py``.

``python -m tools.new_migration "add rooms"``. Read and format what it wrote: a renamed column is
generated as one that is dropped and one that is added.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import ScriptDirectory

from proctoring.records.database import connect, sqlite_url, writing
from proctoring.records.migrate import alembic_config, migrate


def new_migration(title: str, folder: Path) -> Path:
    """Write the file and return its path.

    Args:
        title: a few words.
        folder: for a database that is thrown away.
    """
    engine = connect(sqlite_url(folder / "empty.sqlite3"))
    config = alembic_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    if newest is not None:
        migrate(engine)
    number = f"{int(newest or 0) + 1:04}"
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        made = command.revision(config, title, autogenerate=True, rev_id=number)
    engine.dispose()
    assert made is not None  # noqa: S101  (one title makes one script)
    assert not isinstance(made, list)  # noqa: S101
    file = Path(made.path)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "# ###" not in line), encoding="utf-8")
    return file


def main() -> None:
    """Write the migration that the command line names."""
    with TemporaryDirectory() as folder:
        sys.stdout.write(f"{new_migration(' '.join(sys.argv[1:]), Path(folder))}\n")


if __name__ == "__main__":
    main()
