"""Curves apart from signals: a day is drawn without reading them.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import zlib

import msgpack
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "curves",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("end", sa.Double(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sitting_id"], ["sittings.id"], name=op.f("fk_curves_sitting_id")),
        sa.PrimaryKeyConstraint("sitting_id", "number", name=op.f("pk_curves")),
    )
    columns = 'sitting_id, number, start, "end"'
    op.execute(f"insert into curves ({columns}, data) select {columns}, plot from signals")  # noqa: S608
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.drop_column("plot")


def downgrade() -> None:
    # Curves that were joined stay with the last of their pieces, where they are found again.
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plot", sa.LargeBinary(), nullable=True))
    same = "curves.sitting_id = signals.sitting_id and curves.number = signals.number"
    own = f"select data from curves where {same}"  # noqa: S608
    nothing = sa.text(f"update signals set plot = coalesce(({own}), :nothing)")  # noqa: S608
    op.execute(nothing.bindparams(nothing=zlib.compress(msgpack.packb({}))))
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.alter_column("plot", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_table("curves")
