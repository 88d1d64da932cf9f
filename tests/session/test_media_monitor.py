"""When a session reports what arrives."""

from __future__ import annotations

from proctoring.observations import ConnectionObservation, UnanalysedFrames
from proctoring.session.counters import FrameCounts
from proctoring.session.media_monitor import MediaMonitor


def report_if_due(
    monitor: MediaMonitor, now: float, counts: FrameCounts | None = None
) -> ConnectionObservation | None:
    counts = counts or FrameCounts()
    monitor.frames_counted(counts)
    return monitor.report(now, now, counts) if monitor.is_due(now) else None


def analysed(monitor: MediaMonitor, now: float) -> None:
    monitor.frame_arrived(now)
    monitor.frame_analysed()


def test_before_the_first_media_nothing_is_reported() -> None:
    monitor = MediaMonitor()
    assert not monitor.media_seen
    assert all(report_if_due(monitor, float(now)) is None for now in range(100))


def test_media_that_arrives_whole_is_reported_once() -> None:
    monitor = MediaMonitor()
    reports = []
    for n in range(600):
        analysed(monitor, n / 10)
        monitor.sound_arrived(n / 10)
        reports.append(report_if_due(monitor, n / 10))
    assert [report for report in reports if report] == [
        ConnectionObservation(0.0, connected=True, pictures=True, sound=True)
    ]


def test_what_is_missing_is_reported_every_second_until_it_is_back() -> None:
    monitor = MediaMonitor()
    reports = []
    for n in range(80):
        now = n / 10
        analysed(monitor, now)
        if now < 2 or now > 6:
            monitor.sound_arrived(now)
        reports += [report] if (report := report_if_due(monitor, now)) else []
    assert [(report.time, report.sound) for report in reports] == [
        (0.0, True), (3.4, False), (4.4, False), (5.4, False), (6.1, True),
    ]  # fmt: skip


def test_a_session_without_a_microphone_says_so() -> None:
    monitor = MediaMonitor()
    for n in range(31):
        analysed(monitor, n / 10)
        report = report_if_due(monitor, n / 10)
        assert (report is not None) == (n % 10 == 0)
        assert report is None or (report.pictures, report.sound) == (True, None)


def test_frames_that_are_not_analysed_are_counted_since_the_last_that_was() -> None:
    monitor, counts = MediaMonitor(), FrameCounts()
    report: ConnectionObservation | None = None
    for n in range(50):
        monitor.frame_arrived(n / 10)
        counts.received += 1
        if n < 10:
            counts.analysed += 1
        elif n < 20:
            counts.refused += 1
        elif n < 30:
            counts.failed += 1
        elif n < 49:
            counts.replaced += 1
        report = report_if_due(monitor, n / 10, counts) or report
    assert report is not None
    assert report.unanalysed is not None
    assert report.unanalysed.seconds == report.time - 1.0
    monitor.message_refused(5.0)
    last = monitor.report(5.5, 5.5, counts).unanalysed
    assert last == UnanalysedFrames(4.5, refused=11, failed=10, replaced=19, skipped=0, waiting=1)
    counts.analysed += 1
    recovered = report_if_due(monitor, 5.6, counts)
    assert recovered is not None
    assert recovered.unanalysed is None


def test_a_slow_client_whose_frames_are_analysed_is_not_unanalysed() -> None:
    monitor, counts = MediaMonitor(), FrameCounts()
    for n in range(40):  # a frame every five seconds, ticks in between
        now = n * 1.25
        if n % 4 == 0:
            monitor.frame_arrived(now)
            counts.received += 1
            report_if_due(monitor, now, counts)
            counts.analysed += 1
        report = report_if_due(monitor, now + 0.25, counts)
        assert report is None or report.unanalysed is None
