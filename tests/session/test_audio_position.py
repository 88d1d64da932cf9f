"""Where samples belong: counted, unless the client says or shows that some are missing."""

from __future__ import annotations

import pytest

from proctoring.errors import WrongRateError
from proctoring.session.audio_position import AudioPosition, Placement

SECOND = 16_000


def place_seconds(
    position: AudioPosition, seconds: int, *, now: float, speed: float = 1.0
) -> list[Placement]:
    """A second of sound at a time, arriving ``speed`` times as fast as it was spoken."""
    return [position.place(SECOND, now + (n + 1) / speed) for n in range(seconds)]


def test_the_first_sample_belongs_where_it_was_announced() -> None:
    position = AudioPosition()
    position.announce(3.5)
    assert position.place(SECOND, 9.0) == Placement(0, 0)
    assert position.end == 4.5


def test_sound_from_before_the_first_frame_is_skipped() -> None:
    """A client sends again what it sent last; a session that was begun anew has not heard of that time."""
    position = AudioPosition()
    position.announce(-1.5)
    assert position.place(SECOND, 0.1) == Placement(0, SECOND)
    assert position.place(SECOND, 0.1) == Placement(0, SECOND // 2)
    assert position.end == pytest.approx(0.5)


def test_without_an_announcement_the_first_message_belongs_to_its_arrival() -> None:
    position = AudioPosition()
    position.place(SECOND, 2.0)
    assert position.end == 3.0


def test_samples_are_counted_whatever_the_jitter_of_their_arrival() -> None:
    position = AudioPosition()
    for n, late in enumerate([0, 0.5, 0.1, 1.9, 0.0, 1.2]):
        assert position.place(SECOND, n + 1 + late) == Placement(0, 0)
    assert position.end == pytest.approx(7)


def test_a_later_start_after_a_reconnection_is_a_gap() -> None:
    position = AudioPosition()
    place_seconds(position, 4, now=0)
    before = position.end
    assert before is not None
    position.announce(before + 2.5)
    assert position.place(SECOND, 12).gap == pytest.approx(2.5)
    assert position.place(SECOND, 13) == Placement(0, 0)


def test_what_was_sent_before_is_not_heard_twice() -> None:
    position = AudioPosition()
    place_seconds(position, 4, now=0)
    before = position.end
    assert before is not None
    position.announce(before - 1.5)
    assert position.place(SECOND, 5) == Placement(0, SECOND)
    assert position.place(SECOND, 5.1) == Placement(0, SECOND // 2)
    assert position.end == pytest.approx(before + 0.5)


def test_a_muted_clients_silence_is_missing_sound() -> None:
    position = AudioPosition()
    place_seconds(position, 3, now=0)
    gaps = [p.gap for p in place_seconds(position, 8, now=60)]
    assert [gap for gap in gaps if gap] == [pytest.approx(56)]


def test_a_stalled_network_that_catches_up_leaves_no_gap() -> None:
    position = AudioPosition()
    place_seconds(position, 3, now=0)
    burst = [position.place(SECOND, 20 + n / 100) for n in range(17)]
    assert all(p == Placement(0, 0) for p in burst)


@pytest.mark.parametrize("speed", [2.0, 2.76, 3.0, 40.0])
def test_sound_at_another_rate_is_refused(speed: float) -> None:
    position = AudioPosition()
    with pytest.raises(WrongRateError, match="16 kHz"):
        place_seconds(position, round(speed * 20), now=0, speed=speed)


def test_half_a_minute_kept_while_disconnected_is_no_other_rate() -> None:
    position = AudioPosition()
    position.announce(0.0)
    for n in range(30):
        position.place(SECOND, 30 + n / 100)
    place_seconds(position, 60, now=30.3)
