"""The tables. Every change needs a migration: ``python -m tools.new_migration TITLE``.

A sitting is the record of one session from start to end; its session id may be used again. Columns
whose name ends in ``_at`` are wall clock times in UTC, in ``_media_time`` seconds of media.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DIGEST = String(64)
"""A SHA-256 in hexadecimal."""
ULID_TEXT = String(26)


class UtcTime(TypeDecorator[datetime]):
    """A wall clock time, in UTC: SQLite stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class PolicyRow(Base):
    """A policy that judged sittings, stored once for all of them."""

    __tablename__ = "policies"

    hash: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    """SHA-256 of ``toml``."""
    name: Mapped[str] = mapped_column(String(100))
    toml: Mapped[str] = mapped_column(Text)


class ServerRow(Base):
    """A process that writes records. The last three columns are those of a server of a cluster."""

    __tablename__ = "servers"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcTime)
    address: Mapped[str] = mapped_column(String(200), default="")
    """Where the others reach it; empty without a cluster."""
    state: Mapped[str] = mapped_column(String(16), default="")
    """``starting``, ``serving``, ``draining`` or ``suspended``."""
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    """By the database's clock; then others may go on with its sessions."""


class SittingRow(Base):
    """A sitting: who was watched when and by which policy, and the heads of its two hash chains."""

    __tablename__ = "sittings"
    __table_args__ = (
        Index(None, "session_id", "last_seq"),
        Index(None, "started_at"),
        Index(
            "uq_sittings_open_session_id",
            "session_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    mirrored: Mapped[bool]
    policy_hash: Mapped[str] = mapped_column(ForeignKey("policies.hash"))
    server_id: Mapped[str] = mapped_column(ULID_TEXT, index=True)
    """The process that runs the session. No foreign key: the sitting outlives the process's row."""
    epoch: Mapped[int]
    """How many owners it has had, this one included. Only ``records/ownership.py`` and the end of an
    interrupted sitting change it."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    """``open``, ``ended``, or ``interrupted``: its server died without ending it."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
    end_media_time: Mapped[float | None] = mapped_column(Double)
    replay_after_seq: Mapped[int]
    """Events of its session id up to this number belong to earlier candidates: they are not replayed."""
    last_seq: Mapped[int]
    """Number of its last event; while it has none, of the last one of its session id."""
    event_count: Mapped[int]
    event_chain_hash: Mapped[str] = mapped_column(DIGEST)
    """Hash of its last event; of the facts it started with while it has none."""
    event_chain_signature: Mapped[str | None] = mapped_column(Text)
    """The server's signature of count and hash, set when it ends: its seal."""
    challenge_seed: Mapped[str] = mapped_column(String(64))
    """Challenges were drawn from it."""
    addition_count: Mapped[int]
    """How many decisions and consents were added: ``records/additions.py``."""
    addition_chain_hash: Mapped[str] = mapped_column(DIGEST)
    """Hash of the last of them; of the facts it started with while there is none."""
    addition_chain_signature: Mapped[str] = mapped_column(Text)
    """The server's signature of count and hash, renewed with each."""
    signals_lost: Mapped[int]
    """Inputs of judgement that could not be recorded."""


class EventRow(Base):
    """An event as listeners received it. Its hash covers the event before it."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("session_id", "seq"),)

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    session_id: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    media_time: Mapped[float] = mapped_column(Double)
    body: Mapped[str] = mapped_column(Text)
    """JSON."""
    hash: Mapped[str] = mapped_column(DIGEST)


class IncidentRow(Base):
    """An incident as its last change left it."""

    __tablename__ = "incidents"
    # Covers what a list of sittings counts, so that it reads no row of the table itself.
    __table_args__ = (Index(None, "sitting_id", "alerted", "severity"),)

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts the sitting's incidents from 1."""
    id: Mapped[str] = mapped_column(ULID_TEXT, unique=True)
    kind: Mapped[str] = mapped_column(String(64), index=True)
    label: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    """``started``, ``updated``, ``ended``, or ``interrupted`` with its sitting."""
    alerted: Mapped[bool]
    confidence: Mapped[float] = mapped_column(Double)
    start_media_time: Mapped[float] = mapped_column(Double)
    duration: Mapped[float] = mapped_column(Double)
    """Seconds."""
    reason: Mapped[str] = mapped_column(Text)
    first_seq: Mapped[int]
    """Number of the first event that names it."""
    last_seq: Mapped[int]


class IncidentEvidenceRow(Base):
    """A still or clip of an incident. Several incidents may share one stored object."""

    __tablename__ = "incident_evidence"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    incident_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True, index=True)
    """SHA-256 of the content; names the object in the evidence store."""
    kind: Mapped[str] = mapped_column(String(16))
    """``still`` or ``clip``."""
    media_type: Mapped[str] = mapped_column(String(64))
    start_media_time: Mapped[float] = mapped_column(Double)
    """Of the first frame."""
    end_media_time: Mapped[float] = mapped_column(Double)
    size_bytes: Mapped[int]
    blurred: Mapped[bool]
    """Whether bystanders were blurred."""


class EvidenceObjectRow(Base):
    """An object in the evidence store, registered before it is stored and until it is deleted."""

    __tablename__ = "evidence_objects"

    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    size_bytes: Mapped[int]
    registered_at: Mapped[datetime] = mapped_column(UtcTime)
    deleting: Mapped[bool]
    """It is being deleted: the same content cannot be stored at the same moment."""


class DecisionRow(Base):
    """A reviewer's decision on an incident. Rows are never changed; the last one counts."""

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), index=True)
    incident_id: Mapped[str] = mapped_column(ULID_TEXT)
    decision: Mapped[str] = mapped_column(String(16))
    """``confirm``, ``dismiss``, ``comment``."""
    reason: Mapped[str] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(UtcTime)
    addition_number: Mapped[int]
    """Counts the sitting's decisions and consents, together, from 1."""
    hash: Mapped[str] = mapped_column(DIGEST)
    """Covers the addition before it."""


class ConsentRow(Base):
    """A candidate's consent, given or withdrawn."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(200), index=True)
    sitting_id: Mapped[str | None] = mapped_column(ForeignKey("sittings.id"), index=True)
    """NULL until a sitting of the session id starts."""
    granted: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    """What the candidate was shown."""
    given_by: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime] = mapped_column(UtcTime)
    """The first time."""
    times: Mapped[int]
    """How often the same was given."""
    last_given_at: Mapped[datetime] = mapped_column(UtcTime)
    addition_number: Mapped[int | None]
    """As in ``decisions``; NULL until the sitting starts."""
    hash: Mapped[str | None] = mapped_column(DIGEST)
    signature: Mapped[str] = mapped_column(Text)
    """The server's, renewed each time the consent is given."""


class FaceEmbeddingRow(Base):
    """The embedding of the candidate's face: biometric data, stored only if the policy says so."""

    __tablename__ = "face_embeddings"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    """32 bit floats, little-endian."""


class SessionStateRow(Base):
    """What a process needs to continue an open sitting whose server died: ``records/session_states.py``.

    The parts are encrypted. Deleted when the sitting ends.
    """

    __tablename__ = "session_states"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    format: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(UtcTime)
    media_time: Mapped[float] = mapped_column(Double)
    judgement: Mapped[bytes] = mapped_column(LargeBinary)
    """Written with the events that it caused."""
    hot: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What changes all the time."""
    learned: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Neutral pose, baselines and the like."""
    biometrics: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Embeddings of face and voices."""


class SignalSegmentRow(Base):
    """Consecutive inputs of judgement of a sitting, packed by ``records/packing.py``."""

    __tablename__ = "signal_segments"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts the sitting's segments from 0."""
    start_media_time: Mapped[float] = mapped_column(Double)
    """The smallest in it."""
    end_media_time: Mapped[float] = mapped_column(Double)
    input_count: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class SignalCurveRow(Base):
    """Means of every second of one or more segments, packed by ``records/plot.py``.

    Apart from ``signal_segments``, since a day's curves would lie scattered among 100 MB there.
    """

    __tablename__ = "signal_curves"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    last_segment: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Number of the last segment in it; the first one follows the last one of the row before."""
    start_media_time: Mapped[float] = mapped_column(Double)
    """The smallest in it."""
    end_media_time: Mapped[float] = mapped_column(Double)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class WebhookDeliveryRow(Base):
    """A message that waits to be delivered. Its content is read from the records when it is due."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index(None, "endpoint", "due_at"),)

    endpoint: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Derived from the endpoint's address."""
    sitting_id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The event's number; 0 and -1: that the sitting started, ended."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    attempts: Mapped[int]


class ErasureRow(Base):
    """The record that a sitting was erased: chained and signed, so that a missing one shows.

    Identifies no person.
    """

    __tablename__ = "erasures"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts erasures from 1."""
    sitting_id: Mapped[str] = mapped_column(ULID_TEXT, unique=True)
    """Of consents whose session never started: the first one's id."""
    session_hash: Mapped[str] = mapped_column(DIGEST, index=True)
    """HMAC of the session id under the server's key: event numbers continue after an erasure."""
    last_seq: Mapped[int]
    event_count: Mapped[int]
    event_chain_hash: Mapped[str] = mapped_column(DIGEST)
    erased_at: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    erased_by: Mapped[str] = mapped_column(String(200))
    row_counts: Mapped[str] = mapped_column(Text)
    """JSON: name of a table to the number of rows erased."""
    hash: Mapped[str] = mapped_column(DIGEST)
    """Covers the erasure before it."""
    signature: Mapped[str] = mapped_column(Text)
    """Of ``hash``."""
