"""From one observation to readings: which conditions hold, which do not, which cannot be told.

Each family of conditions is one function from an observation to readings. A kind that was *not
looked at* in an observation has no reading there; one that was looked at and could not be read
(eyes shut, no face) has a reading whose ``held`` is ``None``. So a missing face is never taken for
good behaviour: it leaves gaze and head unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proctoring.judgement.browser import browser_readings
from proctoring.judgement.camera import camera_in_time, camera_readings, why_blind
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import HeadLimits, LivenessLimits, ScreenLimits
from proctoring.judgement.presence import absence, company
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import PersonsLook, Reach
from proctoring.observations import (
    BrowserObservation,
    ConnectionObservation,
    FrameObservation,
    Gaze,
    HeadPose,
    Liveness,
    Observation,
    SoundObservation,
    StreamSigns,
    TranscriptObservation,
    VoiceHeard,
)

CANDIDATE_VOICE = 1
"""Number of the candidate's voice (see ``VoiceHeard``)."""


def readings(
    policy: Policy,
    look: PersonsLook | None,
    observation: Observation,
    reach: Reach | None = None,
) -> tuple[Reading, ...]:
    """Everything that ``observation`` says, in the order of the vocabulary.

    Args:
        policy: the limits.
        look: the object detector's standing count of persons (see ``latest_look``).
        observation: what was seen.
        reach: of this candidate's own screen, where it was learned.
    """
    if isinstance(observation, ConnectionObservation):
        return (_connection(observation.connected),)
    if isinstance(observation, SoundObservation):
        return (*_voices(policy, observation), *_speech(policy, observation))
    if isinstance(observation, TranscriptObservation):
        return tuple(_phrases(policy, observation))
    if isinstance(observation, BrowserObservation):
        return tuple(browser_readings(observation))
    return (
        *_gaze(policy, reach or policy.screen, observation),
        *_head(policy, observation),
        *absence(policy, look, observation),
        *company(policy, look, observation),
        *_phones(policy, observation),
        *camera_readings(policy, observation),
        *camera_in_time(policy, observation),
        *_spoof(policy, observation),
        *_mismatch(policy, observation),
        _connection(connected=True),  # a frame is media
    )


def _gaze(
    policy: Policy, screen: ScreenLimits | Reach, observation: FrameObservation
) -> Iterator[Reading]:
    """Where the eyes and the head together point, against the edges of the screen."""
    if observation.faces is None and observation.candidate is None:
        return
    gaze = observation.candidate.gaze if observation.candidate else None
    unread = _why_unread(observation, "gaze")
    blind = why_blind(policy, observation)
    if blind:
        gaze, unread = None, blind
    if gaze is not None and gaze.confidence < policy.min_gaze_confidence:
        gaze, unread = None, "gaze too uncertain"
    yield from _sides("gaze", gaze, screen, gaze.confidence if gaze else 0.0, unread)


def _head(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """The turn of the head, against its limits."""
    if observation.faces is None and observation.candidate is None:
        return
    head, presence = None, 1.0
    if observation.candidate is not None:
        head, track = observation.candidate.head, observation.candidate.track
        presence = next((f.presence for f in observation.faces or () if f.track == track), 1.0)
    blind = why_blind(policy, observation)
    unread = blind or _why_unread(observation, "head")
    yield from _sides("head", None if blind else head, policy.head, presence, unread)


def _sides(
    what: str,
    angles: Gaze | HeadPose | None,
    limits: ScreenLimits | Reach | HeadLimits,
    confidence: float,
    unread: str,
) -> Iterator[Reading]:
    for side in ("left", "right", "up", "down"):
        kind = f"{what}.{side}"
        angle = None
        if angles is not None:
            angle = angles.yaw if side in ("left", "right") else angles.pitch
        if angle is None:
            yield Reading(kind, None, text=unread)
            continue
        outward = angle if side in ("left", "up") else -angle
        held = outward >= getattr(limits, side)
        yield Reading(kind, held, confidence, outward, f"{what} {{}} degrees {side}")


def _phones(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """A phone in one look of the object detector."""
    if observation.objects is None:
        return
    minimum = policy.objects.min_phone_score_of(observation.objects.detector)
    score = max((phone.score for phone in observation.objects.phones), default=0.0)
    held = any(phone.score >= minimum for phone in observation.objects.phones)
    # "Phone-like": small detectors take wallets for phones (measured); a person decides.
    by = observation.objects.detector
    if observation.objects.closer:
        by += f" and, looking closer, {observation.objects.closer}"
    text = f"phone-like object (score {score:.2f}, {by})"
    yield Reading("object.phone", held, score, score, text)


def _voices(policy: Policy, observation: SoundObservation) -> Iterator[Reading]:
    """Somebody besides the candidate, and several at once."""
    look = observation.speakers
    if look is None:
        return
    others = [
        voice
        for voice in look.voices
        if voice.number != CANDIDATE_VOICE
        and voice.confidence >= policy.audio.min_other_speaker_confidence
    ]
    if others:
        confidence = max(voice.confidence for voice in others)
        text = " and ".join(_voice(voice) for voice in others)
        yield Reading("audio.multiple_speakers", True, confidence, len(others), text)
    elif look.unplaced and look.enrolment < 1:
        unread = "the candidate's voice is not known yet"
        yield Reading("audio.multiple_speakers", None, text=unread)
    else:
        yield Reading("audio.multiple_speakers", False)
    held = look.overlap > 0 and look.overlap >= policy.audio.min_overlap
    text = f"two or more voices at once ({look.overlap:.1f} s of a look)"
    yield Reading("audio.overlap", held, 1.0, look.overlap, text)


def _voice(voice: VoiceHeard) -> str:
    likeness = "" if voice.similarity is None else f" (likeness to it {voice.similarity:.2f})"
    return f"voice {voice.number} besides the candidate's{likeness}"


def _speech(policy: Policy, observation: SoundObservation) -> Iterator[Reading]:
    """Somebody speaks, whoever it is."""
    if observation.speech is not None:
        held = observation.speech >= policy.audio.min_speech_share
        yield Reading("audio.speech", held, observation.speech, observation.speech, "speech")


def _phrases(policy: Policy, observation: TranscriptObservation) -> Iterator[Reading]:
    """A phrase that the policy names. The reason quotes the policy, never the candidate."""
    if not observation.final or not policy.audio.phrases:
        return
    found = next((p for p in policy.audio.phrases if _is_said(p, observation)), None)
    if found is None:
        yield Reading("audio.phrase", False)
    else:
        text = f"phrase {found!r} said at {_said_at(found, observation):.1f} s"
        yield Reading("audio.phrase", True, 1.0, 1.0, text)


def _is_said(phrase: str, observation: TranscriptObservation) -> bool:
    """Whether it ends in these words; it may have begun in those that were cut off before them."""
    phrase = f" {_plain(phrase)} "
    before = f" {_plain(observation.carried)} "
    said = f" {_plain(observation.text)} "
    return phrase in said or (phrase in before.rstrip() + said and phrase not in before)


def _said_at(phrase: str, observation: TranscriptObservation) -> float:
    """When its first word was said, as far as words have times: an utterance may be long."""
    wanted = _plain(phrase).split()
    said = [(part, word.start) for word in observation.words for part in _plain(word.text).split()]
    for at in range(len(said) - len(wanted) + 1):
        if [part for part, _ in said[at : at + len(wanted)]] == wanted:
            return said[at][1]
    return observation.start


def _plain(text: str) -> str:
    """Words alone, in small letters, one space between."""
    return " ".join(re.findall(r"[\w']+", text.casefold()))


def _spoof(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """A face that is not a living one before a camera: one sign that is strong enough says so."""
    life, stream = observation.liveness, observation.stream
    if life is None and stream is None:
        return
    limits, blind = policy.liveness, why_blind(policy, observation)
    signs = [*_not_a_camera(limits, stream)]
    if not blind:
        signs = [*_lifeless(limits, life, stream), *signs]
    if signs:
        text = "; ".join(text for _, text in signs)
        yield Reading("face.spoof", True, max(sure for sure, _ in signs), len(signs), text)
    elif life is None or blind:
        yield Reading("face.spoof", None, text=blind or _why_unread(observation, "liveness"))
    else:
        yield Reading("face.spoof", False)


def _lifeless(
    limits: LivenessLimits, life: Liveness | None, stream: StreamSigns | None
) -> Iterator[tuple[float, str]]:
    """What the face itself shows: how sure each sign is (0 to 1), and in words."""
    if life is None:
        return
    limit = limits.min_score_without_blinks if life.blinks == 0 else limits.min_score
    if life.score is not None and life.score < limit:
        unblinking = ", no blink in 20 s" if life.blinks == 0 else ""
        yield (
            1 - life.score,
            f"liveness {life.score:.2f} by {life.judge} (limit {limit:.2f}{unblinking})",
        )
    sure = life.score is not None and life.score >= limits.trusted_score
    if life.depth is not None and life.depth < (
        limits.min_parallax / 2 if sure else limits.min_parallax
    ):
        yield 0.8, f"the face turns as a flat sheet does (parallax {life.depth:.4f})"
    # A camera that froze shows a head that does not move: that is the camera's trouble.
    frozen = stream is not None and stream.ever_changed and stream.unchanged_for >= 1
    if life.sway is not None and life.sway < limits.min_motion and not frozen:
        yield 0.8, f"the head moved less than {limits.min_motion:.2g} eye distances in 10 s"
    if life.framed is not None and life.framed >= limits.max_framed_share and not sure:
        yield life.framed, "a phone or screen surrounds the face"


def _not_a_camera(
    limits: LivenessLimits, stream: StreamSigns | None
) -> Iterator[tuple[float, str]]:
    """What the stream as a whole shows."""
    if stream is None:
        return
    if stream.repeats_after is not None:
        yield 0.9, f"the picture repeats that of {stream.repeats_after:.1f} s before"
    if not stream.ever_changed and stream.unchanged_for >= limits.max_unchanged_at_start:
        yield 0.9, "one and the same picture since the session began"


def _mismatch(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """The candidate's face is not that of the reference."""
    kind, limits, seen = "face.mismatch", policy.identity, observation.identity
    blind = why_blind(policy, observation)
    if seen is not None and blind:
        yield Reading(kind, None, text=blind)
        return
    if seen is None:
        if any(unread.what == "identity" for unread in observation.not_read):
            yield Reading(kind, None, text=_why_unread(observation, "identity"))
        return
    far = seen.distance >= limits.max_distance
    if far and seen.looks < limits.min_comparisons:
        yield Reading(kind, None, text="too few looks at the face")
        return
    reference = "the reference photo" if seen.from_photo else "the session's first seconds"
    text = (
        f"the face differs from that of {reference} (distance {seen.distance:.2f}, "
        f"limit {limits.max_distance:.2f}, mean of {seen.looks} looks, compared {seen.why})"
    )
    sure = min(1.0, 0.5 + 2 * (seen.distance - limits.max_distance))
    yield Reading(kind, far, max(0.5, sure), seen.distance, text)


def _connection(connected: bool) -> Reading:
    return Reading("session.connection_lost", not connected, 1.0, 1.0, "no media arrived")


def _detector(observation: FrameObservation) -> str:
    return observation.objects.detector if observation.objects else ""


def _why_unread(observation: FrameObservation, what: str) -> str:
    if observation.candidate is None:
        return (
            "no face in the frame" if not observation.faces else "the candidate is not in the frame"
        )
    return next((n.reason for n in observation.not_read if n.what.startswith(what)), "not readable")
