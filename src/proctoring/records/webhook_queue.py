"""Messages that wait to be delivered to webhooks.

A row is written in the transaction of the event that it announces and holds no content: that is read
from the records when the message is due, so erasing a sitting leaves nothing in the queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from proctoring.records.database import reading, writing
from proctoring.records.tables import EventRow, PolicyRow, SittingRow, WebhookDeliveryRow

STARTED, ENDED = 0, -1
"""In place of an event's number: the sitting started, it ended."""

LEASE = timedelta(seconds=60)
"""How long a claimed message belongs to one process: longer than an attempt takes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one endpoint."""

    endpoint: str
    sitting_id: str
    seq: int
    attempts: int
    """Attempts before this one."""
    created_at: datetime
    message_id: str
    """The same at every attempt, so that receivers recognise repeats."""
    kind: str
    """``incident``, ``session.started``, ``session.ended``."""
    body: str
    """JSON text."""


class WebhookQueue:
    """Safe from many threads and processes at once; each call may wait for the database.

    Every method raises ``sqlalchemy.exc.SQLAlchemyError`` while the database is away.

    Args:
        engine: the database.
        wall: the time of day, with its zone.
    """

    def __init__(
        self, engine: Engine, *, wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._wall = wall

    def claim(self, endpoint: str) -> Delivery | None:
        """Claim the message that has been due for longest; ``None``: none is due.

        It is due again after ``LEASE`` unless it is removed or postponed before: a process that dies
        in between causes a repeat, not a loss.
        """
        now = self._wall()
        due = (
            select(WebhookDeliveryRow)
            .filter_by(endpoint=endpoint)
            .where(WebhookDeliveryRow.due_at <= now)
            .order_by(
                WebhookDeliveryRow.due_at, WebhookDeliveryRow.sitting_id, WebhookDeliveryRow.seq
            )
            .limit(1)
        )
        with reading(self._engine) as connection:
            if connection.execute(due).first() is None:
                return None
        with writing(self._engine) as connection:
            row = connection.execute(due).first()
            if row is None:
                return None
            claimed = connection.execute(
                update(WebhookDeliveryRow)
                .filter_by(endpoint=endpoint, sitting_id=row.sitting_id, seq=row.seq)
                .where(WebhookDeliveryRow.due_at == row.due_at)
                .values(due_at=now + LEASE)
            )
            content = _content(connection, row.sitting_id, row.seq)
            if content is None:  # erased meanwhile
                _remove(connection, endpoint, row.sitting_id, row.seq)
                return None
            if not claimed.rowcount:
                return None
        kind, time, data = content
        message_id = _message_id(row.sitting_id, row.seq)
        body = json.dumps(
            {
                "id": message_id,
                "type": kind,
                "timestamp": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "event": kind,
                "createdAt": int(time.timestamp()),
                "data": data,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return Delivery(
            endpoint, row.sitting_id, row.seq, row.attempts, row.created_at, message_id, kind, body
        )

    def remove(self, delivery: Delivery) -> None:
        """Remove a message that arrived or is discarded."""
        with writing(self._engine) as connection:
            _remove(connection, delivery.endpoint, delivery.sitting_id, delivery.seq)

    def postpone(self, delivery: Delivery, pause: timedelta) -> None:
        """Make a message that did not arrive due again after ``pause``."""
        with writing(self._engine) as connection:
            connection.execute(
                update(WebhookDeliveryRow)
                .filter_by(
                    endpoint=delivery.endpoint, sitting_id=delivery.sitting_id, seq=delivery.seq
                )
                .values(due_at=self._wall() + pause, attempts=delivery.attempts + 1)
            )

    def waiting(self, endpoint: str) -> int:
        """How many messages wait for an endpoint, due or not."""
        with reading(self._engine) as connection:
            query = (
                select(func.count()).select_from(WebhookDeliveryRow).filter_by(endpoint=endpoint)
            )
            return int(connection.execute(query).scalar_one())

    def trim(self, endpoint: str, max_waiting: int) -> int:
        """Discard all but the newest messages of an endpoint. Returns how many were discarded."""
        surplus = self.waiting(endpoint) - max_waiting
        if surplus <= 0:
            return 0
        with writing(self._engine) as connection:
            oldest = connection.execute(
                select(WebhookDeliveryRow.sitting_id, WebhookDeliveryRow.seq)
                .filter_by(endpoint=endpoint)
                .order_by(WebhookDeliveryRow.created_at)
                .limit(surplus)
            ).all()
            for sitting_id, seq in oldest:
                _remove(connection, endpoint, sitting_id, seq)
        return len(oldest)

    def discard_older(self, age: timedelta) -> int:
        """Discard the messages of all endpoints that are older than ``age``. Returns how many.

        Which endpoints other processes serve is not known here; an age that none of them lets a
        message reach shows that no process serves it.
        """
        with writing(self._engine) as connection:
            old = delete(WebhookDeliveryRow).where(
                WebhookDeliveryRow.created_at < self._wall() - age
            )
            return connection.execute(old).rowcount


def _message_id(sitting_id: str, seq: int) -> str:
    last = {STARTED: "started", ENDED: "ended"}.get(seq, seq)
    return f"msg_{sitting_id}_{last}"


def _remove(connection: Connection, endpoint: str, sitting_id: str, seq: int) -> None:
    connection.execute(
        delete(WebhookDeliveryRow).filter_by(endpoint=endpoint, sitting_id=sitting_id, seq=seq)
    )


def _content(
    connection: Connection, sitting_id: str, seq: int
) -> tuple[str, datetime, dict[str, Any]] | None:
    """Kind, time and data of a message, read from the records; ``None``: erased."""
    if seq not in (STARTED, ENDED):
        event = connection.execute(
            select(EventRow.body, EventRow.created_at).filter_by(sitting_id=sitting_id, seq=seq)
        ).first()
        if event is None:
            return None
        data: dict[str, Any] = json.loads(event.body)
        data.pop("transcript", None)  # transcripts are for listeners alone
        return "incident", event.created_at, data
    row = connection.execute(
        select(SittingRow, PolicyRow.name.label("policy"))
        .join(PolicyRow, PolicyRow.hash == SittingRow.policy_hash)
        .where(SittingRow.id == sitting_id)
    ).first()
    if row is None:
        return None
    data = {
        "session_id": row.session_id,
        "sitting_id": row.id,
        "started_at": row.started_at.isoformat(),
        "policy": row.policy,
    }
    if seq == STARTED:
        return "session.started", row.started_at, data
    ended_at = row.ended_at or row.started_at
    data |= {
        "ended_at": ended_at.isoformat(),
        "reason": row.end_reason,
        "media_time": row.end_media_time,
        "last_seq": row.last_seq,
    }
    return "session.ended", ended_at, data
