"""How much one socket may send."""

from __future__ import annotations

from proctoring.server.rate_limit import RateDecision, SocketLimit, TokenBucket


def test_a_bucket_allows_its_rate_in_the_mean_and_a_burst_at_once() -> None:
    bucket = TokenBucket(rate=10, burst=20, now=0.0)
    assert [bucket.consume(1, 0.0) for _ in range(20)] == [0.0] * 20
    assert bucket.consume(1, 0.0) == 0.1
    assert bucket.consume(1, 1.0) == 0.0


def test_frames_beyond_the_rate_are_dropped_and_an_honest_client_never_is() -> None:
    flood = SocketLimit(frames=60, data=20e6, now=0.0)
    decisions = [flood.decide(50_000, i / 200)[0] for i in range(2000)]
    assert decisions.count(RateDecision.ACCEPT) == 120 + 60 * 10 - 1
    honest = SocketLimit(frames=60, data=20e6, now=0.0)
    assert {honest.decide(80_000, i / 30) for i in range(3000)} == {(RateDecision.ACCEPT, 0.0)}


def test_reading_pauses_where_dropping_would_not_be_enough() -> None:
    many = SocketLimit(frames=60, data=20e6, now=0.0)
    assert max(many.decide(10, 0.0)[1] for _ in range(300)) > 0
    large = SocketLimit(frames=60, data=20e6, now=0.0)
    assert max(large.decide(6 << 20, 0.0)[1] for _ in range(10)) > 0
