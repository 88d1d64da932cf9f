"""Observations of the candidate's browser."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrowserObservation:
    """State of the candidate's browser as reported by its page, about once a second and on every
    change. A page can be forged: missing and contradictory reports are for a reviewer to weigh."""

    time: float
    """Media time in seconds."""
    visible: bool | None
    """Whether the page's tab is visible. ``None``, here and below: the browser does not report it."""
    focused: bool | None
    """Whether the page's window has the keyboard focus."""
    fullscreen: bool | None
    """``None`` also until the page has been in full screen once."""
    second_screen: bool | None
    """Whether the desktop extends over more than one screen."""
    virtual_camera: bool | None
    """Whether the selected camera has the name of a known virtual camera."""
    pasted: int
    """Characters pasted into the page since the last report."""
    offline: float
    """Seconds without network before this report; 0 if there were none."""
