"""Decisions and consents are bound to each other and sealed; those that are there already too.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SITTINGS = sa.table(
    "sittings",
    *map(sa.column, ("id", "session_id", "policy_hash", "added", "added_head", "added_seal")),
    sa.column("began_at", sa.DateTime(timezone=True)),
)
_DECISIONS = sa.table(
    "decisions",
    *map(sa.column, ("id", "sitting_id", "incident_id", "decision", "reason", "who")),
    sa.column("time", sa.DateTime(timezone=True)),
    *map(sa.column, ("number", "hash")),
)
_CONSENTS = sa.table(
    "consents",
    *map(sa.column, ("id", "session_id", "sitting_id")),
    sa.column("granted", sa.Boolean()),
    *map(sa.column, ("text", "who")),
    sa.column("time", sa.DateTime(timezone=True)),
    *map(sa.column, ("number", "hash", "signature")),
)


def upgrade() -> None:
    with op.batch_alter_table("sittings", schema=None) as batch_op:
        for column in (
            sa.Column("added", sa.Integer(), server_default="0", nullable=False),
            sa.Column("added_head", sa.String(length=64), server_default="", nullable=False),
            sa.Column("added_seal", sa.Text(), server_default="", nullable=False),
        ):
            batch_op.add_column(column)
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("hash", sa.String(length=64), server_default="", nullable=False)
        )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("signature", sa.Text(), server_default="", nullable=False))
    _seal(op.get_bind())


def _seal(connection: sa.Connection) -> None:
    """As the version that this migration came with does it."""
    context = op.get_context().config
    assert context is not None  # noqa: S101  (``records/migrate.py`` gives one)
    signer = context.attributes["signer"]
    for consent in connection.execute(sa.select(_CONSENTS)).all():
        signature = signer.sign(_consent_text(consent))
        connection.execute(
            sa.update(_CONSENTS).where(_CONSENTS.c.id == consent.id).values(signature=signature)
        )
    for sitting in connection.execute(sa.select(_SITTINGS)).all():
        began_at = int(_utc(sitting.began_at).timestamp() * 1000)
        facts = [sitting.id, sitting.session_id, began_at, sitting.policy_hash]
        head, count = hashlib.sha256(json.dumps(facts).encode()).hexdigest(), 0
        for table, row, text in _added(connection, sitting.id):
            head, count = hashlib.sha256(f"{head}\n{text}".encode()).hexdigest(), count + 1
            place = sa.update(table).where(table.c.id == row.id)
            connection.execute(place.values(number=count, hash=head))
        sealed = signer.sign(json.dumps(["added", sitting.id, count, head]))
        connection.execute(
            sa.update(_SITTINGS)
            .where(_SITTINGS.c.id == sitting.id)
            .values(added=count, added_head=head, added_seal=sealed)
        )


def _added(
    connection: sa.Connection, sitting_id: str
) -> list[tuple[sa.TableClause, sa.Row[Any], str]]:
    """What was added to a sitting, in order: ids begin with the time."""
    found = [
        (table, row, text(row))
        for table, text in ((_DECISIONS, _decision_text), (_CONSENTS, _consent_text))
        for row in connection.execute(sa.select(table).where(table.c.sitting_id == sitting_id))
    ]
    return sorted(found, key=lambda one: one[1].id)


def _decision_text(row: sa.Row[Any]) -> str:
    facts = [row.id, row.sitting_id, row.incident_id, row.decision, row.reason, row.who]
    return json.dumps(["decision", *facts, _utc(row.time).isoformat()])


def _consent_text(row: sa.Row[Any]) -> str:
    facts = [row.id, row.session_id, row.granted, row.text, row.who]
    return json.dumps(["consent", *facts, _utc(row.time).isoformat()])


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def downgrade() -> None:
    for table, columns in (
        ("consents", ("signature", "hash", "number")),
        ("decisions", ("hash", "number")),
        ("sittings", ("added_seal", "added_head", "added")),
    ):
        # In place: SQLite refuses to make anew a table that others refer to.
        with op.batch_alter_table(table, schema=None, recreate="never") as batch_op:
            for column in columns:
                batch_op.drop_column(column)
