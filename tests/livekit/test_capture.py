from __future__ import annotations

from proctoring.livekit.capture import CaptureClock


def test_frames_stamped_in_monotonic_time_are_brought_to_the_wall_clock() -> None:
    clock = CaptureClock(wall=lambda: 1_700_000_000.0, monotonic=lambda: 500.0)
    assert clock.frame_time(499_950_000) == 1_699_999_999_950_000


def test_a_stamp_of_an_unknown_clock_gives_way_to_the_arrival() -> None:
    clock = CaptureClock(wall=lambda: 1_700_000_000.0, monotonic=lambda: 500.0)
    assert clock.frame_time(0) == 1_700_000_000_000_000
    assert clock.frame_time(1_700_000_000_000_000) == 1_700_000_000_000_000


def test_setting_the_machines_clock_does_not_bend_it() -> None:
    wall, monotonic = [1_700_000_000.0], [500.0]
    clock = CaptureClock(wall=lambda: wall[0], monotonic=lambda: monotonic[0])
    wall[0] -= 3600
    monotonic[0] += 1
    assert clock.now() == 1_700_000_001_000_000
