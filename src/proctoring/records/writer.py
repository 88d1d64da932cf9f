"""Writes entries in order, each batch in one transaction, and knows where each session stands."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.records.batch import Batch, Render, WrittenEvent
from proctoring.records.chain import ChainState
from proctoring.records.database import reading, writing
from proctoring.records.entries import Entry, SittingStarted
from proctoring.records.ownership import Fenced
from proctoring.records.session_states import Digests, StateChanges, StateSealing
from proctoring.records.signing import Signer

ATTEMPTS = 4
"""Attempts to write a batch that meets what other processes write at the same moment."""

MAX_REFUSED = 10_000
"""Sittings that did not start which are remembered: what they still publish comes within seconds."""


class RecordWriter:
    """For one thread at a time.

    Args:
        engine: the database.
        signer: seals sittings that end.
        server_id: this process, among those that write into the database.
        sealing: encrypts what is kept of sittings that go on.
        webhooks: names of the endpoints that messages are queued for, in the same transaction.
    """

    def __init__(
        self,
        engine: Engine,
        signer: Signer,
        server_id: str,
        sealing: StateSealing,
        webhooks: tuple[str, ...] = (),
    ) -> None:
        self._engine = engine
        self._signer = signer
        self._server_id = server_id
        self._webhooks = webhooks
        self._chains: dict[str, ChainState] = {}
        """By session id."""
        self._policies: set[str] = set()
        self._sealing = sealing
        self._states: dict[str, Digests] = {}
        """What is stored of the states of sittings that are written here."""
        self._refused: dict[str, None] = {}
        """The last sittings that did not start, since another server has the session."""
        self._doubt: Batch | None = None
        """A batch whose transaction failed, perhaps after it was committed."""

    def last_seq(self, session_id: str) -> int:
        """Number of the last event of a session that is written here; 0 if there is none."""
        chain = self._chains.get(session_id)
        return 0 if chain is None else chain.last_seq

    def forget(self, session_id: str) -> None:
        """Nothing more of this session is written here."""
        self._chains.pop(session_id, None)

    def write(self, entries: Sequence[Entry], render: Render) -> list[WrittenEvent | Fenced | None]:
        """Write a batch, all of it or nothing. What it returns is on disk.

        After an error the same list may be given again: it is not written twice if it was committed
        after all.

        Returns:
            For each entry its event; ``None`` where an entry is none; ``Fenced`` where it was dropped,
            since this process does not own its sitting.

        Raises:
            KeyError: a sitting did not start.
            sqlalchemy.exc.SQLAlchemyError: nothing was written, or it is not known.
        """
        doubt = self._doubt
        if doubt is not None and doubt.entries is entries and self._is_written(doubt):
            self._doubt = None
            return self._adopt(doubt)
        self._doubt = None  # only once the database has answered
        for _ in range(ATTEMPTS - 1):
            try:
                return self._write(entries, render)
            except IntegrityError:
                # Another process began a sitting of the same session id, or wrote the same policy, just
                # now; or a policy was erased with its last sitting. The next attempt finds that.
                self._policies.clear()
        return self._write(entries, render)

    def _write(
        self, entries: Sequence[Entry], render: Render
    ) -> list[WrittenEvent | Fenced | None]:
        batch = Batch(
            entries,
            self._signer,
            self._server_id,
            self._policies,
            self._webhooks,
            StateChanges(self._sealing, self._states),
            refused=self._refused.keys(),
        )
        try:
            with writing(self._engine) as connection:
                batch.write(connection, render)
            return self._adopt(batch)
        except SQLAlchemyError:
            self._doubt = batch
            raise

    def _adopt(self, batch: Batch) -> list[WrittenEvent | Fenced | None]:
        for entry, written in zip(batch.entries, batch.written, strict=True):
            if written is Fenced.FENCED and isinstance(entry, SittingStarted):
                self._refused[entry.sitting.id] = None
                if len(self._refused) > MAX_REFUSED:
                    del self._refused[next(iter(self._refused))]
            if written is not Fenced.FENCED:
                self._chains[entry.sitting.session_id] = batch.chains[entry.sitting.id]
        self._policies |= batch.policies
        for sitting_id, digests in batch.states.digests.items():
            if digests:
                self._states[sitting_id] = digests
            else:
                self._states.pop(sitting_id, None)
        return batch.written

    def _is_written(self, batch: Batch) -> bool:
        with reading(self._engine) as connection:
            return batch.is_written(connection)
