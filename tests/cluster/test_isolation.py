"""A server lets go of its sessions only if others reach the database while it does not."""

from __future__ import annotations

from proctoring.cluster.isolation import CONFIRMED_AFTER, Isolation


def test_a_renewal_from_before_the_lease_was_over_proves_nothing() -> None:
    isolation = Isolation()
    for step in range(20):
        now = 100 + step / 4
        assert not isolation.is_certain(now, [now - 99.9])  # the database went for all, just before


def test_others_that_renew_after_that_prove_it_when_it_lasts() -> None:
    isolation = Isolation()
    assert not isolation.is_certain(100.0, [0.2])
    assert not isolation.is_certain(101.0, [0.2]), "it may be this server's turn in a moment"
    assert isolation.is_certain(101.0 + CONFIRMED_AFTER, [])


def test_a_lease_that_is_held_again_begins_anew() -> None:
    isolation = Isolation()
    isolation.is_certain(100.0, [])
    isolation.is_certain(101.0, [0.2])
    isolation.held()
    assert not isolation.is_certain(102.0, [0.2])


def test_without_others_nothing_is_certain() -> None:
    isolation = Isolation()
    assert not any(isolation.is_certain(100.0 + second, []) for second in range(100))
