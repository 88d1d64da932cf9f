"""Lips and speech together: speech while the candidate's lips are still is a sign of another voice.

The sound alone decides whether another voice is there; lips make that more or less likely. So a
candidate whose mouth is hidden, small or cannot be read is accused of nothing by it: without enough
frames a stretch of speech says nothing, and stillness counts only once the lips were seen to move
with the candidate's own voice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from proctoring.judgement.reading import Reading
from proctoring.observations import FrameObservation, Observation, SoundObservation

KEEP = 6.0
"""Seconds of lips and speech that are remembered."""
RECENT = 1.6
"""Seconds before a look at the speakers of which lips and speech are compared: a voice that is told
spoke alone for 1.5 s or more."""
TOLERANCE = 0.2
"""Seconds by which picture and sound may be apart."""
SPEECH = 0.5
"""Share of a stretch of sound that must be speech."""
LEAST_FRAMES = 5
"""Frames that a stretch and its surroundings must have: 9 are there at full rate."""
STILL = 0.03
"""Range of the mouth's opening, in mouth widths, up to which lips are still. Silent faces measured
.002 to .022 within a second, speaking ones .10 and more (``evaluation/lips.py``)."""
MOVING = 0.08
"""Range from which on they move; between the two a stretch says nothing."""
KNOWN = 2.0
"""Seconds of the candidate's own voice with moving lips before stillness is a sign."""
LEAST_JUDGED = 1.0
"""Seconds of speech that must be readable before lips say anything."""
WEIGHT = 1.5
"""Most that lips move the log-odds of another voice: as much as a likeness lower or higher by .09."""
MAX_SAMPLES = 400
"""Bound of what is remembered, however fast frames come."""


@dataclass(frozen=True, slots=True)
class LipsState:
    """What is remembered of lips and speech. Plain values, a few kilobytes."""

    mouths: tuple[tuple[float, float], ...] = ()
    """Media time, opening of the mouth."""
    speech: tuple[tuple[float, float], ...] = ()
    """Start and end of stretches of speech."""
    counted: float = 0.0
    """Media time up to which the candidate's own speech went into ``own_moving``."""
    own_moving: float = 0.0
    """Seconds of the candidate's voice alone with moving lips."""
    own_still: float = 0.0


@dataclass(frozen=True, slots=True)
class LipsJudged:
    """Seconds of recent speech by what the lips did."""

    moving: float
    still: float
    unclear: float

    @property
    def seconds(self) -> float:
        """Speech during which the lips were seen."""
        return self.moving + self.still + self.unclear


def watch_lips(state: LipsState, observation: Observation) -> LipsState:
    """The state after ``observation``. Frames and sound may overtake each other by seconds."""
    if isinstance(observation, FrameObservation):
        opening = observation.candidate.mouth_opening if observation.candidate else None
        if opening is None:
            return state
        mouths = (*state.mouths, (observation.time, opening))
        return replace(state, mouths=_since(mouths, observation.time - KEEP))
    if not isinstance(observation, SoundObservation):
        return state
    if observation.speech is not None and observation.speech >= SPEECH:
        stretch = (observation.time - observation.span, observation.time)
        state = replace(state, speech=_since((*state.speech, stretch), observation.time - KEEP))
    look = observation.speakers
    if look is None or not look.voices:
        return state
    return _own(state, observation.time) if _candidate_alone(observation) else state


def lips_during(state: LipsState, start: float, end: float) -> LipsJudged:
    """What the lips did while somebody spoke between two media times."""
    judged = {"moving": 0.0, "still": 0.0, "unclear": 0.0}
    for begins, ends in state.speech:
        if begins < start or ends > end:
            continue
        seen = [o for time, o in state.mouths if begins - TOLERANCE <= time <= ends + TOLERANCE]
        if len(seen) < LEAST_FRAMES:
            continue
        extent = max(seen) - min(seen)
        what = "still" if extent <= STILL else "moving" if extent >= MOVING else "unclear"
        judged[what] += ends - begins
    return LipsJudged(**judged)


def weighed(
    state: LipsState, observation: Observation, found: Iterable[Reading]
) -> tuple[Reading, ...]:
    """The readings, with the confidence of another voice moved by the lips, and why."""
    return tuple(
        _weighed(state, observation.time, reading)
        if reading.kind == "audio.multiple_speakers" and reading.held
        else reading
        for reading in found
    )


def _weighed(state: LipsState, time: float, reading: Reading) -> Reading:
    judged = lips_during(state, time - RECENT, time)
    if judged.seconds < LEAST_JUDGED:
        return reading
    reliable = state.own_moving >= KNOWN and state.own_moving >= 3 * state.own_still
    still = judged.still if reliable else 0.0
    share = (still - judged.moving) / judged.seconds
    if not share:
        return reading
    what, seconds = ("still", still) if share > 0 else ("moving", judged.moving)
    odds = min(max(reading.confidence, 1e-6), 1 - 1e-6)
    moved = 1 / (1 + math.exp(-(math.log(odds / (1 - odds)) + WEIGHT * share)))
    text = f"{reading.text}, lips {what} during {seconds:.1f} of {judged.seconds:.1f} s of speech"
    return replace(reading, confidence=moved, text=text)


def _candidate_alone(observation: SoundObservation) -> bool:
    look = observation.speakers
    return look is not None and not look.unplaced and {v.number for v in look.voices} == {1}


def _own(state: LipsState, time: float) -> LipsState:
    """Take in what the lips did with the candidate's own voice, each stretch once."""
    judged = lips_during(state, max(state.counted, time - RECENT), time)
    return replace(
        state,
        counted=time,
        own_moving=state.own_moving + judged.moving,
        own_still=state.own_still + judged.still,
    )


def _since(
    samples: tuple[tuple[float, float], ...], start: float
) -> tuple[tuple[float, float], ...]:
    return tuple(sample for sample in samples[-MAX_SAMPLES:] if sample[0] >= start)
