"""Writes one batch of entries within one transaction; numbers and chains the events in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from proctoring.records import webhook_queue
from proctoring.records.chain import ChainState, link
from proctoring.records.entries import (
    Entry,
    PendingEvent,
    SittingEnded,
    SittingSaved,
    SittingStarted,
)
from proctoring.records.incident_changes import IncidentChanges
from proctoring.records.ownership import Fenced, lock_for_events, lock_names
from proctoring.records.session_states import StateChanges
from proctoring.records.signing import Signer
from proctoring.records.sitting_start import (
    open_sitting,
    policy_digest,
    start_sitting,
    store_policy,
)
from proctoring.records.sitting_state import ENDED, OPEN, interrupt, sealed_text
from proctoring.records.tables import EventRow, FaceEmbeddingRow, SittingRow, WebhookDeliveryRow

Render = Callable[[int, int], str]
"""The JSON text of an event, from its index in the batch and its number."""


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event as it was written."""

    seq: int
    text: str


class Batch:
    """One transaction's worth of entries.

    Entries of sittings that this process no longer owns are dropped: see ``records/ownership.py``.

    Args:
        entries: what is written, in order.
        signer: seals sittings that end.
        server_id: this process.
        policies: digests of policies that are stored already.
        webhooks: names of the endpoints to queue messages for.
        refused: ids of sittings that did not start, since another server has the session.
        states: collects what is kept of sittings that go on.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        signer: Signer,
        server_id: str,
        policies: set[str],
        webhooks: tuple[str, ...],
        states: StateChanges,
        *,
        refused: Set[str] = frozenset(),
    ) -> None:
        self.entries = entries
        self.states = states
        self.chains: dict[str, ChainState] = {}
        """By id of the sitting, as the batch leaves them."""
        self.policies: set[str] = set()
        """Digests of policies that it stored or found."""
        self.written: list[WrittenEvent | Fenced | None] = []
        """For each entry its event; ``None`` where an entry is none."""
        self._signer = signer
        self._server_id = server_id
        self._known_policies = policies
        self._webhooks = webhooks
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._incidents = IncidentChanges()
        self._epochs = dict.fromkeys(refused, 0)
        """Under which epoch this process owns each sitting that is stored already; 0: not at all."""
        self._last_event: tuple[str, int, str] | None = None
        """Sitting, number and hash."""

    def write(self, connection: Connection, render: Render) -> None:
        """Write all entries.

        Raises:
            KeyError: a sitting did not start.
        """
        self._lock(connection)
        for index, entry in enumerate(self.entries):
            event: WrittenEvent | Fenced | None = None
            match entry:
                case SittingStarted():
                    self._start(connection, entry)
                case _ if self._is_fenced(entry):
                    pass
                case SittingEnded():
                    self._end(connection, entry)
                case SittingSaved():
                    self.states.add(entry)
                case PendingEvent():
                    event = self._number(index, entry, render)
                    self.states.add_event(entry)
            self.written.append(Fenced.FENCED if self._is_fenced(entry) else event)
        self._flush(connection)

    def _lock(self, connection: Connection) -> None:
        """Lock the sittings that are open already and read where their chains stand."""
        starting = {
            entry.sitting.session_id
            for entry in self.entries
            if isinstance(entry, SittingStarted) and entry.exclusive
        }
        lock_names(connection, starting)
        sittings = {entry.sitting.id for entry in self.entries}
        for sitting_id, owned in lock_for_events(connection, sittings).items():
            self.chains[sitting_id] = owned.chain
            # Sittings that two servers began in the same millisecond have the same id and epoch.
            self._epochs[sitting_id] = owned.epoch if owned.server_id == self._server_id else 0

    def _is_fenced(self, entry: Entry) -> bool:
        epoch = entry.sitting.epoch
        return self._epochs.get(entry.sitting.id, epoch) != epoch

    def is_written(self, connection: Connection) -> bool:
        """Whether the transaction was committed: all of it was, or nothing."""
        pairs = zip(self.entries, self.written, strict=False)  # a failed one may have stopped early
        owned = [entry for entry, written in pairs if written is not Fenced.FENCED]
        if not owned:
            return False  # there was nothing to commit
        if self._last_event is not None:
            sitting_id, seq, head = self._last_event
            found = select(EventRow.hash).filter_by(sitting_id=sitting_id, seq=seq)
            return connection.execute(found).scalar() == head
        # Writing a state again changes nothing.
        owned = [entry for entry in owned if not isinstance(entry, SittingSaved)]
        if not owned:
            return False
        last = owned[-1]
        state = connection.execute(
            select(SittingRow.state).filter_by(id=last.sitting.id, server_id=self._server_id)
        ).scalar()
        return state is not None and (isinstance(last, SittingStarted) or state != OPEN)

    def _start(self, connection: Connection, entry: SittingStarted) -> None:
        self._flush(connection)  # earlier sittings of this session must be read as they stand
        if self._is_fenced(entry):
            return
        older = open_sitting(connection, entry.sitting.session_id)
        if older is not None:
            if entry.exclusive:
                self._epochs[entry.sitting.id] = 0
                return
            interrupt(connection, older, self._signer)
            self._epochs[older] = 0
        digest = policy_digest(entry.policy_toml)
        if digest not in self._known_policies | self.policies:
            store_policy(connection, digest, entry)
            self.policies.add(digest)
        chain = start_sitting(connection, digest, entry, self._signer, self._server_id)
        self.chains[entry.sitting.id] = chain
        self._queue_message(entry.sitting.id, webhook_queue.STARTED, entry.sitting.started_at)

    def _end(self, connection: Connection, entry: SittingEnded) -> None:
        self.states.end(entry.sitting.id)
        self._flush(connection)
        sitting_id = entry.sitting.id
        self._queue_message(sitting_id, webhook_queue.ENDED, entry.time)
        chain = self._chain(entry)
        if entry.face is not None:
            embedding = np.array(entry.face, "<f4").tobytes()
            values = {"sitting_id": sitting_id, "embedding": embedding}
            connection.execute(insert(FaceEmbeddingRow).values(values))
        connection.execute(
            update(SittingRow)
            .filter_by(id=sitting_id)
            .values(
                state=ENDED,
                ended_at=entry.time,
                end_reason=entry.reason,
                end_media_time=entry.media_time,
                event_chain_signature=self._signer.sign(
                    sealed_text(sitting_id, chain.length, chain.head)
                ),
            )
        )

    def _number(self, index: int, entry: PendingEvent, render: Render) -> WrittenEvent:
        sitting = entry.sitting
        chain = self._chain(entry)
        seq = chain.last_seq + 1
        text = render(index, seq)
        chain = ChainState(sitting.id, seq, chain.length + 1, link(chain.head, text))
        self.chains[sitting.id] = chain
        self._last_event = (sitting.id, seq, chain.head)
        self._events.append(
            {
                "sitting_id": sitting.id,
                "seq": seq,
                "session_id": sitting.session_id,
                "created_at": entry.time,
                "media_time": entry.media_time,
                "body": text,
                "hash": chain.head,
            }
        )
        if entry.changes:  # notices are for listeners alone
            self._queue_message(sitting.id, seq, entry.time)
        for change in entry.changes:
            self._incidents.add(sitting, seq, change)
        return WrittenEvent(seq, text)

    def _chain(self, entry: Entry) -> ChainState:
        chain = self.chains.get(entry.sitting.id)
        if chain is None:
            raise KeyError(f"sitting {entry.sitting.id} did not start")
        return chain

    def _queue_message(self, sitting_id: str, seq: int, time: datetime) -> None:
        self._messages += [
            {"endpoint": endpoint, "sitting_id": sitting_id, "seq": seq}
            | {"created_at": time, "due_at": time, "attempts": 0}
            for endpoint in self._webhooks
        ]

    def _flush(self, connection: Connection) -> None:
        """Execute the statements that were collected."""
        if self._messages:
            connection.execute(insert(WebhookDeliveryRow), self._messages)
        if self._events:
            connection.execute(insert(EventRow), self._events)
            touched = sorted({event["sitting_id"] for event in self._events})
            connection.execute(
                update(SittingRow)
                .where(SittingRow.id == bindparam("of"))
                .values(
                    last_seq=bindparam("seq"),
                    event_count=bindparam("length"),
                    event_chain_hash=bindparam("head"),
                ),
                [
                    {"of": chain.sitting_id, "seq": chain.last_seq}
                    | {"length": chain.length, "head": chain.head}
                    for chain in map(self.chains.__getitem__, touched)
                ],
            )
        self._incidents.flush(connection)
        self.states.flush(connection)
        self._messages, self._events = [], []
