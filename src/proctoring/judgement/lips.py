"""Lip movement and speech together: speech with still lips indicates another speaker.

Only audio decides whether there is another speaker; lips change the confidence. A hidden, small or
unreadable mouth has no effect: speech with too few frames is not compared, and still lips count only
after the lips were seen to move with the candidate's own voice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from proctoring.judgement.reading import Reading
from proctoring.observations import AudioObservation, FrameObservation, Observation

HISTORY = 6.0
"""Seconds of lips and speech that are kept."""
RECENT = 1.6
"""Seconds before a diarization result that are compared: a voice is reported after it was heard alone
for 1.5 s or more."""
MAX_SKEW = 0.2
"""Seconds by which video and audio may be out of sync."""
MIN_SPEECH_SHARE = 0.5
"""Share of an audio segment that must be speech."""
MIN_FRAMES = 5
"""Frames needed in a segment, ``MAX_SKEW`` around it included: 9 are there at full rate."""
STILL = 0.03
"""Range of the mouth opening, in mouth widths, up to which lips are still. Measured within a second:
.002 to .022 for silent faces, .10 and more for speaking ones (``evaluation/lips.py``)."""
MOVING = 0.08
"""Range from which lips move; in between, a segment is unclear."""
MIN_OWN_SPEECH = 2.0
"""Seconds of the candidate's own voice with moving lips before still lips count."""
MIN_OWN_MOVING_RATIO = 3
"""Ratio of moving to still seconds of the candidate's own voice before still lips count."""
MIN_COMPARED = 1.0
"""Seconds of speech that must be comparable before lips have an effect."""
MAX_LOG_ODDS = 1.5
"""Maximum change of the log-odds of another speaker: as much as a difference of .09 in similarity."""
MIN_PROBABILITY = 1e-6
"""Confidences are clipped to this distance from 0 and 1, where log-odds are infinite."""
MAX_SAMPLES = 400
"""Limit on stored samples, whatever the frame rate."""


@dataclass(frozen=True, slots=True)
class LipsState:
    """Recent lips and speech. A few kilobytes."""

    mouths: tuple[tuple[float, float], ...] = ()
    """Media time and mouth opening."""
    speech: tuple[tuple[float, float], ...] = ()
    """Start and end of segments with speech."""
    counted_until: float = 0.0
    """Media time up to which own speech is included in ``own_moving`` and ``own_still``."""
    own_moving: float = 0.0
    """Seconds of the candidate's voice alone with moving lips."""
    own_still: float = 0.0
    """Seconds of the candidate's voice alone with still lips."""


@dataclass(frozen=True, slots=True)
class LipsDuringSpeech:
    """Seconds of recent speech by lip movement."""

    moving: float
    still: float
    unclear: float

    @property
    def seconds(self) -> float:
        """Speech during which the lips were seen."""
        return self.moving + self.still + self.unclear


def update_lips(state: LipsState, observation: Observation) -> LipsState:
    """The state after ``observation``. Frames and audio may overtake each other by seconds."""
    if isinstance(observation, FrameObservation):
        opening = observation.candidate.mouth_opening if observation.candidate else None
        if opening is None:
            return state
        mouths = (*state.mouths, (observation.time, opening))
        return LipsState(
            _after(mouths, observation.time - HISTORY),
            state.speech,
            state.counted_until,
            state.own_moving,
            state.own_still,
        )
    if not isinstance(observation, AudioObservation):
        return state
    if observation.speech is not None and observation.speech >= MIN_SPEECH_SHARE:
        segment = (observation.time - observation.duration, observation.time)
        state = replace(state, speech=_after((*state.speech, segment), observation.time - HISTORY))
    look = observation.diarization
    if look is None or not look.speakers:
        return state
    return _count_own(state, observation.time) if _is_candidate_alone(observation) else state


def lips_during(state: LipsState, start: float, end: float) -> LipsDuringSpeech:
    """Lip movement during the speech between two media times."""
    seconds = {"moving": 0.0, "still": 0.0, "unclear": 0.0}
    for begins, ends in state.speech:
        if begins < start or ends > end:
            continue
        seen = [o for time, o in state.mouths if begins - MAX_SKEW <= time <= ends + MAX_SKEW]
        if len(seen) < MIN_FRAMES:
            continue
        extent = max(seen) - min(seen)
        what = "still" if extent <= STILL else "moving" if extent >= MOVING else "unclear"
        seconds[what] += ends - begins
    return LipsDuringSpeech(**seconds)


def weigh_by_lips(
    state: LipsState, observation: Observation, found: Iterable[Reading]
) -> tuple[Reading, ...]:
    """The readings; the confidence of another speaker is changed by the lips, and its text says so."""
    if not isinstance(observation, AudioObservation):
        return tuple(found)
    return tuple(
        _weigh(state, observation.time, reading)
        if reading.kind == "audio.multiple_speakers" and reading.held
        else reading
        for reading in found
    )


def _weigh(state: LipsState, time: float, reading: Reading) -> Reading:
    lips = lips_during(state, time - RECENT, time)
    if lips.seconds < MIN_COMPARED:
        return reading
    reliable = (
        state.own_moving >= MIN_OWN_SPEECH
        and state.own_moving >= MIN_OWN_MOVING_RATIO * state.own_still
    )
    still = lips.still if reliable else 0.0
    share = (still - lips.moving) / lips.seconds
    if not share:
        return reading
    what, seconds = ("still", still) if share > 0 else ("moving", lips.moving)
    before = min(max(reading.confidence, MIN_PROBABILITY), 1 - MIN_PROBABILITY)
    confidence = 1 / (1 + math.exp(-(math.log(before / (1 - before)) + MAX_LOG_ODDS * share)))
    text = f"{reading.text}, lips {what} during {seconds:.1f} of {lips.seconds:.1f} s of speech"
    return replace(reading, confidence=confidence, text=text)


def _is_candidate_alone(observation: AudioObservation) -> bool:
    """Whether the candidate's voice is the only one heard."""
    look = observation.diarization
    return look is not None and not look.unassigned and {v.number for v in look.speakers} == {1}


def _count_own(state: LipsState, time: float) -> LipsState:
    """Add the lips during the candidate's own speech, each segment once."""
    lips = lips_during(state, max(state.counted_until, time - RECENT), time)
    return replace(
        state,
        counted_until=time,
        own_moving=state.own_moving + lips.moving,
        own_still=state.own_still + lips.still,
    )


def _after(
    samples: tuple[tuple[float, float], ...], start: float
) -> tuple[tuple[float, float], ...]:
    """The last ``MAX_SAMPLES`` samples from ``start`` on."""
    return tuple([sample for sample in samples[-MAX_SAMPLES:] if sample[0] >= start])
