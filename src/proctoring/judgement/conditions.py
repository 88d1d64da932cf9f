"""All readings of an observation: which conditions hold, do not hold, or are unreadable.

Each family of conditions is one function from an observation to readings. A kind that was *not
analysed* in an observation has no reading. One that was analysed and could not be read (eyes shut,
no face) has a reading with ``held`` ``None``. So a missing face never counts as good behaviour: it
makes gaze and head unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.arrival import (
    NOT_ANALYSED,
    arrival_readings,
    connection_reading,
    takeover_reading,
)
from proctoring.judgement.audio import (
    phrase_readings,
    silence_readings,
    speaker_readings,
    speech_readings,
)
from proctoring.judgement.browser import browser_readings
from proctoring.judgement.camera import picture_readings, stream_readings
from proctoring.judgement.gaze import gaze_readings, head_readings
from proctoring.judgement.identity import identity_readings
from proctoring.judgement.liveness import motionless_readings, spoof_readings, unread_readings
from proctoring.judgement.policy import Policy
from proctoring.judgement.presence import absence_readings, person_readings
from proctoring.judgement.reading import Reading, not_held
from proctoring.judgement.state import PersonCount, ScreenExtent
from proctoring.observations import (
    AudioObservation,
    BrowserObservation,
    ConnectionObservation,
    FrameObservation,
    Observation,
    SocketReplaced,
    TranscriptObservation,
)


def readings(
    policy: Policy,
    count: PersonCount | None,
    observation: Observation,
    extent: ScreenExtent | None = None,
) -> tuple[Reading, ...]:
    """All readings of ``observation``.

    Args:
        policy: the limits.
        count: the object detector's last count of persons (see ``update_person_count``).
        observation: any observation.
        extent: of the candidate's screen, if it was measured by a calibration.
    """
    if isinstance(observation, ConnectionObservation):
        return tuple(arrival_readings(policy, observation))
    if isinstance(observation, SocketReplaced):
        return (takeover_reading(observation),)
    if isinstance(observation, AudioObservation):
        return (
            *speaker_readings(policy, observation),
            *speech_readings(policy, observation),
            *silence_readings(policy, observation),
        )
    if isinstance(observation, TranscriptObservation):
        return tuple(phrase_readings(policy, observation))
    if isinstance(observation, BrowserObservation):
        return tuple(browser_readings(observation))
    return (
        *gaze_readings(policy, extent or policy.screen, observation),
        *head_readings(policy, observation),
        *absence_readings(policy, count, observation),
        *person_readings(policy, count, observation),
        *_phone_readings(policy, observation),
        *picture_readings(policy, observation),
        *stream_readings(policy, observation),
        *spoof_readings(policy, observation),
        *motionless_readings(policy, observation),
        *unread_readings(policy, observation),
        *identity_readings(policy, observation),
        connection_reading(connected=True),  # a frame is media
        not_held(NOT_ANALYSED),
    )


def _phone_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the object detector found a phone."""
    objects = observation.objects
    if objects is None:
        return
    minimum = policy.objects.min_phone_score_of(objects.detector)
    score = max((phone.score for phone in objects.phones), default=0.0)
    held = any(phone.score >= minimum for phone in objects.phones)
    # "Phone-like": small detectors also take wallets for phones (measured); a reviewer decides.
    by = objects.detector
    if objects.verifier:
        by += f" and, looking closer, {objects.verifier}"
    text = f"phone-like object (score {score:.2f}, {by})"
    yield Reading("object.phone", held, score, score, text)
