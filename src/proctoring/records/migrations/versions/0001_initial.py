"""All tables of version 0.1.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("session_hash", sa.String(length=64), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_chain_hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("erased_by", sa.String(length=200), nullable=False),
        sa.Column("row_counts", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_erasures")),
        sa.UniqueConstraint("sitting_id", name=op.f("uq_erasures_sitting_id")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_erasures_session_hash"), ["session_hash"], unique=False
        )

    op.create_table(
        "evidence_objects",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_evidence_objects")),
    )
    op.create_table(
        "policies",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("toml", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_policies")),
    )
    op.create_table(
        "servers",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("endpoint", sa.String(length=32), nullable=False),
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "endpoint", "sitting_id", "seq", name=op.f("pk_webhook_deliveries")
        ),
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_deliveries_endpoint_due_at"),
            ["endpoint", "due_at"],
            unique=False,
        )

    op.create_table(
        "sittings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("session_id", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mirrored", sa.Boolean(), nullable=False),
        sa.Column("policy_hash", sa.String(length=64), nullable=False),
        sa.Column("server_id", sa.String(length=26), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("end_media_time", sa.Double(), nullable=True),
        sa.Column("replay_after_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_chain_hash", sa.String(length=64), nullable=False),
        sa.Column("event_chain_signature", sa.Text(), nullable=True),
        sa.Column("challenge_seed", sa.String(length=64), nullable=False),
        sa.Column("addition_count", sa.Integer(), nullable=False),
        sa.Column("addition_chain_hash", sa.String(length=64), nullable=False),
        sa.Column("addition_chain_signature", sa.Text(), nullable=False),
        sa.Column("signals_lost", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_hash"], ["policies.hash"], name=op.f("fk_sittings_policy_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sittings")),
    )
    with op.batch_alter_table("sittings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sittings_server_id"), ["server_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sittings_session_id_last_seq"), ["session_id", "last_seq"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sittings_started_at"), ["started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sittings_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_sittings_open_session_id",
            ["session_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("session_id", sa.String(length=200), nullable=False),
        sa.Column("sitting_id", sa.String(length=26), nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("given_by", sa.String(length=200), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("addition_number", sa.Integer(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_consents_sitting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consents_sitting_id"), ["sitting_id"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("incident_id", sa.String(length=26), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("addition_number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_decisions_sitting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_sitting_id"), ["sitting_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("media_time", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["sitting_id"], ["sittings.id"], name=op.f("fk_events_sitting_id")),
        sa.PrimaryKeyConstraint("sitting_id", "seq", name=op.f("pk_events")),
        sa.UniqueConstraint("session_id", "seq", name=op.f("uq_events_session_id_seq")),
    )
    op.create_table(
        "face_embeddings",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_face_embeddings_sitting_id")
        ),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_face_embeddings")),
    )
    op.create_table(
        "incident_evidence",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("incident_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("start_media_time", sa.Double(), nullable=False),
        sa.Column("end_media_time", sa.Double(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("blurred", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_incident_evidence_sitting_id")
        ),
        sa.PrimaryKeyConstraint(
            "sitting_id", "incident_number", "digest", name=op.f("pk_incident_evidence")
        ),
    )
    with op.batch_alter_table("incident_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_evidence_digest"), ["digest"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("start_media_time", sa.Double(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_incidents_sitting_id")
        ),
        sa.PrimaryKeyConstraint("sitting_id", "number", name=op.f("pk_incidents")),
        sa.UniqueConstraint("id", name=op.f("uq_incidents_id")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_kind"), ["kind"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_incidents_sitting_id_alerted_severity"),
            ["sitting_id", "alerted", "severity"],
            unique=False,
        )

    op.create_table(
        "signal_curves",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("last_segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_media_time", sa.Double(), nullable=False),
        sa.Column("end_media_time", sa.Double(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_signal_curves_sitting_id")
        ),
        sa.PrimaryKeyConstraint("sitting_id", "last_segment", name=op.f("pk_signal_curves")),
    )
    op.create_table(
        "session_states",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("media_time", sa.Double(), nullable=False),
        sa.Column("judgement", sa.LargeBinary(), nullable=False),
        sa.Column("hot", sa.LargeBinary(), nullable=True),
        sa.Column("learned", sa.LargeBinary(), nullable=True),
        sa.Column("biometrics", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_session_states_sitting_id")
        ),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_session_states")),
    )
    op.create_table(
        "signal_segments",
        sa.Column("sitting_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_media_time", sa.Double(), nullable=False),
        sa.Column("end_media_time", sa.Double(), nullable=False),
        sa.Column("input_count", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_signal_segments_sitting_id")
        ),
        sa.PrimaryKeyConstraint("sitting_id", "number", name=op.f("pk_signal_segments")),
    )


def downgrade() -> None:
    op.drop_table("signal_segments")
    op.drop_table("signal_curves")
    op.drop_table("session_states")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_sitting_id_alerted_severity"))
        batch_op.drop_index(batch_op.f("ix_incidents_kind"))

    op.drop_table("incidents")
    with op.batch_alter_table("incident_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_evidence_digest"))

    op.drop_table("incident_evidence")
    op.drop_table("face_embeddings")
    op.drop_table("events")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_sitting_id"))

    op.drop_table("decisions")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_sitting_id"))
        batch_op.drop_index(batch_op.f("ix_consents_session_id"))

    op.drop_table("consents")
    with op.batch_alter_table("sittings", schema=None) as batch_op:
        batch_op.drop_index("uq_sittings_open_session_id")
        batch_op.drop_index(batch_op.f("ix_sittings_state"))
        batch_op.drop_index(batch_op.f("ix_sittings_started_at"))
        batch_op.drop_index(batch_op.f("ix_sittings_session_id_last_seq"))
        batch_op.drop_index(batch_op.f("ix_sittings_server_id"))

    op.drop_table("sittings")
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_deliveries_endpoint_due_at"))

    op.drop_table("webhook_deliveries")
    op.drop_table("servers")
    op.drop_table("policies")
    op.drop_table("evidence_objects")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasures_session_hash"))

    op.drop_table("erasures")
