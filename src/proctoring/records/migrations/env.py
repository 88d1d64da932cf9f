"""Alembic's side of ``records/migrate.py``, which hands it the connection."""

from __future__ import annotations

from alembic import context

from proctoring.records.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change a table; Alembic then makes it anew.
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
