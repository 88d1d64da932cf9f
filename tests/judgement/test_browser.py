"""Readings of browser reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.judgement.build import of_kind, run, seen, times

from proctoring.incidents import IncidentState, Severity
from proctoring.observations import BrowserObservation

WELL = BrowserObservation(
    time=0.0,
    visible=True,
    focused=True,
    fullscreen=True,
    second_screen=False,
    virtual_camera=False,
    pasted=0,
    offline=0.0,
)


def told(start: float, end: float, **differs: object) -> list[BrowserObservation]:
    """One report per second."""
    return [replace(WELL, time=time, **differs) for time in times(start, end, 1.0)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("differs", "kind", "label"),
    [
        ({"visible": False, "focused": False}, "browser.hidden", "Tab Hidden"),
        ({"focused": False}, "browser.window_left", "Window Left"),
        ({"fullscreen": False}, "browser.fullscreen_left", "Full Screen Left"),
        ({"second_screen": True}, "browser.second_screen", "Second Screen Detected"),
        ({"virtual_camera": True}, "browser.virtual_camera", "Virtual Camera Suspected"),
    ],
)
def test_a_lasting_state_is_one_incident_of_its_kind(
    differs: dict[str, object], kind: str, label: str
) -> None:
    changes = run([*told(0, 3), *told(4, 12, **differs), *told(13, 16)])
    started = [change for _, change in changes if change.state is IncidentState.STARTED]
    assert [(change.kind, change.label) for change in started] == [(kind, label)]
    assert started[0].started_at == 4.0
    ended = of_kind(changes, kind, IncidentState.ENDED)
    assert ended[0][1].duration == pytest.approx(8.0)


@pytest.mark.parametrize("differs", [{"visible": False}, {"focused": False}])
def test_a_state_of_less_than_a_second_is_no_incident(differs: dict[str, object]) -> None:
    flicker: Iterable[BrowserObservation] = [
        *told(0, 3),
        replace(WELL, time=3.2, **differs),  # type: ignore[arg-type]
        replace(WELL, time=3.9),
        *told(4, 8),
    ]
    assert run(flicker) == []


def test_each_paste_and_network_loss_is_reported_with_its_size() -> None:
    changes = run(
        [
            *told(0, 2),
            replace(WELL, time=2.5, pasted=1204),
            replace(WELL, time=3.5, offline=42.0),
            *told(4, 6),
        ]
    )
    reasons = [c.reason for _, c in changes if c.state is IncidentState.STARTED]
    assert reasons[0].startswith("1204 characters pasted")
    assert reasons[1].startswith("the browser reported that it had had no network for 42 s")


def test_values_that_the_browser_does_not_report_are_no_incident() -> None:
    nothing = [
        BrowserObservation(time, None, None, None, None, None, 0, 0.0) for time in times(0, 20, 1)
    ]
    assert run(nothing) == []


def test_a_hidden_tab_that_reports_rarely_stays_one_incident() -> None:
    """Browsers throttle the timers of hidden pages."""
    reports = [*told(0, 2), *(replace(WELL, time=t, visible=False) for t in (3.0, 4.1, 9.0, 30.0))]
    assert len(of_kind(run(reports), "browser.hidden")) == 1


def test_browser_reports_and_frames_are_judged_independently() -> None:
    frames = [seen(time, faces=0) for time in times(0, 6)]
    changes = run(sorted([*frames, *told(0, 6)], key=lambda o: o.time))
    assert {change.kind for _, change in changes} == {"face.absent"}


def test_a_second_screen_has_severity_info() -> None:
    (_, started), *_ = of_kind(run(told(0, 6, second_screen=True)), "browser.second_screen")
    assert started.severity is Severity.INFO
