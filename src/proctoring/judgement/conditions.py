"""From one observation to readings: which conditions hold, which do not, which cannot be told.

Each family of conditions is one function from an observation to readings. A kind that was *not
looked at* in an observation has no reading there; one that was looked at and could not be read
(eyes shut, no face) has a reading whose ``held`` is ``None``. So a missing face is never taken for
good behaviour: it leaves gaze and head unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proctoring.judgement.asked import Reach
from proctoring.judgement.browser import browser_readings
from proctoring.judgement.policy import Head, LivenessLimits, Policy, Screen
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import PersonsLook
from proctoring.observations import (
    BrowserObservation,
    ConnectionObservation,
    Detection,
    FrameObservation,
    Gaze,
    HeadPose,
    Liveness,
    ObjectLook,
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
        *_absence(policy, look, observation),
        *_persons(policy, look, observation),
        *_phones(policy, observation),
        *_camera(policy, observation),
        *_camera_in_time(policy, observation),
        *_spoof(policy, observation),
        *_mismatch(policy, observation),
        _connection(connected=True),  # a frame is media
    )


def latest_look(
    policy: Policy, look: PersonsLook | None, observation: Observation
) -> PersonsLook | None:
    """The count of persons that stands after ``observation``; none when the last is too old."""
    if isinstance(observation, FrameObservation) and observation.objects is not None:
        if look is None or observation.time > look.time:
            return PersonsLook(observation.time, len(persons_in(policy, observation.objects)))
    elif look is not None and observation.time - look.time > policy.objects.look_valid:
        return None
    return look


def _gaze(
    policy: Policy, screen: Screen | Reach, observation: FrameObservation
) -> Iterator[Reading]:
    """Where the eyes and the head together point, against the edges of the screen."""
    if observation.faces is None and observation.candidate is None:
        return
    gaze = observation.candidate.gaze if observation.candidate else None
    unread = _why_unread(observation, "gaze")
    blind = _blind(policy, observation)
    if blind:
        gaze, unread = None, blind
    if gaze is not None and gaze.confidence < policy.gaze_confidence:
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
    blind = _blind(policy, observation)
    unread = blind or _why_unread(observation, "head")
    yield from _sides("head", None if blind else head, policy.head, presence, unread)


def _sides(
    what: str,
    angles: Gaze | HeadPose | None,
    limits: Screen | Reach | Head,
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


def _absence(
    policy: Policy, look: PersonsLook | None, observation: FrameObservation
) -> Iterator[Reading]:
    """No face in the frame; whether the object detector sees a person goes into the reason.

    A picture in which nobody could be seen accuses nobody.
    """
    if observation.faces is None:
        return
    trouble = camera_trouble(policy, observation)
    if trouble is not None and not observation.faces:
        yield Reading("face.absent", None, text=trouble.text.replace("{}", f"{trouble.value:.0f}"))
        return
    text = "no face in the frame"
    if look is not None:
        text += ", though a person is seen," if look.persons else " and no person seen"
    yield Reading("face.absent", not observation.faces, 1.0, 1.0, text)


def _persons(
    policy: Policy, look: PersonsLook | None, observation: FrameObservation
) -> Iterator[Reading]:
    """More than one person, by faces or by the object detector."""
    kind = "person.multiple"
    faces = sorted((face.presence for face in observation.faces or ()), reverse=True)
    boxes: list[float] = []
    if observation.objects is not None:
        persons = persons_in(policy, observation.objects)
        boxes = sorted((person.score for person in persons), reverse=True)
    count = max(len(faces), len(boxes))
    if count > 1:
        confidence = max(*faces[1:2], *boxes[1:2], 0.0)
        found = [f"{len(faces)} faces"] if len(faces) > 1 else []
        found += [f"{len(boxes)} persons by {_detector(observation)}"] if len(boxes) > 1 else []
        text = f"{count} persons in the picture ({', '.join(found)})"
        slow = observation.faces is None and observation.objects is not None
        yield Reading(kind, True, confidence, count, text, slow)
    elif observation.objects is None and (
        observation.faces is None or (look is not None and look.persons > 1)
    ):
        # One face cannot contradict a detector that counted two persons and has not looked again.
        return
    else:
        yield Reading(kind, False)


def _phones(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """A phone in one look of the object detector."""
    if observation.objects is None:
        return
    minimum = policy.objects.minimum_phone_score(observation.objects.detector)
    score = max((phone.score for phone in observation.objects.phones), default=0.0)
    held = any(phone.score >= minimum for phone in observation.objects.phones)
    # "Phone-like": small detectors take wallets for phones (measured); a person decides.
    text = f"phone-like object (score {score:.2f}, {_detector(observation)})"
    yield Reading("object.phone", held, score, score, text)


def _voices(policy: Policy, observation: SoundObservation) -> Iterator[Reading]:
    """Somebody besides the candidate, and several at once."""
    look = observation.speakers
    if look is None:
        return
    others = [
        voice
        for voice in look.voices
        if voice.number != CANDIDATE_VOICE and voice.confidence >= policy.sound.other_voice
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
    held = look.overlap > 0 and look.overlap >= policy.sound.overlap
    text = f"two or more voices at once ({look.overlap:.1f} s of a look)"
    yield Reading("audio.overlap", held, 1.0, look.overlap, text)


def _voice(voice: VoiceHeard) -> str:
    likeness = "" if voice.similarity is None else f" (likeness to it {voice.similarity:.2f})"
    return f"voice {voice.number} besides the candidate's{likeness}"


def _speech(policy: Policy, observation: SoundObservation) -> Iterator[Reading]:
    """Somebody speaks, whoever it is."""
    if observation.speech is not None:
        held = observation.speech >= policy.sound.speech
        yield Reading("audio.speech", held, observation.speech, observation.speech, "speech")


def _camera(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the picture can be judged by. Of several troubles the gravest alone is named."""
    if observation.camera is None:
        return
    trouble = camera_trouble(policy, observation)
    for kind in ("camera.covered", "camera.dark", "camera.bright", "camera.blurred"):
        yield trouble if trouble and trouble.kind == kind else Reading(kind, False)


def camera_trouble(policy: Policy, observation: FrameObservation) -> Reading | None:
    """What is wrong with the picture as a whole, if anything: the ``camera.*`` kind that holds."""
    view, limits = observation.camera, policy.camera
    if view is None:
        return None
    blurred = view.detail < limits.blurred_detail
    if blurred and view.structure < limits.covered_structure:
        text = "nothing but an even surface is seen"
        return Reading("camera.covered", True, 1.0, view.structure, text)
    if view.brightness < limits.dark:
        text = "the picture is dark (brightness {} of 255)"
        return Reading("camera.dark", True, 1.0, view.brightness, text)
    if view.burnt >= limits.burnt:
        text = "the picture is burnt out ({} per cent white)"
        return Reading("camera.bright", True, 1.0, 100 * view.burnt, text)
    if blurred:
        text = "the picture is out of focus"
        return Reading("camera.blurred", True, 1.0, view.detail, text)
    return None


def _blind(policy: Policy, observation: FrameObservation) -> str:
    """Why a picture is good for nothing but to say so; empty when it is not. In the dark and behind a
    hand a face may still be found, and reads as whatever the noise makes of it."""
    trouble = camera_trouble(policy, observation)
    if trouble is None or trouble.kind not in ("camera.covered", "camera.dark"):
        return ""
    return trouble.text.replace("{}", f"{trouble.value:.0f}")


def _camera_in_time(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """A camera that stopped, or that looks somewhere else. One that never moved is a spoof."""
    stream, scene = observation.stream, observation.scene
    if stream is not None:
        held = stream.ever_changed and stream.unchanged_for >= policy.camera.frozen
        text = "the picture has stood still, sensor noise included,"
        yield Reading("camera.frozen", held, 1.0, stream.unchanged_for, text)
    if scene is not None:
        likeness = 0.0 if scene.likeness is None else scene.likeness
        text = f"the background became another and stays so (likeness {likeness:.2f})"
        yield Reading("camera.moved", scene.moved, min(1.0, 1 - likeness), 1 - likeness, text)


def _phrases(policy: Policy, observation: TranscriptObservation) -> Iterator[Reading]:
    """A phrase that the policy names. The reason quotes the policy, never the candidate."""
    if not observation.final or not policy.sound.phrases:
        return
    found = next((p for p in policy.sound.phrases if _is_said(p, observation)), None)
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
    limits, blind = policy.liveness, _blind(policy, observation)
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
    limit = limits.unblinking_score if life.blinks == 0 else limits.score
    if life.score is not None and life.score < limit:
        unblinking = ", no blink in 20 s" if life.blinks == 0 else ""
        yield (
            1 - life.score,
            f"liveness {life.score:.2f} by {life.judge} (limit {limit:.2f}{unblinking})",
        )
    sure = life.score is not None and life.score >= limits.sure_score
    if life.depth is not None and life.depth < (limits.depth / 2 if sure else limits.depth):
        yield 0.8, f"the face turns as a flat sheet does (parallax {life.depth:.4f})"
    # A camera that froze shows a head that does not move: that is the camera's trouble.
    frozen = stream is not None and stream.ever_changed and stream.unchanged_for >= 1
    if life.sway is not None and life.sway < limits.sway and not frozen:
        yield 0.8, f"the head moved less than {limits.sway:.2g} eye distances in 10 s"
    if life.framed is not None and life.framed >= limits.framed and not sure:
        yield life.framed, "a phone or screen surrounds the face"


def _not_a_camera(
    limits: LivenessLimits, stream: StreamSigns | None
) -> Iterator[tuple[float, str]]:
    """What the stream as a whole shows."""
    if stream is None:
        return
    if stream.repeats_after is not None:
        yield 0.9, f"the picture repeats that of {stream.repeats_after:.1f} s before"
    if not stream.ever_changed and stream.unchanged_for >= limits.unchanged:
        yield 0.9, "one and the same picture since the session began"


def _mismatch(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """The candidate's face is not that of the reference."""
    kind, limits, seen = "face.mismatch", policy.identity, observation.identity
    blind = _blind(policy, observation)
    if seen is not None and blind:
        yield Reading(kind, None, text=blind)
        return
    if seen is None:
        if any(unread.what == "identity" for unread in observation.not_read):
            yield Reading(kind, None, text=_why_unread(observation, "identity"))
        return
    far = seen.distance >= limits.distance
    if far and seen.looks < limits.looks:
        yield Reading(kind, None, text="too few looks at the face")
        return
    reference = "the reference photo" if seen.from_photo else "the session's first seconds"
    text = (
        f"the face differs from that of {reference} (distance {seen.distance:.2f}, "
        f"limit {limits.distance:.2f}, mean of {seen.looks} looks, compared {seen.why})"
    )
    sure = min(1.0, 0.5 + 2 * (seen.distance - limits.distance))
    yield Reading(kind, far, max(0.5, sure), seen.distance, text)


def _connection(connected: bool) -> Reading:
    return Reading("session.connection_lost", not connected, 1.0, 1.0, "no media arrived")


def persons_in(policy: Policy, look: ObjectLook) -> list[Detection]:
    """The persons of one look of the object detector that count."""
    minimum = policy.objects.minimum_person_score(look.detector)
    return [person for person in look.persons if person.score >= minimum]


def _detector(observation: FrameObservation) -> str:
    return observation.objects.detector if observation.objects else ""


def _why_unread(observation: FrameObservation, what: str) -> str:
    if observation.candidate is None:
        return (
            "no face in the frame" if not observation.faces else "the candidate is not in the frame"
        )
    return next((n.reason for n in observation.not_read if n.what.startswith(what)), "not readable")
