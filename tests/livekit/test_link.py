from __future__ import annotations

from proctoring.livekit.link import delay_after


def test_attempts_come_soon_at_first_and_then_rarer_up_to_a_limit() -> None:
    delays = [min(delay_after(failures) for _ in range(100)) for failures in range(1, 6)]
    assert delays[0] < 0.26
    assert delays == sorted(delays)
    assert all(delay_after(failures) <= 12.5 for failures in range(1, 10_000, 500))


def test_clients_that_lost_the_same_server_do_not_come_back_together() -> None:
    assert len({delay_after(5) for _ in range(20)}) == 20
