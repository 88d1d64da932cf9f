"""What is kept of open sittings, so that another process can continue them: encoded, encrypted, written.

A state has four parts. *judgement* is written in the transaction of the events that it caused, so that
neither is ahead of the other. *hot* is small and changes all the time; *learned* and *biometrics* change
rarely and are written only when they did.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from proctoring.errors import EvidenceDamagedError, EvidenceKeyMissingError
from proctoring.records.entries import PendingEvent, SittingSaved
from proctoring.records.evidence.sealing import Keys, is_sealed
from proctoring.records.tables import SessionStateRow
from proctoring.snapshots import SnapshotError, decode, encode

CONTINUE_WITHIN = timedelta(hours=1)
"""A sitting is continued if its state was written within this: longer than any restart. What has been left
for longer is an exam that is over."""

FORMAT = 1
"""Of the parts. A version reads its own and the one before; one more when the meaning of a part changes."""
READABLE = (FORMAT,)

T = TypeVar("T")

Digests = Mapping[str, bytes]
"""Name of a part to the digest of its content as last written."""


class StateSealing:
    """Encodes and encrypts parts, each bound to its sitting and name.

    Args:
        keys: the first encrypts, all decrypt.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, sitting_id: str, part: str, encoded: bytes) -> bytes:
        """An encoded part, as it is stored."""
        return self._keys.seal(f"{sitting_id} {part}", encoded)

    def open(self, sitting_id: str, part: str, stored: bytes, kind: type[T]) -> T:
        """The part that was stored.

        Raises:
            SnapshotError: it is damaged or not encrypted, its key is not here, or it holds something else.
        """
        if not is_sealed(stored):  # nothing but the encryption says that a server wrote it
            raise SnapshotError(f"the part {part} is not encrypted")
        try:
            return decode(self._keys.open(f"{sitting_id} {part}", stored), kind)
        except (EvidenceDamagedError, EvidenceKeyMissingError) as error:
            raise SnapshotError(f"the part {part} cannot be decrypted") from error


@dataclass(frozen=True, slots=True)
class StoredState:
    """The row of a sitting, its parts as they are stored."""

    saved_at: datetime
    media_time: float
    """Seconds: judgement had reached it, or the last frame that was kept."""
    parts: Mapping[str, bytes]


class StateChanges:
    """What one transaction writes of states. The last of several of one sitting counts.

    Args:
        sealing: encodes and encrypts.
        known: digests of the parts that are stored, by sitting.
    """

    def __init__(self, sealing: StateSealing, known: Mapping[str, Digests]) -> None:
        self._sealing = sealing
        self._known = known
        self._values: dict[str, dict[str, Any]] = {}
        self._ended: set[str] = set()
        self.digests: dict[str, Digests] = {}
        """What is stored after the transaction, of the sittings that it wrote; empty: nothing."""

    def add_event(self, entry: PendingEvent) -> None:
        """Add the state of judgement after an event, if it carries one."""
        if entry.state is not None:
            self._add(entry, {"judgement": entry.state})

    def add(self, entry: SittingSaved) -> None:
        """Add a state; the parts that are ``None`` stay as they are stored."""
        parts = {"hot": entry.hot, "learned": entry.learned, "biometrics": entry.biometrics}
        given = {name: part for name, part in parts.items() if part is not None}
        self._add(entry, {"judgement": entry.judgement, **given})

    def end(self, sitting_id: str) -> None:
        """A sitting has ended: nothing of its state is kept."""
        self._values.pop(sitting_id, None)
        self._ended.add(sitting_id)

    def _add(self, entry: PendingEvent | SittingSaved, parts: dict[str, object]) -> None:
        values = self._values.setdefault(entry.sitting.id, {})
        values |= parts | {"saved_at": entry.time, "media_time": entry.media_time}

    def flush(self, connection: Connection) -> None:
        """Write and forget what was added."""
        updates: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for sitting_id, values in self._values.items():
            before = self.digests.get(sitting_id) or self._known.get(sitting_id, {})
            row, digests = self._encoded(sitting_id, values, before)
            self.digests[sitting_id] = {**before, **digests}
            if before:
                updates[tuple(sorted(row))].append(row | {"of": sitting_id})
            else:
                _put(connection, sitting_id, row)
        for columns, rows in updates.items():
            statement = update(SessionStateRow).where(SessionStateRow.sitting_id == bindparam("of"))
            connection.execute(statement.values({name: bindparam(name) for name in columns}), rows)
        if self._ended:
            gone = delete(SessionStateRow).where(SessionStateRow.sitting_id.in_(self._ended))
            connection.execute(gone)
            self.digests |= {sitting_id: {} for sitting_id in self._ended}
        self._values, self._ended = {}, set()

    def _encoded(
        self, sitting_id: str, values: dict[str, Any], before: Digests
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The columns to set, and the digests of the parts among them."""
        row = {"saved_at": values.pop("saved_at"), "media_time": values.pop("media_time")}
        digests = {}
        for part, value in values.items():
            encoded = encode(value)
            digest = hashlib.blake2b(encoded, digest_size=16).digest()
            if before.get(part) != digest:
                row[part] = self._sealing.seal(sitting_id, part, encoded)
                digests[part] = digest
        return row, digests


def _put(connection: Connection, sitting_id: str, row: dict[str, Any]) -> None:
    """Insert a row, or update the one that an earlier owner of the sitting left."""
    on_sqlite = connection.dialect.name == "sqlite"
    new = (sqlite.insert if on_sqlite else postgresql.insert)(SessionStateRow)
    row = {**row, "format": FORMAT}
    connection.execute(
        new.values(sitting_id=sitting_id, **row).on_conflict_do_update(
            index_elements=["sitting_id"], set_=row
        )
    )


def read_state(connection: Connection, sitting_id: str) -> StoredState | None:
    """What is kept of a sitting; ``None`` if nothing is.

    Raises:
        SnapshotError: it is in a format that this version does not read.
    """
    row = connection.execute(select(SessionStateRow).filter_by(sitting_id=sitting_id)).first()
    if row is None:
        return None
    if row.format not in READABLE:
        raise SnapshotError(f"the state is in the format {row.format}, not {FORMAT}")
    parts = {
        "judgement": row.judgement,
        "hot": row.hot,
        "learned": row.learned,
        "biometrics": row.biometrics,
    }
    stored = {name: data for name, data in parts.items() if data is not None}
    return StoredState(row.saved_at, row.media_time, stored)


def delete_state(connection: Connection, sitting_id: str) -> None:
    """Delete what is kept of a sitting."""
    connection.execute(delete(SessionStateRow).filter_by(sitting_id=sitting_id))
