"""Lists of sittings count incidents from an index.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = ["sitting_id", "alerted", "severity"]


def upgrade() -> None:
    op.create_index("ix_incidents_sitting_id_alerted_severity", "incidents", _COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_incidents_sitting_id_alerted_severity", "incidents")
