"""What challenges are drawn from, so that signals are judged again exactly; faces.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "faces",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sitting_id"], ["sittings.id"], name=op.f("fk_faces_sitting_id")),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_faces")),
    )
    with op.batch_alter_table("sittings", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("seed", sa.String(length=64), server_default="", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("sittings", schema=None) as batch_op:
        batch_op.drop_column("seed")

    op.drop_table("faces")
