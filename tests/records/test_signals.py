"""Observations are kept in order; what cannot be kept is counted and costs nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from tests.judgement.build import seen, times
from tests.records.conftest import beginning, tell

from proctoring.observations import ConnectionObservation, TranscriptObservation
from proctoring.records import signal_segments, signals
from proctoring.records.archive import Archive
from proctoring.records.database import reading, writing
from proctoring.records.ownership import claim
from proctoring.records.signals import SEGMENT_INPUTS, SEGMENT_SECONDS, SITTING_WAIT, SignalRecorder
from proctoring.records.tables import SignalCurveRow


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def keeper(archive: Archive, clock: Clock, **options: int) -> SignalRecorder:
    archive.writer().write([beginning("S1", "a"), beginning("S2", "b")], tell)
    return SignalRecorder(archive.engine, archive.server_id, clock=clock, **options)


def write_due(kept: SignalRecorder) -> None:
    """What the thread does once a second."""
    kept._write(lambda _, buffer: kept._is_due(buffer))


def count(archive: Archive, sitting_id: str) -> int:
    return len(list(archive.reader.inputs(sitting_id)))


def test_they_are_written_when_they_are_old_or_many_or_the_sitting_ends(
    archive: Archive, clock: Clock
) -> None:
    kept = keeper(archive, clock)
    first, second = kept.begin("S1", transcripts=False), kept.begin("S2", transcripts=False)
    first(seen(0.0))
    for time in times(0, (SEGMENT_INPUTS - 1) / 10):
        second(seen(time))
    write_due(kept)
    assert (count(archive, "S1"), count(archive, "S2")) == (0, SEGMENT_INPUTS)
    clock.now = SEGMENT_SECONDS
    write_due(kept)
    assert count(archive, "S1") == 1
    first(seen(1.0))
    kept.end("S1")
    write_due(kept)
    assert [found.time for found in archive.reader.inputs("S1")] == [0.0, 1.0]


def test_the_end_of_an_earlier_ownership_ends_no_later_one(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock)
    kept.begin("S1", transcripts=False)
    write_due(kept)
    with writing(archive.engine) as connection:
        claim(connection, "S1", archive.server_id, expected=1)
    later = kept.begin("S1", transcripts=False, epoch=2)
    kept.end("S1")
    write_due(kept)
    later(seen(2.0))
    kept.flush()
    assert [found.time for found in archive.reader.inputs("S1")] == [2.0]


@pytest.mark.parametrize("words", [False, True])
def test_words_are_kept_only_where_they_may_be(archive: Archive, clock: Clock, words: bool) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S1", transcripts=words)
    said = TranscriptObservation(2.0, 1.0, "hm", (), True, "moonshine", True)
    keep(seen(1.0))
    keep(said)
    kept.flush()
    found = list(archive.reader.inputs("S1"))
    assert found[1:] == ([said] if words else [])
    assert archive.reader.sitting("S1").sitting.signals_lost == 0


def test_more_than_may_wait_are_lost_and_counted(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock, max_waiting=3)
    keep = kept.begin("S1", transcripts=False)
    for time in times(0, 1):
        keep(seen(time))
    assert kept.lost == 8
    kept.flush()
    keep(seen(9.0))
    kept.flush()
    assert [found.time for found in archive.reader.inputs("S1")] == [0.0, 0.1, 0.2, 9.0]
    assert archive.reader.sitting("S1").sitting.signals_lost == 8


def test_what_cannot_be_packed_costs_itself_alone(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S1", transcripts=False)
    keep(seen(0.0))
    keep(ConnectionObservation(np.float32(0.1), connected=True))  # type: ignore[arg-type]
    keep(seen(0.2))
    kept.flush()
    assert [found.time for found in archive.reader.inputs("S1")] == [0.0, 0.2]
    assert archive.reader.sitting("S1").sitting.signals_lost == 1


def test_what_could_not_be_written_waits_and_is_written_once(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S1", transcripts=False)
    keep(seen(0.0))

    def gone(_: object) -> None:
        raise OperationalError("begin", {}, Exception("the connection is gone"))

    with monkeypatch.context() as broken:
        broken.setattr(signals, "writing", gone)
        with pytest.raises(OperationalError):
            kept.flush()
    keep(seen(1.0))
    kept.flush()
    kept.flush()
    assert [found.time for found in archive.reader.inputs("S1")] == [0.0, 1.0]


def flush_unheard(kept: SignalRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush that is committed, and whose answer is lost."""

    def unheard(_: object) -> None:
        raise OperationalError("commit", {}, Exception("the connection is gone"))

    with monkeypatch.context() as broken:
        broken.setattr(kept, "_settle", unheard)
        with pytest.raises(OperationalError):
            kept.flush()


def test_what_was_committed_unheard_is_not_written_twice(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeper(archive, clock)
    kept.begin("S1", transcripts=False)(seen(0.0))

    flush_unheard(kept, monkeypatch)
    kept.flush()
    assert count(archive, "S1") == 1


def test_what_came_after_a_commit_unheard_is_not_lost(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S1", transcripts=False)
    keep(seen(0.0))

    flush_unheard(kept, monkeypatch)
    for time in (1.0, 2.0, 3.0):
        keep(seen(time))
    kept.flush()
    assert [found.time for found in archive.reader.inputs("S1")] == [0.0, 1.0, 2.0, 3.0]
    assert archive.reader.sitting("S1").sitting.signals_lost == 0


def test_what_was_discarded_is_counted_once_its_sitting_is_recorded(
    archive: Archive, clock: Clock
) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S9", transcripts=False)
    keep(seen(0.0))
    keep(seen(0.1))
    clock.now = SITTING_WAIT
    kept.flush()
    kept.end("S9")
    kept.flush()
    assert kept.lost == 2
    archive.writer().write([beginning("S9", "c")], tell)
    write_due(kept)
    assert archive.reader.sitting("S9").sitting.signals_lost == 2
    write_due(kept)
    assert archive.reader.sitting("S9").sitting.signals_lost == 2
    assert kept._buffers == {}


def test_a_sitting_that_is_never_recorded_is_forgotten(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock)
    kept.begin("S9", transcripts=False)(seen(0.0))
    kept.end("S9")
    for _ in range(3):
        clock.now += SITTING_WAIT
        write_due(kept)
    assert kept._buffers == {}


def test_a_sitting_that_is_not_kept_keeps_no_other_waiting(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock)
    kept.begin("S9", transcripts=False)(seen(0.0))
    kept.begin("S1", transcripts=False)(seen(0.0))
    kept.flush()
    assert (count(archive, "S1"), kept.lost) == (1, 0)
    clock.now = SITTING_WAIT
    kept.flush()
    assert kept.lost == 1


def test_curves_show_a_short_look_within_a_whole_day(archive: Archive, clock: Clock) -> None:
    kept = keeper(archive, clock)
    keep = kept.begin("S1", transcripts=False)
    for time in times(0, 86_400, rate=0.2):
        keep(seen(time, yaw=31.0 if 40_000 <= time < 40_003 else 2.0))
    kept.flush()
    plot = archive.reader.plot("S1", None, None, 100)
    curve = plot.curves["gaze_yaw"]
    assert plot.step == pytest.approx(864)
    assert len(curve.mean) == 100
    assert max(high for high in curve.high if high is not None) == 31.0
    assert curve.low[50] == 2.0
    near = archive.reader.plot("S1", 39_990, 40_010, 20).curves["gaze_yaw"]
    assert near.mean[:11] == (2.0, None, None, None, None, 2.0, None, None, None, None, 31.0)


def test_curves_are_joined_as_they_grow_and_drawn_the_same(
    archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeper(archive, clock)
    drawn = []
    for name, joined in (("S1", 10_000), ("S2", 4)):
        monkeypatch.setattr(signal_segments, "CURVE_SEGMENTS", joined)
        keep = kept.begin(name, transcripts=False)
        for time in times(0, 10, rate=2):
            keep(seen(time, yaw=time))
            kept.flush()
        drawn.append(archive.reader.plot(name, None, None, 100))
    assert drawn[0] == drawn[1]
    assert drawn[0].curves["gaze_yaw"].mean[0] == 0.25
    with reading(archive.engine) as connection:
        rows = select(SignalCurveRow.last_segment).order_by(SignalCurveRow.last_segment)
        left = connection.execute(rows.filter_by(sitting_id="S2")).scalars().all()
    assert left == [3, 7, 11, 15, 19, 20]


def test_keeping_goes_on_beside_from_a_thread_of_its_own(archive: Archive) -> None:
    archive.writer().write([beginning()], tell)
    kept = SignalRecorder(archive.engine, archive.server_id)
    kept.start()
    keep: Callable[..., None] = kept.begin("S1", transcripts=False)
    for time in times(0, 5):
        keep(seen(time))
    assert kept.stop(20)
    assert count(archive, "S1") == 51
