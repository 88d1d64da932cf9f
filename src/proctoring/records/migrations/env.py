"""Alembic's environment: ``records/migrate.py`` provides the connection."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from proctoring.records.tables import Base, UtcTime


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations import nothing of the package: our type is written as the one that it is stored in."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter most of a table; Alembic copies it into a new one.
    render_as_batch=True,
    render_item=_render,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
