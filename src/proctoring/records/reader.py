"""Reads records: lists of sittings, one sitting, its events, its inputs of judgement."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, func, select

from proctoring.errors import UnknownRecordError
from proctoring.judgement.inputs import JudgementInput
from proctoring.records.database import reading
from proctoring.records.event_log import (
    StoredEvent,
    StoredReplay,
    events_of_session,
    events_of_sitting,
)
from proctoring.records.packing import unpack
from proctoring.records.plot import Plot, draw
from proctoring.records.sitting_detail import (
    IncidentRecord,
    SittingDetail,
    incidents_after,
    sitting_detail,
)
from proctoring.records.sitting_list import (
    SittingFilter,
    SittingPage,
    sitting_page,
    sitting_summaries,
)
from proctoring.records.tables import SignalCurveRow, SignalSegmentRow, SittingRow

INCIDENTS = 200
"""Incidents in a page, unless another number is asked for."""

_SEGMENTS = 50
"""Segments of signals read in one query: 1000 s of a sitting, some megabytes."""


class RecordReader:
    """Safe from many threads at once; each call may wait for the database.

    Args:
        engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sittings(self, wanted: SittingFilter) -> SittingPage:
        """The sittings that pass a filter, newest first."""
        with reading(self._engine) as connection:
            return sitting_page(connection, wanted)

    def session_of(self, sitting_id: str) -> str | None:
        """The session id of a sitting; ``None`` when there is no such sitting."""
        query = select(SittingRow.session_id).filter_by(id=sitting_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one_or_none()

    def sitting(self, sitting_id: str, after: int = 0, limit: int = INCIDENTS) -> SittingDetail:
        """One sitting, with the first ``limit`` incidents after a number.

        Raises:
            UnknownRecordError: there is none.
        """
        with reading(self._engine) as connection:
            found = sitting_summaries(connection, [sitting_id])
            if not found:
                raise _unknown(sitting_id)
            return sitting_detail(connection, found[0], after, limit)

    def incidents(self, sitting_id: str) -> Iterator[IncidentRecord]:
        """All incidents of a sitting, in order, read in pages; none of an unknown sitting."""
        after: int | None = 0
        while after is not None:
            with reading(self._engine) as connection:
                page = incidents_after(connection, sitting_id, after, INCIDENTS)
            yield from page
            after = page[-1].number if len(page) == INCIDENTS else None

    def events(self, sitting_id: str, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """The first ``limit`` events of a sitting after a number, in order.

        Raises:
            UnknownRecordError: there is no such sitting.
        """
        with reading(self._engine) as connection:
            _check_known(connection, sitting_id)
            return events_of_sitting(connection, sitting_id, after, limit)

    def replay(self, session_id: str, after: int, limit: int) -> StoredReplay:
        """The newest ``limit`` events of a session after a number, of its newest sitting and of
        interrupted ones that this one continues."""
        with reading(self._engine) as connection:
            return events_of_session(connection, session_id, after, limit)

    def inputs(self, sitting_id: str) -> Iterator[JudgementInput]:
        """All inputs of judgement in a sitting, in the order in which they were applied.

        Raises:
            ValueError: a newer version of this program packed them.
        """
        number = -1
        while True:
            query = (
                select(SignalSegmentRow.number, SignalSegmentRow.data)
                .filter_by(sitting_id=sitting_id)
                .where(SignalSegmentRow.number > number)
                .order_by(SignalSegmentRow.number)
                .limit(_SEGMENTS)
            )
            with reading(self._engine) as connection:
                segments = connection.execute(query).all()
            for segment in segments:
                number = segment.number
                yield from unpack(segment.data)
            if len(segments) < _SEGMENTS:
                return

    def seed(self, sitting_id: str) -> str:
        """What a sitting's challenges were drawn from: to judge again, never to be shown."""
        with reading(self._engine) as connection:
            return connection.execute(
                select(SittingRow.challenge_seed).filter_by(id=sitting_id)
            ).scalar_one()

    def plot(self, sitting_id: str, start: float | None, end: float | None, points: int) -> Plot:
        """A sitting's signals as curves.

        Args:
            sitting_id: the sitting.
            start: media time in seconds; ``None``: from the first signal on.
            end: media time in seconds; ``None``: to the last signal.
            points: of each curve, at most.

        Raises:
            UnknownRecordError: there is no such sitting.
        """
        own = SignalCurveRow.sitting_id == sitting_id
        with reading(self._engine) as connection:
            _check_known(connection, sitting_id)
            first, last = connection.execute(
                select(
                    func.min(SignalCurveRow.start_media_time),
                    func.max(SignalCurveRow.end_media_time),
                ).where(own)
            ).one()
            start = (first or 0.0) if start is None else start
            end = (last or 0.0) if end is None else end
            query = select(SignalCurveRow.data).where(own)
            query = query.where(
                SignalCurveRow.start_media_time <= end, SignalCurveRow.end_media_time >= start
            )
            summaries = (
                connection.execute(query.order_by(SignalCurveRow.last_segment)).scalars().all()
            )
        return draw(summaries, start, max(start, end), points)


def _check_known(connection: Connection, sitting_id: str) -> None:
    if not connection.execute(select(SittingRow.id).filter_by(id=sitting_id)).first():
        raise _unknown(sitting_id)


def _unknown(sitting_id: str) -> UnknownRecordError:
    return UnknownRecordError(f"no sitting {sitting_id[:40]} is kept")
