"""Writes what happened, in order, each batch in one transaction; numbers and binds events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.records import webhook_queue
from proctoring.records.additions import consent_text, places, seal
from proctoring.records.chain import initial_head, link
from proctoring.records.database import reading, writing
from proctoring.records.entries import (
    Entry,
    PendingEvent,
    SittingEnded,
    SittingRef,
    SittingStarted,
    incident_id,
)
from proctoring.records.signing import Signer
from proctoring.records.tables import (
    ConsentRow,
    ErasureRow,
    EventRow,
    EvidenceRow,
    FaceRow,
    IncidentRow,
    PolicyRow,
    SittingRow,
    WebhookRow,
)

Tell = Callable[[int, int], str]
"""From an entry's place in its batch and the event's number to the event's text."""

OPEN, ENDED, INTERRUPTED = "open", "ended", "interrupted"
"""States of a sitting."""

RESUMED = timedelta(days=1)
"""A sitting that begins within this after one of its name that was interrupted goes on with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where the events of one session's name stand."""

    sitting_id: str
    last_seq: int
    length: int
    head: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event as it was written."""

    seq: int
    text: str


class RecordWriter:
    """For one thread at a time.

    Args:
        engine: the database.
        signer: seals sittings that end.
        server_id: this process, among those that write into the database.
        webhooks: names of endpoints that are to hear of everything, by messages that are queued
            in the same transaction.
    """

    def __init__(
        self, engine: Engine, signer: Signer, server_id: str, webhooks: tuple[str, ...] = ()
    ) -> None:
        self._webhooks = webhooks
        self._engine = engine
        self._signer = signer
        self._server_id = server_id
        self._lines: dict[str, Line] = {}
        self._policies: set[str] = set()
        self._doubt: _Batch | None = None
        """A batch whose transaction failed: perhaps after it was committed."""

    def last_seq(self, session_id: str) -> int:
        """Number of the last event of a session that is written here; 0 if there is none."""
        line = self._lines.get(session_id)
        return 0 if line is None else line.last_seq

    def forget(self, session_id: str) -> None:
        """Nothing more of this session is written here."""
        self._lines.pop(session_id, None)

    def write(self, entries: Sequence[Entry], tell: Tell) -> list[Numbered | None]:
        """Write a batch, all of it or nothing. What it returns is on disk.

        After an error the very same batch may be given again: it is not written twice if it was
        committed after all.

        Returns:
            For each entry its event; ``None`` where an entry is none.

        Raises:
            KeyError: a session did not begin.
            sqlalchemy.exc.SQLAlchemyError: nothing was written, or nobody knows.
        """
        doubt = self._doubt
        if doubt is not None and doubt.entries is entries and self._is_written(doubt):
            self._doubt = None
            return self._adopt(doubt)
        self._doubt = None  # not before the database has answered
        try:
            return self._write(entries, tell)
        except IntegrityError:
            # Another process gave out a number of ours, or wrote the same policy just now.
            # Or a policy was erased with its last sitting.
            self._policies.clear()
            for entry in entries:
                self._lines.pop(entry.sitting.session_id, None)
            return self._write(entries, tell)

    def _write(self, entries: Sequence[Entry], tell: Tell) -> list[Numbered | None]:
        batch = _Batch(
            entries, self._signer, self._server_id, self._lines, self._policies, self._webhooks
        )
        try:
            with writing(self._engine) as connection:
                batch.write(connection, tell)
            return self._adopt(batch)
        except SQLAlchemyError:
            self._doubt = batch
            raise

    def _adopt(self, batch: _Batch) -> list[Numbered | None]:
        self._lines.update(batch.lines)
        self._policies |= batch.policies
        return batch.told

    def _is_written(self, batch: _Batch) -> bool:
        with reading(self._engine) as connection:
            return batch.is_written(connection)


class _Batch:
    """One transaction's worth."""

    def __init__(
        self,
        entries: Sequence[Entry],
        signer: Signer,
        server_id: str,
        known: Mapping[str, Line],
        policies: set[str],
        webhooks: tuple[str, ...],
    ) -> None:
        self._webhooks = webhooks
        self._messages: list[dict[str, Any]] = []
        self.entries = entries
        self.lines: dict[str, Line] = {}
        self.policies: set[str] = set()
        self.told: list[Numbered | None] = []
        self._signer = signer
        self._server_id = server_id
        self._known = known
        self._known_policies = policies
        self._events: list[dict[str, Any]] = []
        self._last_event: tuple[str, int, str] | None = None
        self._incidents: dict[tuple[str, int], dict[str, Any]] = {}
        self._new: set[tuple[str, int]] = set()
        self._evidence: dict[tuple[str, int, str], dict[str, Any]] = {}

    def write(self, connection: Connection, tell: Tell) -> None:
        for index, entry in enumerate(self.entries):
            told: Numbered | None = None
            if isinstance(entry, SittingStarted):
                self._begin(connection, entry)
            elif isinstance(entry, SittingEnded):
                self._flush(connection)
                self._end(connection, entry)
            else:
                told = self._number(connection, index, entry, tell)
            self.told.append(told)
        self._flush(connection)

    def is_written(self, connection: Connection) -> bool:
        """Whether it was: all of it was, or nothing."""
        if self._last_event is not None:
            sitting_id, seq, head = self._last_event
            found = select(EventRow.hash).filter_by(sitting_id=sitting_id, seq=seq)
            return connection.execute(found).scalar() == head
        last = self.entries[-1]
        state = connection.execute(
            select(SittingRow.state).filter_by(id=last.sitting.id, server_id=self._server_id)
        ).scalar()
        return state is not None and (isinstance(last, SittingStarted) or state != OPEN)

    def _number(
        self, connection: Connection, index: int, entry: PendingEvent, tell: Tell
    ) -> Numbered:
        line = self._line(connection, entry)
        seq = line.last_seq + 1
        text = tell(index, seq)
        line = Line(line.sitting_id, seq, line.length + 1, link(line.head, text))
        self.lines[entry.sitting.session_id] = line
        self._last_event = (entry.sitting.id, seq, line.head)
        self._events.append(
            {
                "sitting_id": entry.sitting.id,
                "seq": seq,
                "session_id": entry.sitting.session_id,
                "time": entry.time,
                "media_time": entry.media_time,
                "text": text,
                "hash": line.head,
            }
        )
        if entry.changes:  # words and enrolment are for listeners alone
            self._queue_message(entry.sitting.id, seq, entry.time)
        for change in entry.changes:
            self._change(entry.sitting, seq, change)
        return Numbered(seq, text)

    def _line(self, connection: Connection, entry: Entry) -> Line:
        for lines in (self.lines, self._known):
            line = lines.get(entry.sitting.session_id)
            if line is not None and line.sitting_id == entry.sitting.id:
                return line
        row = connection.execute(select(SittingRow).filter_by(id=entry.sitting.id)).first()
        if row is None:
            raise KeyError(f"sitting {entry.sitting.id} did not begin")
        last = _last_seq(connection, entry.sitting.session_id, self._signer)
        return Line(row.id, last, row.chain_length, row.chain_head)

    def _change(self, sitting: SittingRef, seq: int, change: IncidentChange) -> None:
        key = (sitting.id, change.number)
        values = self._incidents.setdefault(key, {})
        if change.state is IncidentState.STARTED:
            self._new.add(key)
            values |= {
                "id": incident_id(sitting, change.number),
                "kind": change.kind,
                "label": change.label,
                "alerted": change.alerts,
                "first_seq": seq,
            }
        values |= {
            "severity": change.severity.value,
            "state": change.state.value,
            "confidence": change.confidence,
            "started_at": change.started_at,
            "duration": change.duration,
            "reason": change.reason,
            "last_seq": seq,
        }
        for piece in change.evidence:
            self._evidence[*key, piece.digest] = {
                "sitting_id": sitting.id,
                "number": change.number,
                **asdict(piece),
            }

    def _queue_message(self, sitting_id: str, seq: int, time: datetime) -> None:
        self._messages += [
            {"endpoint": endpoint, "sitting_id": sitting_id, "seq": seq}
            | {"created_at": time, "due_at": time, "attempts": 0}
            for endpoint in self._webhooks
        ]

    def _flush(self, connection: Connection) -> None:
        if self._messages:
            connection.execute(insert(WebhookRow), self._messages)
            self._messages = []
        if self._events:
            connection.execute(insert(EventRow), self._events)
            touched = {event["session_id"] for event in self._events}
            connection.execute(
                update(SittingRow)
                .where(SittingRow.id == bindparam("of"))
                .values(
                    last_seq=bindparam("seq"),
                    chain_length=bindparam("length"),
                    chain_head=bindparam("head"),
                ),
                [
                    {"of": line.sitting_id, "seq": line.last_seq}
                    | {"length": line.length, "head": line.head}
                    for line in map(self.lines.__getitem__, touched)
                ],
            )
        new = [
            {"sitting_id": sitting_id, "number": number} | values
            for (sitting_id, number), values in self._incidents.items()
            if (sitting_id, number) in self._new
        ]
        if new:
            connection.execute(insert(IncidentRow), new)
        changed = [
            {"of": sitting_id, "at": number} | values
            for (sitting_id, number), values in self._incidents.items()
            if (sitting_id, number) not in self._new
        ]
        if changed:
            columns = ("severity", "state", "confidence", "started_at", "duration", "reason")
            connection.execute(
                update(IncidentRow)
                .where(IncidentRow.sitting_id == bindparam("of"))
                .where(IncidentRow.number == bindparam("at"))
                .values({name: bindparam(name) for name in (*columns, "last_seq")}),
                changed,
            )
        if self._evidence:  # every change of an incident names all its evidence, old and new
            connection.execute(
                _new_evidence(connection).on_conflict_do_nothing(), list(self._evidence.values())
            )
        self._events, self._incidents, self._new, self._evidence = [], {}, set(), {}

    def _begin(self, connection: Connection, entry: SittingStarted) -> None:
        self._flush(connection)  # the one before under this name must be seen as it stands
        policy_hash = hashlib.sha256(entry.policy_toml.encode()).hexdigest()
        if policy_hash not in self._known_policies | self.policies:
            known = connection.execute(select(PolicyRow.hash).filter_by(hash=policy_hash)).first()
            if known is None:
                values = {"name": entry.policy_name, "toml": entry.policy_toml}
                connection.execute(insert(PolicyRow).values(hash=policy_hash, **values))
            self.policies.add(policy_hash)
        last = _last_seq(connection, entry.sitting.session_id, self._signer)
        head = initial_head(
            entry.sitting.id, entry.sitting.session_id, entry.sitting.began_at, policy_hash
        )
        consents = connection.execute(
            select(ConsentRow)
            .filter_by(session_id=entry.sitting.session_id, sitting_id=None)
            .order_by(ConsentRow.id)
        ).all()
        added = list(places(head, map(consent_text, consents)))
        count, added_head = (added[-1].number, added[-1].hash) if added else (0, head)
        connection.execute(
            insert(SittingRow).values(
                id=entry.sitting.id,
                session_id=entry.sitting.session_id,
                began_at=entry.sitting.began_at,
                mirrored=entry.mirrored,
                seed=entry.seed,
                policy_hash=policy_hash,
                server_id=self._server_id,
                state=OPEN,
                floor_seq=self._floor(connection, entry, last),
                last_seq=last,
                chain_length=0,
                chain_head=head,
                added=count,
                added_head=added_head,
                added_seal=seal(self._signer, entry.sitting.id, count, added_head),
            )
        )
        for consent, place in zip(consents, added, strict=True):
            adopted = update(ConsentRow).filter_by(id=consent.id)
            connection.execute(adopted.values(sitting_id=entry.sitting.id, **asdict(place)))
        self.lines[entry.sitting.session_id] = Line(entry.sitting.id, last, 0, head)
        self._queue_message(entry.sitting.id, webhook_queue.BEGAN, entry.sitting.began_at)

    def _floor(self, connection: Connection, entry: SittingStarted, last: int) -> int:
        """Up to which number events are somebody else's.

        A sitting that goes on where a server died replays what that one had told.
        """
        before = connection.execute(
            select(SittingRow)
            .filter_by(session_id=entry.sitting.session_id)
            .order_by(SittingRow.began_at.desc())
            .limit(1)
        ).first()
        if before is None or before.state == ENDED:
            return last
        if before.state == OPEN:
            interrupt(connection, before.id, self._signer)
        return before.floor_seq if entry.sitting.began_at - before.began_at < RESUMED else last

    def _end(self, connection: Connection, entry: SittingEnded) -> None:
        self._queue_message(entry.sitting.id, webhook_queue.ENDED, entry.time)
        line = self._line(connection, entry)
        if entry.face is not None:
            embedding = np.array(entry.face, "<f4").tobytes()
            values = {"sitting_id": entry.sitting.id, "embedding": embedding}
            connection.execute(insert(FaceRow).values(values))
        connection.execute(
            update(SittingRow)
            .filter_by(id=entry.sitting.id)
            .values(
                state=ENDED,
                ended_at=entry.time,
                end_reason=entry.reason,
                media_time=entry.media_time,
                seal=self._signer.sign(sealed(entry.sitting.id, line.length, line.head)),
            )
        )


def _new_evidence(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    on_sqlite = connection.dialect.name == "sqlite"
    return (sqlite.insert if on_sqlite else postgresql.insert)(EvidenceRow)


def sealed(sitting_id: str, length: int, head: str) -> str:
    """What the seal of a sitting signs: that it has so many events and ends with this one."""
    return json.dumps([sitting_id, length, head])


def interrupt(connection: Connection, sitting_id: str, signer: Signer) -> None:
    """End, in the records, a sitting whose server died."""
    row = connection.execute(select(SittingRow).filter_by(id=sitting_id)).one()
    last = connection.execute(
        select(func.max(EventRow.time)).filter_by(sitting_id=sitting_id)
    ).scalar()
    connection.execute(
        update(SittingRow)
        .filter_by(id=sitting_id, state=OPEN)
        .values(
            state=INTERRUPTED,
            ended_at=last or row.began_at,
            end_reason="its server stopped without ending it",
            seal=signer.sign(sealed(row.id, row.chain_length, row.chain_head)),
        )
    )
    connection.execute(
        update(IncidentRow)
        .filter_by(sitting_id=sitting_id)
        .where(IncidentRow.state != IncidentState.ENDED.value)
        .values(state=INTERRUPTED)
    )


def _last_seq(connection: Connection, session_id: str, signer: Signer) -> int:
    """The last number given out under a name, by whatever process, erased or not."""
    kept = connection.execute(
        select(func.max(SittingRow.last_seq)).filter_by(session_id=session_id)
    ).scalar()
    erased = connection.execute(
        select(func.max(ErasureRow.last_seq)).filter_by(session_hash=signer.pseudonym(session_id))
    ).scalar()
    return max(kept or 0, erased or 0)
