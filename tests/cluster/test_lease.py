"""When a server may believe that it, or another, is dead."""

from __future__ import annotations

from proctoring.cluster.lease import TTL, Lease


def test_a_lease_that_was_never_renewed_is_not_held() -> None:
    lease = Lease()
    assert not lease.is_held(0.0)
    assert not lease.may_take_over(1e9)


def test_a_lease_is_held_for_its_time_from_when_it_was_asked_for() -> None:
    lease = Lease()
    lease.renewed(10.0)
    assert lease.is_held(10.0 + TTL - 0.1)
    assert not lease.is_held(10.0 + TTL)


def test_a_server_takes_over_only_after_twice_the_time_without_a_break() -> None:
    lease = Lease()
    for second in range(7):
        assert not lease.may_take_over(second - 0.1)
        lease.renewed(float(second))
    assert lease.may_take_over(6.0)
    assert not lease.may_take_over(6.0 + TTL), "its own lease is gone"


def test_a_break_begins_the_time_anew() -> None:
    lease = Lease()
    for second in range(10):
        lease.renewed(float(second))
    lease.renewed(9.0 + TTL + 0.5)
    assert lease.is_held(13.0)
    assert not lease.may_take_over(13.0)
    for second in range(13, 20):
        lease.renewed(float(second))
    assert lease.may_take_over(19.0)


def test_two_renewals_may_fail() -> None:
    lease = Lease()
    for second in (0, 3, 6):
        lease.renewed(float(second))
    assert lease.unbroken(6.5) == 6.5
