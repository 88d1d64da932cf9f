"""The journal that writes into the database of records."""

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
from proctoring.records.ownership import Fenced
from proctoring.records.reader import RecordReader
from proctoring.records.writer import RecordWriter

_log = logging.getLogger(__name__)

LONGEST_PAUSE = 1.0
"""Seconds between two attempts to write, at most: a database that is back is noticed that soon."""


class RecordedJournal:
    """Retries a batch until it is written, however long the database is away.

    Meanwhile events wait and are not published; ``trouble`` says why.

    Args:
        writer: used by this journal alone.
        reader: reads events for replay.
        max_replayed: events of one replay, the newest.
    """

    def __init__(
        self, writer: RecordWriter, reader: RecordReader, max_replayed: int = 10_000
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._max_replayed = max_replayed
        self._giving_up = Flag()
        self.trouble = ""
        """Why nothing can be written now; empty when all is well."""

    def give_up(self) -> None:
        """Stop retrying, since the process stops: what cannot be written at once is lost, unpublished."""
        self._giving_up.set()

    def write(self, entries: Sequence[Entry]) -> list[Event | Fenced | None]:
        """Store entries; returns when they are on disk."""
        try:
            return self._write(entries)
        except TRANSIENT:  # only after ``give_up``
            _log.error("%d entries could not be recorded and were not published", len(entries))
            return [None] * len(entries)
        except Exception as error:  # noqa: BLE001  # whatever it is, the others must be written
            if len(entries) == 1:
                # Log neither the entry nor the error's text: both may hold a candidate's words.
                what, why = type(entries[0]).__name__, type(error).__name__
                _log.error("one %s could not be recorded: %s", what, why)
                return [None]
        return [event for entry in entries for event in self.write([entry])]

    def _write(self, entries: Sequence[Entry]) -> list[Event | Fenced | None]:
        events: dict[int, Event] = {}

        def render(index: int, seq: int) -> str:
            pending = entries[index]
            assert isinstance(pending, PendingEvent)  # noqa: S101  (only these are numbered)
            events[index] = number_event(pending, seq)
            if pending.notice is None or pending.notice.kept:
                return events[index].text
            withheld = replace(pending.notice, body={"kept": False})
            return number_event(replace(pending, notice=withheld), seq).text

        attempts = Retrying(
            retry=retry_if_exception_type(TRANSIENT),
            wait=wait_exponential(multiplier=0.05, max=LONGEST_PAUSE),
            stop=lambda _: self._giving_up.is_set(),
            sleep=sleep_using_event(self._giving_up),
            before_sleep=self._note_trouble,
            reraise=True,
        )
        written = attempts(self._writer.write, entries, render)
        if self.trouble:
            _log.warning("records can be written again")
            self.trouble = ""
        return [
            found if isinstance(found, Fenced) else events.get(index)
            for index, found in enumerate(written)
        ]

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event with a number above ``after``, from the database."""
        try:
            found = self._reader.replay(session_id, after, self._max_replayed)
        except SQLAlchemyError as error:
            raise RecordsUnavailableError("earlier events cannot be read now") from error
        return Replay(
            tuple(Event(session_id, seq, text) for seq, text in found.events), found.missing
        )

    def last_seq(self, session_id: str) -> int:
        """The number of the last event of a session that runs here; 0 if there is none."""
        return self._writer.last_seq(session_id)

    def forget(self, session_id: str) -> None:
        """Release what is held in memory of a session."""
        self._writer.forget(session_id)

    def _note_trouble(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        reason = str(getattr(error, "orig", error)).strip().splitlines()
        if not self.trouble:
            _log.error("records cannot be written, events wait: %s", reason[0] if reason else error)
        self.trouble = f"the database cannot be written: {reason[0] if reason else error}"
