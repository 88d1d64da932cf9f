"""Rates under load, as tables."""

from __future__ import annotations

import pytest

from proctoring.session.load import MIN_RATE, Demand, next_rate


@pytest.mark.parametrize(
    ("rate", "wait", "busy", "expected"),
    [
        (1.0, 0.0, 0.0, 1.0),
        (1.0, 0.01, 0.99, 1.0),  # busy, yet nobody waits
        (1.0, 0.3, 0.5, 1.0),  # frames of many sessions at one moment: lower rates would not help
        (1.0, 0.06, 1.0, 0.833),  # in proportion to the excess
        (1.0, 0.0501, 1.0, 0.95),  # a little too much: a little less
        (1.0, 2.0, 1.0, 0.5),  # never below half at once
        (0.12, 2.0, 1.0, MIN_RATE),
        (0.5, 0.0, 0.8, 0.5),  # neither: stay
        (0.5, 0.0, 0.2, 0.55),  # rises slowly
        (0.98, 0.0, 0.2, 1.0),
    ],
)
def test_next_rate(rate: float, wait: float, busy: float, expected: float) -> None:
    assert next_rate(rate, Demand(wait, busy)) == pytest.approx(expected, abs=1e-3)


def test_a_machine_with_half_the_time_needed_settles_near_half_the_rate() -> None:
    needed = 2.0
    rate = 1.0
    rates = []
    for _ in range(200):
        busy = min(1.0, needed * rate)
        rate = next_rate(rate, Demand(0.2 if needed * rate > 1 else 0.0, busy))
        rates.append(rate)
    assert min(rates[50:]) > 0.3
    assert max(rates[50:]) <= 0.55
