"""When media that does not arrive is told to judgement."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.observations import ConnectionObservation

SILENCE = 1.5
"""Seconds without media after which it counts as not arriving. Above one second, so that a browser
tab in the background, whose timers run once a second, is not lost each time."""

SILENCE_EVERY = 1.0
"""Seconds between two observations that media does not arrive."""


def silences(last: float, arrival: float) -> Iterator[ConnectionObservation]:
    """What a session observes while no media arrives from media time ``last`` to ``arrival``."""
    if arrival - last <= SILENCE:
        return
    seconds = 0
    while (time := last + SILENCE + seconds * SILENCE_EVERY) < arrival:
        yield ConnectionObservation(time, connected=False)
        seconds += 1
    yield ConnectionObservation(arrival, connected=True)
