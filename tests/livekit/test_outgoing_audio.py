from __future__ import annotations

import pytest

from proctoring.livekit.outgoing_audio import SAMPLE_RATE, OutgoingAudioBuffer

SECOND = 1_000_000
CHUNK = bytes(SAMPLE_RATE // 10 * 2)
"""A tenth of a second."""


def filled(seconds: float, *, limit: float = 30.0, speed: float = 1.0) -> OutgoingAudioBuffer:
    buffer = OutgoingAudioBuffer(limit)
    for number in range(1, round(seconds * 10) + 1):
        buffer.push(CHUNK, round(number * SECOND / 10 * speed))
    return buffer


def test_time_is_counted_in_samples_whatever_the_jitter_of_arrival() -> None:
    buffer = OutgoingAudioBuffer()
    for arrived in (100_000, 230_000, 260_000, 400_000):
        buffer.push(CHUNK, arrived)
    assert [buffer.pop().capture_us for _ in range(4)] == [0, 100_000, 200_000, 300_000]


def test_the_last_thirty_seconds_wait_and_the_loss_is_counted() -> None:
    buffer = filled(40)
    oldest = buffer.peek()
    assert oldest is not None
    assert oldest.capture_us == pytest.approx(10 * SECOND, abs=SECOND / 10)
    assert buffer.waiting_seconds == pytest.approx(30, abs=0.11)
    assert buffer.lost_seconds == pytest.approx(10, abs=0.11)


def test_what_was_taken_no_longer_waits() -> None:
    buffer = filled(1)
    for _ in range(10):
        buffer.pop()
    assert buffer.waiting_seconds == 0
    assert buffer.peek() is None
    assert buffer.lost_seconds == 0


def test_after_a_break_a_new_run_begins_at_its_own_time() -> None:
    buffer = filled(0.2)
    buffer.end_segment()
    buffer.push(CHUNK, 5 * SECOND)
    chunks = [buffer.pop() for _ in range(3)]
    assert [chunk.segment for chunk in chunks] == [1, 1, 2]
    assert chunks[2].capture_us == 5 * SECOND - 100_000


def test_a_late_burst_is_no_gap() -> None:
    buffer = filled(20)
    for number in range(201, 231):
        buffer.push(CHUNK, 23 * SECOND + number)
    for number in range(231, 400):
        buffer.push(CHUNK, number * SECOND // 10)
    assert {buffer.pop().segment for _ in range(200)} == {1}


@pytest.mark.parametrize("speed", [1.01, 0.99])
def test_a_sample_clock_that_drifts_begins_a_new_run_before_it_is_a_second_off(
    speed: float,
) -> None:
    buffer = filled(150, limit=1000, speed=speed)
    chunks = [buffer.pop() for _ in range(1500)]
    worst = max(
        abs(chunk.capture_us - (number * SECOND / 10 * speed))
        for number, chunk in enumerate(chunks)
    )
    assert worst < SECOND
    assert 2 <= chunks[-1].segment <= 4


def test_what_may_not_have_arrived_waits_again_with_its_own_time() -> None:
    buffer = filled(10)
    for _ in range(60):
        buffer.pop()
    assert buffer.requeue_sent() == pytest.approx(5.0)
    again = buffer.peek()
    assert again is not None
    assert again.capture_us == SECOND
    assert buffer.waiting_seconds == pytest.approx(9.0)
    assert [buffer.pop().capture_us for _ in range(90)] == [
        SECOND + number * SECOND // 10 for number in range(90)
    ]


def test_what_is_sent_again_keeps_its_run() -> None:
    buffer = filled(1)
    buffer.end_segment()
    buffer.push(CHUNK, 9 * SECOND)
    for _ in range(11):
        buffer.pop()
    assert buffer.requeue_sent() == pytest.approx(1.1)
    again = [buffer.pop() for _ in range(11)]
    assert [chunk.segment for chunk in again] == [1] * 10 + [2]
    assert again[-1].capture_us == 9 * SECOND - SECOND // 10
