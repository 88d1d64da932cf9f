"""The tables. A change here is a migration there (``migrations/versions``): a test holds that.

A *sitting* is one session under its name; the name may be used again. Times are wall clock, UTC;
media times are seconds.
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
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DIGEST = String(64)
"""A SHA-256 in hexadecimal."""
ULID_TEXT = String(26)


class UtcTime(TypeDecorator[datetime]):
    """A moment. SQLite keeps no zone: written as UTC, read as UTC."""

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
    """A policy as it judged: its whole text, kept once however many sittings it judged."""

    __tablename__ = "policies"

    hash: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    """SHA-256 of ``toml``."""
    name: Mapped[str] = mapped_column(String(100))
    toml: Mapped[str] = mapped_column(Text)


class ServerRow(Base):
    """A process that writes records, and when it was last seen to live."""

    __tablename__ = "servers"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class SittingRow(Base):
    """One session under its name."""

    __tablename__ = "sittings"
    __table_args__ = (Index(None, "session_id", "last_seq"), Index(None, "started_at"))

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    mirrored: Mapped[bool]
    policy_hash: Mapped[str] = mapped_column(ForeignKey("policies.hash"))
    server_id: Mapped[str] = mapped_column(ULID_TEXT, index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    """``open``, ``ended``, or ``interrupted``: its server died and nobody ended it."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
    media_time: Mapped[float | None] = mapped_column(Double)
    """At which it ended."""
    floor_seq: Mapped[int]
    """Events up to here belong to somebody else who had the name: they are not replayed."""
    last_seq: Mapped[int]
    """Number of its last event; of the last one under its name before it, while it has none."""
    chain_length: Mapped[int]
    """How many events it has."""
    chain_head: Mapped[str] = mapped_column(DIGEST)
    """Hash of its last event; of its own facts while it has none."""
    seal: Mapped[str | None] = mapped_column(Text)
    """The server's signature of head and length, set when it ends."""
    seed: Mapped[str] = mapped_column(String(64))
    """What challenges were drawn from."""
    added: Mapped[int]
    """How many decisions and consents were added to it: ``records/additions.py``."""
    added_head: Mapped[str] = mapped_column(DIGEST)
    """Hash of the last of them; of its own facts while there is none."""
    added_seal: Mapped[str] = mapped_column(Text)
    """The server's signature of both."""
    signals_lost: Mapped[int]
    """Observations that were judged and could not be kept."""


class EventRow(Base):
    """What listeners were told, as it went out, each bound to the one before by its hash."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("session_id", "seq"),)

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    session_id: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime] = mapped_column(UtcTime)
    media_time: Mapped[float] = mapped_column(Double)
    text: Mapped[str] = mapped_column(Text)
    """JSON."""
    hash: Mapped[str] = mapped_column(DIGEST)


class IncidentRow(Base):
    """An incident as its last change left it."""

    __tablename__ = "incidents"
    # All that a list of sittings counts, so that it reads none of their texts.
    __table_args__ = (Index(None, "sitting_id", "alerted", "severity"),)

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts the sitting's incidents from 1."""
    id: Mapped[str] = mapped_column(ULID_TEXT, unique=True)
    kind: Mapped[str] = mapped_column(String(64), index=True)
    label: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    alerted: Mapped[bool]
    confidence: Mapped[float] = mapped_column(Double)
    started_at: Mapped[float] = mapped_column(Double)
    """Media time."""
    duration: Mapped[float] = mapped_column(Double)
    reason: Mapped[str] = mapped_column(Text)
    first_seq: Mapped[int]
    last_seq: Mapped[int]


class EvidenceRow(Base):
    """That a stored piece belongs to an incident. The same piece may belong to several."""

    __tablename__ = "evidence"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The incident's."""
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True, index=True)
    """SHA-256 of the content."""
    kind: Mapped[str] = mapped_column(String(16))
    media_type: Mapped[str] = mapped_column(String(64))
    start: Mapped[float] = mapped_column(Double)
    """Media time of the first picture."""
    end: Mapped[float] = mapped_column(Double)
    size: Mapped[int]
    blurred: Mapped[bool]


class PieceRow(Base):
    """That the evidence store holds, or is about to hold, a piece: ``records/evidence/ledger.py``."""

    __tablename__ = "evidence_pieces"

    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    size: Mapped[int]
    written_at: Mapped[datetime] = mapped_column(UtcTime)
    deleting: Mapped[bool]
    """Nobody may refer to it any more."""


class DecisionRow(Base):
    """What a reviewer said of an incident. Never changed: the last one stands."""

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), index=True)
    incident_id: Mapped[str] = mapped_column(ULID_TEXT)
    decision: Mapped[str] = mapped_column(String(16))
    """``confirm``, ``dismiss``, ``comment``."""
    reason: Mapped[str] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(UtcTime)
    number: Mapped[int]
    """Counts what was added to the sitting, consents too, from 1."""
    hash: Mapped[str] = mapped_column(DIGEST)
    """Of it and of what was added before it."""


class ConsentRow(Base):
    """That a candidate agreed, or took it back, and to what."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(200), index=True)
    sitting_id: Mapped[str | None] = mapped_column(ForeignKey("sittings.id"), index=True)
    """``None`` until the sitting begins."""
    granted: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    """What the candidate was shown."""
    given_by: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime] = mapped_column(UtcTime)
    number: Mapped[int | None]
    """As a decision's; ``None`` until the sitting begins."""
    hash: Mapped[str | None] = mapped_column(DIGEST)
    signature: Mapped[str] = mapped_column(Text)
    """The server's, from the moment it was given."""


class FaceRow(Base):
    """The candidate's face as a network has it: biometric data, only where the policy has it kept."""

    __tablename__ = "faces"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    """32 bit floats, little-endian."""


class SignalRow(Base):
    """A stretch of a sitting's observations, in the order in which they were judged."""

    __tablename__ = "signals"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start: Mapped[float] = mapped_column(Double)
    """Smallest media time in it."""
    end: Mapped[float] = mapped_column(Double)
    count: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """``records/signals.py`` says how they are packed."""


class CurveRow(Base):
    """A stretch of a sitting's curves: the same, a few numbers a second, to be drawn.

    Apart from ``signals``, since a day's curves would otherwise lie scattered among 100 MB.
    """

    __tablename__ = "curves"

    sitting_id: Mapped[str] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Of the last piece of signals in it; those up to the row before are not."""
    start: Mapped[float] = mapped_column(Double)
    """Smallest media time in it."""
    end: Mapped[float] = mapped_column(Double)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """``records/plot.py`` says how they are packed."""


class WebhookRow(Base):
    """That a message waits to be delivered: ``records/webhook_queue.py``. It holds nothing itself."""

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "endpoint", "due_at"),)

    endpoint: Mapped[str] = mapped_column(String(32), primary_key=True)
    sitting_id: Mapped[str] = mapped_column(ULID_TEXT, primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The event's; 0 and -1: that the sitting began, ended."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    attempts: Mapped[int]


class ErasureRow(Base):
    """That a sitting was erased. Names nobody; chained and signed, so that none can be taken out."""

    __tablename__ = "erasures"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sitting_id: Mapped[str] = mapped_column(ULID_TEXT, unique=True)
    """Of consents whose session never began: the first one's id."""
    session_hash: Mapped[str] = mapped_column(DIGEST, index=True)
    """The session's name under the server's key: numbers go on where they stopped."""
    last_seq: Mapped[int]
    chain_length: Mapped[int]
    chain_head: Mapped[str] = mapped_column(DIGEST)
    erased_at: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    erased_by: Mapped[str] = mapped_column(String(200))
    row_counts: Mapped[str] = mapped_column(Text)
    """JSON: table to how many rows went, and files."""
    hash: Mapped[str] = mapped_column(DIGEST)
    """Of this record and the hash of the one before."""
    signature: Mapped[str] = mapped_column(Text)
