"""Keeps what was observed, in the order in which it was judged, off the way of who observes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from typing import Any

from sqlalchemy import Delete, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.judgement.inputs import JudgementInput
from proctoring.observations import TranscriptObservation
from proctoring.records.database import reading, writing
from proctoring.records.packing import pack
from proctoring.records.plot import join, summarise
from proctoring.records.tables import SignalCurveRow, SignalSegmentRow, SittingRow

_log = logging.getLogger(__name__)

EVERY = 20.0
"""Seconds for which observations are gathered before they are written: what a dying process takes
with it. Longer packs them smaller and loses more."""

PIECE = 1000
"""Observations that are written at once at the latest."""

JOINED = 30
"""Pieces whose curves are joined to one row, so that a day is drawn from 144 rows, not from 4,320."""

GIVE_UP = 120.0
"""Seconds for which observations of a sitting wait that is not written."""

BACKLOG = 500_000
"""Observations of all sittings that may wait, some 500 MB: the database may be away for minutes of
hundreds of sessions. Beyond, new ones are lost, and counted."""


@dataclass(slots=True)
class _Buffer:
    words: bool
    since: float = 0.0
    items: list[JudgementInput] = field(default_factory=list)
    number: int = 0
    """Of the next piece."""
    unjoined: list[_Curves] = field(default_factory=list)
    """Curves of the pieces written last, each in a row of its own."""
    lost: int = 0
    ended: bool = False


class SignalKeeper:
    """All sittings' observations. Safe from many threads at once.

    Args:
        engine: where they are written.
        clock: seconds.
        backlog: observations that may wait; beyond, they are lost, and counted.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        backlog: int = BACKLOG,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._backlog = backlog
        self._buffers: dict[str, _Buffer] = {}
        self._waiting = 0
        self._condition = Condition()
        self._writing = Lock()
        self._thread: Thread | None = None
        self._stopping = False
        self.lost = 0
        """Observations that could not be kept."""
        self.trouble = ""
        """Why nothing can be written now; empty when all is well."""

    def start(self) -> None:
        """Write from a thread of its own from now on."""
        self._thread = Thread(target=self._write_always, name="signals", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Write what waits and end the thread. Returns whether that was done in time."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def begin(self, sitting_id: str, *, words: bool) -> Callable[[JudgementInput], None]:
        """What takes a sitting's observations from now on; ``words``: those that hold words too."""
        buffer = _Buffer(words)
        with self._condition:
            self._buffers[sitting_id] = buffer

        def keep(observation: JudgementInput) -> None:
            if not words and isinstance(observation, TranscriptObservation):
                return
            with self._condition:
                if self._waiting >= self._backlog:
                    buffer.lost += 1
                    self.lost += 1
                    return
                if not buffer.items:
                    buffer.since = self._clock()
                buffer.items.append(observation)
                self._waiting += 1

        return keep

    def end(self, sitting_id: str) -> None:
        """Nothing more comes of a sitting."""
        with self._condition:
            buffer = self._buffers.get(sitting_id)
            if buffer is not None:
                buffer.ended = True
                self._condition.notify_all()

    def flush(self, sitting_id: str | None = None) -> None:
        """Write what waits, of one sitting or all, now.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it could not be written; it waits on.
        """
        with self._writing:
            self._write(lambda name, _: sitting_id is None or name == sitting_id)

    def _write_always(self) -> None:
        while True:
            with self._condition:
                self._condition.wait(1.0)
                stopping = self._stopping
            try:
                with self._writing:
                    self._write(lambda _, buffer: self._is_due(buffer))
                if self.trouble:
                    _log.warning("signals can be written again")
                self.trouble = ""
            except SQLAlchemyError as error:
                if not self.trouble:
                    _log.error("signals cannot be written, they wait: %s", type(error).__name__)
                self.trouble = f"signals cannot be written: {type(error).__name__}"
            except Exception:  # noqa: BLE001  # the next sitting's must still be kept
                _log.exception("signals could not be written")
            if stopping:
                return

    def _is_due(self, buffer: _Buffer) -> bool:
        old = bool(buffer.items) and self._clock() - buffer.since >= EVERY
        return old or buffer.ended or self._stopping or len(buffer.items) >= PIECE

    def _write(self, wanted: Callable[[str, _Buffer], bool]) -> None:
        """Write, in one transaction, what waits in the buffers that are wanted."""
        with self._condition:
            due = [(name, b) for name, b in self._buffers.items() if wanted(name, b)]
            pieces = [_Piece(name, buffer, list(buffer.items), buffer.lost) for name, buffer in due]
        for piece in pieces:
            piece.pack()
        try:
            self._insert(pieces)
        except IntegrityError:  # one sitting's fault must not keep the others waiting
            pieces = [piece for piece in pieces if self._insert_alone(piece)]
        with self._condition:
            for piece in pieces:
                self._written(piece)

    def _insert(self, pieces: list[_Piece]) -> None:
        rows = [piece.row for piece in pieces if piece.row is not None]
        lost = [piece for piece in pieces if piece.lost]
        if not rows and not lost:
            return
        with writing(self._engine) as connection:
            if rows:
                connection.execute(insert(SignalSegmentRow), rows)
                for piece in pieces:
                    if piece.curves is not None and piece.curves.first < piece.curves.number:
                        connection.execute(piece.curves.parts(piece.sitting_id))
                curves = [p.curves.row(p.sitting_id) for p in pieces if p.curves is not None]
                connection.execute(insert(SignalCurveRow), curves)
            for piece in lost:
                more = SittingRow.signals_lost + piece.lost
                changed = update(SittingRow).filter_by(id=piece.sitting_id)
                connection.execute(changed.values(signals_lost=more))

    def _insert_alone(self, piece: _Piece) -> bool:
        """Returns whether it is settled: written, now or before, or given up."""
        try:
            self._insert([piece])
        except IntegrityError:
            with reading(self._engine) as connection:
                number = piece.buffer.number
                there = select(SignalSegmentRow.number).filter_by(
                    sitting_id=piece.sitting_id, number=number
                )
                if connection.execute(there).first() is not None:
                    return True  # committed before, unheard
            if self._clock() - piece.buffer.since < GIVE_UP:
                return False  # its sitting is not written yet
            self.lost += len(piece.items)
            _log.error("%d observations were lost: their sitting is not kept", len(piece.items))
        return True

    def _written(self, piece: _Piece) -> None:
        buffer = piece.buffer
        del buffer.items[: len(piece.items)]
        self._waiting -= len(piece.items)
        buffer.number += bool(piece.items)
        buffer.unjoined = piece.unjoined
        buffer.lost -= piece.found_lost
        buffer.since = self._clock()
        if buffer.ended and not buffer.items:
            self._buffers.pop(piece.sitting_id, None)


def discard(_: JudgementInput) -> None:
    """Record nothing: in place of what ``SignalKeeper.begin`` returns."""


@dataclass(frozen=True, slots=True)
class _Curves:
    """The curves of pieces that follow each other."""

    first: int
    """Numbers of the pieces."""
    number: int
    start: float
    end: float
    data: bytes

    def row(self, sitting_id: str) -> dict[str, Any]:
        return {
            "sitting_id": sitting_id,
            "last_segment": self.number,
            "start_media_time": self.start,
            "end_media_time": self.end,
            "data": self.data,
        }

    def parts(self, sitting_id: str) -> Delete:
        """Takes away the rows that these curves stand for."""
        own = delete(SignalCurveRow).filter_by(sitting_id=sitting_id)
        return own.where(
            SignalCurveRow.last_segment >= self.first, SignalCurveRow.last_segment < self.number
        )


def _joined(parts: list[_Curves]) -> _Curves:
    return _Curves(
        parts[0].first,
        parts[-1].number,
        min(part.start for part in parts),
        max(part.end for part in parts),
        join([part.data for part in parts]),
    )


@dataclass(slots=True)
class _Piece:
    """What waits of one sitting."""

    sitting_id: str
    buffer: _Buffer
    items: list[JudgementInput]
    found_lost: int
    lost: int = 0
    row: dict[str, Any] | None = None
    curves: _Curves | None = None
    unjoined: list[_Curves] = field(default_factory=list)
    """The buffer's, once this is written."""

    def pack(self) -> None:
        """Make the row; an observation that cannot be packed costs itself alone."""
        good = self.items
        self.lost = self.found_lost
        self.unjoined = self.buffer.unjoined
        try:
            data = pack(good) if good else b""
        except TypeError as error:
            good = [item for item in self.items if _packs(item)]
            self.lost += len(self.items) - len(good)
            _log.error("observations cannot be kept: %s", error)
            data = pack(good) if good else b""
        if good:
            times = [item.time for item in good]
            number, start, end = self.buffer.number, min(times), max(times)
            self.row = {
                "sitting_id": self.sitting_id,
                "number": number,
                "start_media_time": start,
                "end_media_time": end,
                "input_count": len(good),
                "data": data,
            }
            self.curves = _Curves(number, number, start, end, summarise(good))
            self.unjoined = [*self.unjoined, self.curves]
            if len(self.unjoined) >= JOINED:
                self.curves, self.unjoined = _joined(self.unjoined), []


def _packs(item: JudgementInput) -> bool:
    try:
        pack([item])
    except TypeError:
        return False
    return True
