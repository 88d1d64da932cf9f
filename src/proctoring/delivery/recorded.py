"""The journal that is a database: nobody hears of an event before it is on disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from threading import Event as Flag

from sqlalchemy.exc import SQLAlchemyError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential
from tenacity.nap import sleep_using_event

from proctoring.delivery.events import Event, number_event
from proctoring.delivery.journal import Replay
from proctoring.errors import RecordsUnavailableError
from proctoring.records.database import TRANSIENT
from proctoring.records.entries import Entry, PendingEvent
from proctoring.records.reader import RecordReader
from proctoring.records.writer import RecordWriter

_log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
"""Seconds between two attempts to write, at most."""


class RecordedJournal:
    """Writes batches until they are written, however long the database is away.

    Events that cannot be written wait, and nobody hears of them; ``trouble`` says so.

    Args:
        writer: its own.
        reader: reads for replay.
        replayed: events that are replayed at most, the newest.
    """

    def __init__(self, writer: RecordWriter, reader: RecordReader, replayed: int = 10_000) -> None:
        self._writer = writer
        self._reader = reader
        self._replayed = replayed
        self._giving_up = Flag()
        self.trouble = ""
        """Why nothing can be written now; empty when all is well."""

    def give_up(self) -> None:
        """The process stops: what cannot be written at once is lost, unheard."""
        self._giving_up.set()

    def write(self, entries: Sequence[Entry]) -> list[Event | None]:
        """Keep entries; returns when they are on disk."""
        try:
            return self._write(entries)
        except TRANSIENT:  # only after ``give_up``
            _log.error("%d entries could not be recorded; nobody heard of them", len(entries))
            return [None] * len(entries)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not cost the others' events
            if len(entries) == 1:
                # Neither the entry nor what the database says of it: both may hold words of a candidate.
                what, why = type(entries[0]).__name__, type(error).__name__
                _log.error("one %s could not be recorded: %s", what, why)
                return [None]
        return [event for entry in entries for event in self.write([entry])]

    def _write(self, entries: Sequence[Entry]) -> list[Event | None]:
        told: dict[int, Event] = {}

        def tell(index: int, seq: int) -> str:
            pending = entries[index]
            assert isinstance(pending, PendingEvent)  # noqa: S101  (only these are numbered)
            told[index] = number_event(pending, seq)
            if pending.notice is None or pending.notice.kept:
                return told[index].text
            withheld = replace(pending.notice, body={"kept": False})
            return number_event(replace(pending, notice=withheld), seq).text

        attempts = Retrying(
            retry=retry_if_exception_type(TRANSIENT),
            wait=wait_exponential(multiplier=0.05, max=LONGEST_PAUSE),
            stop=lambda _: self._giving_up.is_set(),
            sleep=sleep_using_event(self._giving_up),
            before_sleep=self._complain,
            reraise=True,
        )
        attempts(self._writer.write, entries, tell)
        if self.trouble:
            _log.warning("records can be written again")
            self.trouble = ""
        return [told.get(index) for index in range(len(entries))]

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event with a number above ``after``, from the database."""
        try:
            found = self._reader.replay(session_id, after, self._replayed)
        except SQLAlchemyError as error:
            raise RecordsUnavailableError("earlier events cannot be read now") from error
        return Replay(
            tuple(Event(session_id, seq, text) for seq, text in found.events), found.missing
        )

    def last_seq(self, session_id: str) -> int:
        """The last number given out under the name of a session that runs here; 0 if none."""
        return self._writer.last_seq(session_id)

    def forget(self, session_id: str) -> None:
        """Nothing more will come of this session."""
        self._writer.forget(session_id)

    def _complain(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        reason = str(getattr(error, "orig", error)).strip().splitlines()
        if not self.trouble:
            _log.error("records cannot be written, events wait: %s", reason[0] if reason else error)
        self.trouble = f"the database cannot be written: {reason[0] if reason else error}"
