"""How soon a socket comes back that its server closed with 1012, on a clock of the test's own."""

from __future__ import annotations

from proctoring.livekit.moves import Moves


def pauses(moves: Moves, now: float) -> list[float | None]:
    return [moves.pause(now) for _ in range(100)]


def test_without_a_move_nothing_is_hurried() -> None:
    assert set(pauses(Moves(), 10.0)) == {None}


def test_after_a_move_attempts_follow_within_200_ms_each_at_its_own_moment() -> None:
    moves = Moves()
    moves.closed(10.0)
    drawn = [pause for pause in pauses(moves, 10.0) if pause is not None]
    assert len(set(drawn)) == 100
    assert min(drawn) >= 0
    assert max(drawn) < 0.2
    assert min(drawn) < 0.02


def test_attempts_that_fail_are_hurried_no_longer_than_a_moment() -> None:
    moves = Moves()
    moves.closed(10.0)
    assert moves.pause(11.4) is not None
    assert moves.pause(11.6) is None


def test_a_connection_that_is_open_and_lost_is_no_move() -> None:
    moves = Moves()
    moves.closed(10.0)
    moves.opened()
    assert moves.pause(10.1) is None


def test_only_three_moves_in_half_a_minute_are_hurried() -> None:
    moves = Moves()
    for second in (0.0, 5.0, 10.0):
        moves.closed(second)
        assert moves.pause(second) is not None
        moves.opened()
    moves.closed(15.0)
    assert moves.pause(15.0) is None
    moves.closed(30.5)
    assert moves.pause(30.5) is not None
