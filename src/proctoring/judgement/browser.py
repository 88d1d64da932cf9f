"""Readings about what the candidate's browser reports about itself."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.reading import Reading
from proctoring.observations import BrowserObservation

VIRTUAL_CAMERA_CONFIDENCE = 0.7
"""Confidence that a camera is virtual if its name is that of a known program. Set by judgement:
names can be changed either way."""


def browser_readings(observation: BrowserObservation) -> Iterator[Reading]:
    """One reading for each value that the browser reported."""
    hidden = observation.visible is False
    if observation.visible is not None:
        yield Reading("browser.hidden", hidden, 1.0, 1.0, "the exam's tab was hidden")
    if observation.focused is not None:
        # A hidden tab has no focus: that is reported once, as hidden.
        left = None if hidden else not observation.focused
        yield Reading("browser.window_left", left, 1.0, 1.0, "another window had the focus")
    if observation.fullscreen is not None:
        left = not observation.fullscreen
        yield Reading("browser.fullscreen_left", left, 1.0, 1.0, "the page was not in full screen")
    if observation.second_screen is not None:
        held = observation.second_screen
        yield Reading("browser.second_screen", held, 1.0, 1.0, "a second screen was connected")
    if observation.virtual_camera is not None:
        held = observation.virtual_camera
        text = "the chosen camera is named like a program, not like a device,"
        yield Reading("browser.virtual_camera", held, VIRTUAL_CAMERA_CONFIDENCE, 1.0, text)
    pasted = observation.pasted
    yield Reading("browser.paste", pasted > 0, 1.0, pasted, "{} characters pasted")
    away = observation.offline
    yield Reading(
        "browser.offline",
        away > 0,
        1.0,
        away,
        "the browser reported that it had had no network for {} s",
    )
