"""Records inputs of judgement in the order in which they were applied, on a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.judgement.inputs import JudgementInput
from proctoring.observations import TranscriptObservation
from proctoring.records.database import reading, writing
from proctoring.records.ownership import lock_owners
from proctoring.records.signal_segments import Curves, Segment, make_segment
from proctoring.records.tables import SignalCurveRow, SignalSegmentRow, SittingRow

_log = logging.getLogger(__name__)

SEGMENT_SECONDS = 20.0
"""Seconds for which inputs are collected into one segment: what is lost when the process is killed.
Longer segments pack smaller and lose more."""

SEGMENT_INPUTS = 1000
"""Inputs after which a segment is written early."""

CHECK_EVERY = 1.0
"""Seconds between two checks for segments that are due."""

SITTING_WAIT = 120.0
"""Seconds for which inputs wait for their sitting to be written; then they are discarded."""

MAX_WAITING = 500_000
"""Inputs of all sittings that may wait, some 500 MB: hundreds of sessions for minutes without a
database. Beyond, new ones are lost, and counted."""


@dataclass(slots=True)
class _Buffer:
    """What waits of one sitting."""

    transcripts: bool
    epoch: int
    since: float = 0.0
    """When its oldest input came, or the last segment was written."""
    inputs: list[JudgementInput] = field(default_factory=list)
    next_segment: int = 0
    unjoined: tuple[Curves, ...] = ()
    """See ``Segment.unjoined``."""
    lost: int = 0
    """Inputs that were refused or discarded and are not yet counted in the sitting's row."""
    ended: bool = False
    ended_at: float = 0.0
    uncounted: int = 0
    """Inputs lost by the last write for which the sitting has no row yet."""
    fenced: bool = False
    """Another server owns the sitting now: what comes is dropped."""
    unconfirmed: _Write | None = None
    """The last write, while it is unknown whether it was committed: it is tried again as it was."""


@dataclass(frozen=True, slots=True)
class _Write:
    """A segment on its way into the database, and how much of the buffer it settles."""

    sitting_id: str
    buffer: _Buffer
    inputs: int
    refused: int
    segment: Segment

    @property
    def lost(self) -> int:
        return self.refused + self.segment.unpackable


class SignalRecorder:
    """Records all sittings' inputs. Safe from many threads at once.

    Args:
        engine: the database.
        server_id: this process: signals of sittings that another one owns are dropped.
        clock: seconds.
        max_waiting: inputs that may wait; beyond, they are lost, and counted.
    """

    def __init__(
        self,
        engine: Engine,
        server_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._engine = engine
        self._server_id = server_id
        self._clock = clock
        self._max_waiting = max_waiting
        self._buffers: dict[tuple[str, int], _Buffer] = {}
        """By sitting and epoch."""
        self._waiting = 0
        self._condition = Condition()
        self._writing = Lock()
        self._thread: Thread | None = None
        self._stopping = False
        self.lost = 0
        """Inputs that could not be recorded."""
        self.fenced = 0
        """Inputs that were dropped since another server owns their sitting."""
        self.trouble = ""
        """Why nothing can be written now; empty when all is well."""

    def start(self) -> None:
        """Write from a thread of its own from now on."""
        self._thread = Thread(target=self._write_always, name="signals", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Write what waits and end the thread. Returns whether that took at most ``timeout`` s."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def begin(
        self,
        sitting_id: str,
        *,
        transcripts: bool,
        epoch: int = 1,
        next_segment: int = 0,
        lost: int = 0,
    ) -> Callable[[JudgementInput], None]:
        """Return the function that records a sitting's inputs.

        Args:
            sitting_id: the sitting.
            transcripts: whether transcripts are recorded too.
            epoch: under which this process owns the sitting.
            next_segment: number of the first segment that it writes.
            lost: inputs that another process could not record any more, to be counted.
        """
        buffer = _Buffer(transcripts, epoch, next_segment=next_segment, lost=lost)
        with self._condition:
            self._buffers[sitting_id, epoch] = buffer

        def record(item: JudgementInput) -> None:
            if not transcripts and isinstance(item, TranscriptObservation):
                return
            with self._condition:
                if buffer.fenced:
                    self.fenced += 1
                    return
                if self._waiting >= self._max_waiting:
                    buffer.lost += 1
                    self.lost += 1
                    return
                if not buffer.inputs:
                    buffer.since = self._clock()
                buffer.inputs.append(item)
                self._waiting += 1

        return record

    def end(self, sitting_id: str, epoch: int = 1) -> None:
        """A sitting has ended, or goes on under another epoch: what waits of it is written soon."""
        with self._condition:
            buffer = self._buffers.get((sitting_id, epoch))
            if buffer is not None:
                buffer.ended, buffer.ended_at = True, self._clock()
                self._condition.notify_all()

    def flush(self, sitting_id: str | None = None) -> None:
        """Write what waits, of one sitting or all, now.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it could not be written; it waits on.
        """
        with self._writing:
            self._write_all(lambda name, _: sitting_id is None or name == sitting_id)

    def _write_always(self) -> None:
        while True:
            with self._condition:
                self._condition.wait(CHECK_EVERY)
                stopping = self._stopping
            try:
                with self._writing:
                    self._write_all(lambda _, buffer: self._is_due(buffer))
                if self.trouble:
                    _log.warning("signals can be written again")
                self.trouble = ""
            except SQLAlchemyError as error:
                if not self.trouble:
                    _log.error("signals cannot be written, they wait: %s", type(error).__name__)
                self.trouble = f"signals cannot be written: {type(error).__name__}"
            except Exception:  # noqa: BLE001  # later segments must still be written
                _log.exception("signals could not be written")
            if stopping:
                return

    def _is_due(self, buffer: _Buffer) -> bool:
        old = bool(buffer.inputs) and self._clock() - buffer.since >= SEGMENT_SECONDS
        return old or buffer.ended or self._stopping or len(buffer.inputs) >= SEGMENT_INPUTS

    def _write_all(self, wanted: Callable[[str, _Buffer], bool]) -> None:
        if self._write(wanted):
            self._write(wanted)  # what came since the write that was tried again

    def _write(self, wanted: Callable[[str, _Buffer], bool]) -> bool:
        """Write, in one transaction, a segment of each buffer that is wanted.

        Returns whether one of them was an unconfirmed one.
        """
        with self._condition:
            due = [
                (name, buffer, list(buffer.inputs), buffer.lost)
                for (name, _), buffer in self._buffers.items()
                if wanted(name, buffer)
            ]
        writes = [
            buffer.unconfirmed
            or _Write(
                name,
                buffer,
                len(inputs),
                refused,
                make_segment(name, buffer.next_segment, inputs, buffer.unjoined),
            )
            for name, buffer, inputs, refused in due
        ]
        again = any(write.buffer.unconfirmed is not None for write in writes)
        for write in writes:
            write.buffer.unconfirmed = write
        try:
            self._insert(writes)
        except IntegrityError:  # one sitting's fault must not keep the others waiting
            writes = [write for write in writes if self._insert_alone(write)]
        with self._condition:
            for write in writes:
                self._settle(write)
            self._drop_fenced()
        return again

    def _insert(self, writes: list[_Write]) -> None:
        writes = [write for write in writes if write.segment.row is not None or write.lost]
        if not writes:
            return
        with writing(self._engine) as connection:
            owners = lock_owners(connection, {write.sitting_id for write in writes})
            for write in writes:
                own = (self._server_id, write.buffer.epoch)
                write.buffer.fenced = owners.get(write.sitting_id, own) != own
            writes = [write for write in writes if not write.buffer.fenced]
            rows = [write.segment.row for write in writes if write.segment.row is not None]
            lossy = sorted(
                (write for write in writes if write.lost), key=lambda write: write.sitting_id
            )
            if rows:
                connection.execute(insert(SignalSegmentRow), rows)
                curves = [
                    (write.sitting_id, write.segment.curves)
                    for write in writes
                    if write.segment.curves is not None
                ]
                for sitting_id, each in curves:
                    if each.first_segment < each.last_segment:
                        connection.execute(each.delete_parts(sitting_id))
                connection.execute(
                    insert(SignalCurveRow), [each.row(sitting_id) for sitting_id, each in curves]
                )
            for write in lossy:
                more = SittingRow.signals_lost + write.lost
                changed = update(SittingRow).filter_by(id=write.sitting_id)
                counted = connection.execute(changed.values(signals_lost=more))
                write.buffer.uncounted = write.lost if not counted.rowcount else 0

    def _insert_alone(self, write: _Write) -> bool:
        """Returns whether it is settled: written, now or before, or discarded.

        What is discarded is counted in the sitting's row as soon as there is one.
        """
        try:
            self._insert([write])
        except IntegrityError:
            with reading(self._engine) as connection:
                stored = select(SignalSegmentRow.number).filter_by(
                    sitting_id=write.sitting_id, number=write.buffer.next_segment
                )
                if connection.execute(stored).first() is not None:
                    return True  # an earlier commit succeeded without an answer
            if self._clock() - write.buffer.since < SITTING_WAIT:
                write.buffer.unconfirmed = None  # nothing of it is stored: it may grow
                return False  # its sitting is not written yet
            self.lost += write.inputs
            write.buffer.uncounted = write.refused + write.inputs
            _log.error("%d observations were lost: their sitting is not recorded", write.inputs)
        return True

    def _settle(self, write: _Write) -> None:
        buffer = write.buffer
        if buffer.fenced:
            self.fenced += write.inputs
        del buffer.inputs[: write.inputs]
        self._waiting -= write.inputs
        buffer.next_segment += bool(write.inputs)
        buffer.unjoined = write.segment.unjoined
        buffer.lost += buffer.uncounted - write.refused
        buffer.uncounted = 0
        buffer.unconfirmed = None
        buffer.since = self._clock()
        given_up = self._clock() - buffer.ended_at >= SITTING_WAIT
        if buffer.ended and not buffer.inputs and (not buffer.lost or given_up):
            self._buffers.pop((write.sitting_id, buffer.epoch), None)

    def _drop_fenced(self) -> None:
        """Let go of sittings that another server owns."""
        for key, buffer in list(self._buffers.items()):
            if buffer.fenced:
                self.fenced += len(buffer.inputs)
                self._waiting -= len(buffer.inputs)
                buffer.inputs.clear()
                del self._buffers[key]


def discard(_: JudgementInput) -> None:
    """Record nothing: in place of what ``SignalRecorder.begin`` returns."""
