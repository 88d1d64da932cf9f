"""What a report says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.server.report.build import INCIDENT, decided, sitting_detail

from proctoring.server.report.content import clock, content


def test_incidents_of_a_kind_are_summed_with_what_was_decided() -> None:
    quiet = replace(INCIDENT, alerted=False, duration=1.0)
    found = content(
        sitting_detail(decided(INCIDENT, "confirm", "seen"), decided(quiet, "dismiss", "a tic")),
        (),
        {},
    )
    (one,) = found.sums
    assert (one.label, one.times, one.alerts) == ("Looking Left", 2, 1)
    assert (one.confirmed, one.dismissed) == (1, 1)
    assert one.seconds == pytest.approx(5.2)


def test_nothing_is_drawn_over_what_was_not_measured() -> None:
    found = content(
        sitting_detail(), (0.0, 1.0, 2.0), {"gaze_yaw": (1.0, None, 3.0), "liveness": (None,) * 3}
    )
    (panel,) = found.panels
    assert panel.lines == (("gaze_yaw", (((0.0, 1.0),), ((2.0, 3.0),))),)


def test_a_sitting_without_anything_has_an_axis_all_the_same() -> None:
    empty = sitting_detail()
    empty = replace(empty, sitting=replace(empty.sitting, media_time=None))
    assert content(empty, (), {}).length > 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.4, "0:00"), (93.4, "1:33"), (3723.0, "1:02:03")]
)
def test_times_are_told_as_a_clock_does(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text
